//! The table of cases against `ReadBuffer`: whole, byte by byte and split at each position.

use highwater_testing::Form;
use highwater_tests::every_cut::{run, with_every_end};
use highwater_tests::model::ModelSubject;
use highwater_tests::read_buffer::{Arrival, BufferSubject};
use highwater_tests::subject::Impatient;
use highwater_tests::{case::Case, cases};
use std::collections::HashSet;

#[test]
fn the_table_holds_sixty_cases_of_different_names() {
    let cases = cases::all();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let names: HashSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len(), "a name tells one case from all others");
}

#[test]
fn r2_every_cut_has_one_outcome() {
    for form in Form::ALL {
        let name = format!("ReadBuffer, {form:?} reads");
        run(&name, &cases::all(), |limit| BufferSubject::new(form, Arrival::Fed, limit));
    }
}

#[test]
fn r2_every_cut_has_one_outcome_through_spare_room() {
    for form in Form::ALL {
        let name = format!("ReadBuffer, through spare room, {form:?} reads");
        run(&name, &cases::all(), |limit| BufferSubject::new(form, Arrival::Spare, limit));
    }
}

#[test]
fn r3_every_cut_has_one_outcome_when_reads_are_dropped_at_every_poll() {
    run("ReadBuffer, reads dropped at every poll", &cases::all(), |limit| {
        Impatient::new(BufferSubject::new(Form::Owned, Arrival::Fed, limit))
    });
}

/// The end of the stream, and a transport's error, at every position of every case.
#[test]
fn r4_every_end_comes_after_the_data() {
    let cases: Vec<Case> = with_every_end(&cases::all());
    run("ReadBuffer, ending at every position", &cases, |limit| {
        BufferSubject::new(Form::Owned, Arrival::Fed, limit)
    });
}

#[test]
fn r2_the_model_agrees_with_the_table() {
    run("the model", &cases::all(), ModelSubject::new);
}
