//! CPython's recorded runs against `ReadBuffer`, every field of every step equal.

use highwater_testing::Form;
use highwater_tests::conformance::{Compared, ShortReads, recorded, replay_all};
use highwater_tests::model::ModelSubject;
use highwater_tests::read_buffer::{Arrival, BufferSubject};
use highwater_tests::subject::Impatient;

#[test]
fn the_recording_is_all_there() {
    assert_eq!(recorded(), Compared { runs: 1260, steps: 10_483, reads: 6295 });
}

#[test]
fn r2_read_buffer_replays_what_cpython_did() {
    for form in Form::ALL {
        let name = format!("ReadBuffer, {form:?} reads");
        replay_all(&name, ShortReads::Refused, |limit| BufferSubject::new(form, Arrival::Fed, limit));
    }
}

#[test]
fn r2_bytes_that_arrive_in_spare_room_change_nothing() {
    replay_all("ReadBuffer, through spare room", ShortReads::Refused, |limit| {
        BufferSubject::new(Form::Owned, Arrival::Spare, limit)
    });
}

#[test]
fn r3_reads_dropped_at_every_poll_end_as_if_they_had_waited() {
    replay_all("ReadBuffer, reads dropped at every poll", ShortReads::Refused, |limit| {
        Impatient::new(BufferSubject::new(Form::Owned, Arrival::Fed, limit))
    });
}

#[test]
fn r2_the_model_does_what_cpython_did() {
    replay_all("the model", ShortReads::Refused, ModelSubject::new);
}
