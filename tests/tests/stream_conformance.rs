//! CPython's recorded runs against `StreamReader`: fed by hand, every field of every step equal; over a
//! transport, with what pulling allows and nothing else.

use highwater_testing::Form;
use highwater_tests::conformance::{ShortReads, replay_all};
use highwater_tests::stream_reader::{detached, paired, pulled};
use highwater_tests::subject::Impatient;

const FORMS: [Form; 2] = [Form::Owned, Form::Borrowed];

#[test]
fn r2_a_detached_reader_replays_what_cpython_did() {
    for form in FORMS {
        let name = format!("detached reader, {form:?} reads");
        replay_all(&name, ShortReads::Refused, |limit| detached(form, limit));
    }
}

#[test]
fn r2_a_reader_over_a_transport_replays_what_cpython_did() {
    for form in FORMS {
        let name = format!("reader over a transport, {form:?} reads");
        replay_all(&name, ShortReads::Allowed, |limit| pulled(form, limit));
    }
}

#[test]
fn r2_the_half_of_a_pair_replays_what_cpython_did() {
    replay_all("half of a pair", ShortReads::Allowed, |limit| paired(Form::Owned, limit));
}

#[test]
fn r3_reads_dropped_at_every_poll_end_as_if_they_had_waited() {
    replay_all("detached reader, reads dropped at every poll", ShortReads::Refused, |limit| {
        Impatient::new(detached(Form::Owned, limit))
    });
    replay_all("reader over a transport, reads dropped at every poll", ShortReads::Allowed, |limit| {
        Impatient::new(pulled(Form::Owned, limit))
    });
    replay_all("half of a pair, reads dropped at every poll", ShortReads::Allowed, |limit| {
        Impatient::new(paired(Form::Owned, limit))
    });
}
