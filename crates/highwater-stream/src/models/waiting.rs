//! `drain` and `flush`: that they end, not too early, and never well when bytes were thrown away.

use super::{Wire, block_on, give_up, model, pair, start_flusher};
use loom::thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A drain above the high mark ends when the queue is down to the low one, and not before.
#[test]
fn w4_a_drain_ends_at_the_low_mark() {
    model(|| {
        let wire = Wire::with_room(1);
        let (_reader, writer) = pair(&wire);
        let flusher = start_flusher(&writer);
        let peer = wire.clone();
        let peer = thread::spawn(move || peer.make_room(2));
        writer.write("abc").unwrap();
        block_on(writer.drain()).unwrap();
        assert_eq!((writer.queued(), wire.taken().len()), (0, 3));
        peer.join().unwrap();
        writer.close();
        flusher.join().unwrap();
    });
}

/// Without a flusher, the waiters do its work, and the wake-up that one of them has had when it gives up
/// reaches the other.
#[test]
fn w4_a_drain_that_is_given_up_takes_no_wake_up_along() {
    model(|| {
        let wire = Wire::with_room(0);
        let (_reader, writer) = pair(&wire);
        writer.write("abc").unwrap();
        let other = writer.clone();
        let second = thread::spawn(move || give_up(other.drain()));
        let peer = wire.clone();
        let peer = thread::spawn(move || peer.make_room(3));
        block_on(writer.drain()).unwrap();
        assert_eq!(writer.queued(), 0);
        second.join().unwrap();
        peer.join().unwrap();
    });
}

/// The wire takes nothing, so that only the abort can end the drain, and that is not well.
#[test]
fn w4_a_drain_that_waits_tells_of_an_abort() {
    model(|| {
        let wire = Wire::with_room(0);
        let (_reader, writer) = pair(&wire);
        let flusher = start_flusher(&writer);
        writer.write("abc").unwrap();
        let other = writer.clone();
        let second = thread::spawn(move || other.abort());
        block_on(writer.drain()).unwrap_err();
        second.join().unwrap();
        flusher.join().unwrap();
        assert_eq!(block_on(writer.wait_closed()).unwrap_err().unsent(), 3);
    });
}

/// Below the marks a drain looks at one flag, without the lock: whoever knows of a loss finds it told there.
#[test]
fn w4_a_drain_that_need_not_wait_tells_of_a_loss_that_is_known() {
    model(|| {
        let wire = Wire::with_room(0);
        let (_reader, writer) = pair(&wire);
        writer.write("a").unwrap();
        let is_known = Arc::new(AtomicBool::new(false));
        let (other, told) = (writer.clone(), Arc::clone(&is_known));
        let second = thread::spawn(move || {
            other.abort();
            told.store(true, Ordering::Release);
        });
        let by_flag = is_known.load(Ordering::Acquire);
        let by_asking = writer.is_closing();
        let drained = block_on(writer.drain());
        assert!(drained.is_err() || !(by_flag || by_asking));
        second.join().unwrap();
        block_on(writer.drain()).unwrap_err();
    });
}

/// The same where it is the transport that fails, in the flusher's hands.
#[test]
fn w9_a_failure_is_told_by_all_that_comes_after() {
    model(|| {
        let wire = Wire::with_room(0);
        let (_reader, writer) = pair(&wire);
        let flusher = start_flusher(&writer);
        writer.write("a").unwrap();
        wire.fail();
        if writer.write("b").is_err() {
            block_on(writer.drain()).unwrap_err();
        }
        block_on(writer.flush()).unwrap_err();
        writer.write("c").unwrap_err();
        block_on(writer.drain()).unwrap_err();
        writer.close();
        flusher.join().unwrap();
        assert!(block_on(writer.wait_closed()).unwrap_err().unsent() >= 1);
    });
}

/// Each flush covers what was queued before it, whoever sends it.
#[test]
fn w5_a_flush_covers_what_was_queued_before_it() {
    model(|| {
        let wire = Wire::with_room(1);
        let (_reader, writer) = pair(&wire);
        let flusher = start_flusher(&writer);
        let (other, peer) = (writer.clone(), wire.clone());
        let second = thread::spawn(move || {
            other.write("b").unwrap();
            peer.make_room(1);
            block_on(other.flush()).unwrap();
            assert!(peer.flushed() >= 1 && peer.taken().contains(&b'b'));
        });
        writer.write("a").unwrap();
        block_on(writer.flush()).unwrap();
        let at = wire.taken().iter().position(|byte| *byte == b'a').expect("it was sent");
        assert!(wire.flushed() > at);
        second.join().unwrap();
        writer.close();
        flusher.join().unwrap();
    });
}
