//! What was accepted is sent: with a flusher that has just gone idle, without one, and when it goes.

use super::{Wire, Writer, block_on, model, pair, start_attendant, start_flusher};
use crate::outbox::Next;
use crate::{CloseError, Pair};
use loom::thread::{self, JoinHandle};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// No lost wake-up: nothing but the write itself rouses whoever sends.
fn a_write_reaches_who_goes_idle(start: fn(&Writer) -> JoinHandle<()>) {
    model(move || {
        let wire = Wire::with_room(9);
        let (_reader, writer) = pair(&wire);
        let sending = start(&writer);
        writer.write("a").unwrap();
        block_on(wire.arrived(1));
        writer.write("b").unwrap();
        block_on(wire.arrived(2));
        assert_eq!(wire.taken(), b"ab");
        writer.close();
        sending.join().unwrap();
    });
}

#[test]
fn w2_a_write_reaches_a_flusher_that_goes_idle() {
    a_write_reaches_who_goes_idle(start_flusher);
}

/// The same where the flusher is a part of another task, which others need not wake while it is polled.
#[test]
fn w2_a_write_reaches_a_task_that_attends() {
    a_write_reaches_who_goes_idle(start_attendant);
}

/// Two bursts from two threads, and nobody calls anything after.
#[test]
fn w2_writes_of_two_threads_are_sent() {
    model(|| {
        let wire = Wire::with_room(9);
        let (_reader, writer) = pair(&wire);
        let flusher = start_flusher(&writer);
        let other = writer.clone();
        let second = thread::spawn(move || other.write("b").unwrap());
        writer.write("a").unwrap();
        block_on(wire.arrived(2));
        second.join().unwrap();
        writer.close();
        flusher.join().unwrap();
    });
}

/// Whoever drops the last writer, and wherever the flusher is: everything arrives, and then our end.
#[test]
fn w2_the_last_writer_leaves_no_byte_behind() {
    model(|| {
        let wire = Wire::with_room(9);
        let (reader, writer) = pair(&wire);
        drop(reader);
        let flusher = start_flusher(&writer);
        let other = writer.clone();
        let second = thread::spawn(move || {
            other.write("b").unwrap();
            drop(other);
        });
        writer.write("a").unwrap();
        drop(writer);
        second.join().unwrap();
        flusher.join().unwrap();
        assert_eq!((wire.taken().len(), wire.flushed(), wire.is_shut()), (2, 2, true));
    });
}

/// Outside of a runtime, the last drop pushes.
#[test]
fn w2_without_a_flusher_the_last_drop_delivers() {
    model(|| {
        let wire = Wire::with_room(9);
        let (reader, writer) = pair(&wire);
        drop(reader);
        let other = writer.clone();
        let second = thread::spawn(move || {
            other.write("b").unwrap();
            drop(other);
        });
        writer.write("a").unwrap();
        drop(writer);
        second.join().unwrap();
        assert_eq!((wire.taken().len(), wire.flushed(), wire.is_shut()), (2, 2, true));
    });
}

/// A runtime drops its flusher while others write and go: what they wrote leaves by one of them.
#[test]
fn w2_a_flusher_that_is_dropped_leaves_no_byte_behind() {
    model(|| {
        let wire = Wire::with_room(9);
        let (reader, writer) = pair(&wire);
        drop(reader);
        let runtime = drop_flusher(&writer);
        writer.write("a").unwrap();
        drop(writer);
        runtime.join().unwrap();
        assert_eq!((wire.taken(), wire.flushed(), wire.is_shut()), (b"a".to_vec(), 1, true));
    });
}

/// The same where the transport takes only a part: somebody tells of the rest.
#[test]
fn w2_a_flusher_that_is_dropped_loses_nothing_in_silence() {
    model(|| {
        let wire = Wire::with_room(1);
        let untold = Arc::new(AtomicU64::new(2));
        let told = Arc::clone(&untold);
        let hook = move |error: &CloseError, (): &()| told.store(2 - error.unsent(), Ordering::Relaxed);
        let (reader, writer) = Pair::new(wire.clone()).on_unsent(hook).split();
        drop(reader);
        let runtime = drop_flusher(&writer);
        writer.write("abc").unwrap();
        drop(writer);
        runtime.join().unwrap();
        assert_eq!((wire.taken(), untold.load(Ordering::Relaxed)), (b"a".to_vec(), 0));
    });
}

/// A thread that drops the flusher, as a runtime does when it ends.
fn drop_flusher(writer: &Writer) -> JoinHandle<()> {
    let connection = Arc::clone(writer.connection());
    assert!(matches!(connection.outbox.rouse_flusher(), Next::StartFlusher));
    thread::spawn(move || connection.last_push())
}
