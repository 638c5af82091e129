//! The table of cases against `StreamReader` in each of its settings: whole, byte by byte and split at
//! each position.

use highwater_testing::Form;
use highwater_tests::case::Case;
use highwater_tests::cases;
use highwater_tests::every_cut::{run, with_every_end};
use highwater_tests::stream_reader::{detached, paired, pulled};
use highwater_tests::subject::Impatient;

#[test]
fn r2_every_cut_has_one_outcome() {
    for form in [Form::Owned, Form::Borrowed] {
        let name = |what: &str| format!("{what}, {form:?} reads");
        run(&name("detached reader"), &cases::all(), |limit| detached(form, limit));
        run(&name("reader over a transport"), &cases::all(), |limit| pulled(form, limit));
        run(&name("half of a pair"), &cases::all(), |limit| paired(form, limit));
    }
}

#[test]
fn r3_every_cut_has_one_outcome_when_reads_are_dropped_at_every_poll() {
    let form = Form::Owned;
    let name = |what: &str| format!("{what}, reads dropped at every poll");
    run(&name("detached reader"), &cases::all(), |limit| Impatient::new(detached(form, limit)));
    run(&name("reader over a transport"), &cases::all(), |limit| Impatient::new(pulled(form, limit)));
    run(&name("half of a pair"), &cases::all(), |limit| Impatient::new(paired(form, limit)));
}

/// The end of the stream, and a transport's error, at every position of every case.
#[test]
fn r4_every_end_comes_after_the_data() {
    let cases: Vec<Case> = with_every_end(&cases::all());
    let form = Form::Owned;
    run("detached reader, ending at every position", &cases, |limit| detached(form, limit));
    run("reader over a transport, ending at every position", &cases, |limit| pulled(form, limit));
    run("half of a pair, ending at every position", &cases, |limit| paired(form, limit));
}
