//! `close` and `abort` beside whoever is in the transport: one of them ends it, nobody waits for it in vain, and
//! everybody is told the same.

use super::{Wire, block_on, model, pair, start_flusher};
use crate::{CloseError, Pair};
use loom::thread;
use std::sync::Arc;

/// A close finds the transport in use, and leaves itself to the user: nothing comes after that would see to it.
#[test]
fn w7_a_close_is_acted_on_by_whoever_uses_the_transport() {
    model(|| {
        let wire = Wire::with_room(9);
        let (_reader, writer) = pair(&wire);
        writer.write("a").unwrap();
        let connection = Arc::clone(writer.connection());
        let second = thread::spawn(move || {
            connection.push();
        });
        writer.close();
        second.join().unwrap();
        assert!(writer.connection().outbox.is_over());
        assert_eq!((wire.taken(), wire.is_shut()), (b"a".to_vec(), true));
    });
}

/// An abort, too, and it drops what is queued.
#[test]
fn w8_an_abort_is_acted_on_by_whoever_uses_the_transport() {
    model(|| {
        let wire = Wire::with_room(1);
        let (_reader, writer) = pair(&wire);
        writer.write("abc").unwrap();
        let connection = Arc::clone(writer.connection());
        let second = thread::spawn(move || {
            connection.push();
        });
        writer.abort();
        second.join().unwrap();
        assert!(writer.connection().outbox.is_over());
        let error = block_on(writer.wait_closed()).unwrap_err();
        assert_eq!(error.unsent() as usize + wire.taken().len(), 3);
    });
}

/// A close and an abort at once, and a flusher: whichever was first, both are told the same, and what was not
/// taken is counted.
#[test]
fn w8_a_close_and_an_abort_tell_the_same() {
    model(|| {
        let wire = Wire::with_room(9);
        let (_reader, writer) = pair(&wire);
        let flusher = start_flusher(&writer);
        writer.write("a").unwrap();
        let other = writer.clone();
        let second = thread::spawn(move || {
            other.abort();
            block_on(other.wait_closed())
        });
        writer.close();
        let told = block_on(writer.wait_closed());
        let told_other = second.join().unwrap();
        flusher.join().unwrap();
        let unsent =
            |told: &Result<(), CloseError>| told.as_ref().map_or_else(|error| error.unsent(), |()| 0);
        assert_eq!((told.is_ok(), unsent(&told)), (told_other.is_ok(), unsent(&told_other)));
        assert_eq!(unsent(&told) as usize + wire.taken().len(), 1);
    });
}

/// A read that has found nothing, and is about to wait, is woken: by the close, for the linger may take its time,
/// and the flusher's turn may come late.
#[test]
fn w7_a_close_wakes_a_read_that_is_about_to_wait() {
    model(|| {
        let wire = Wire::with_room(9);
        let (mut reader, writer) = Pair::new(wire).split();
        let _its_turn_never_comes = writer.connection().outbox.rouse_flusher();
        let second = thread::spawn(move || writer.close());
        assert_eq!(block_on(reader.read(1)).unwrap(), "");
        second.join().unwrap();
    });
}

/// With an error, if it was an abort.
#[test]
fn w8_an_abort_wakes_a_read_that_is_about_to_wait() {
    model(|| {
        let wire = Wire::with_room(9);
        let (mut reader, writer) = pair(&wire);
        let second = thread::spawn(move || writer.abort());
        block_on(reader.read(1)).unwrap_err();
        second.join().unwrap();
    });
}
