//! What nobody sees from outside.

use super::*;

/// Sends all that is pending, as a push does, and says in which block it was.
fn push(outbox: &Outbox, outgoing: &mut WriteBuffer) -> *const u8 {
    let taken = outbox.take(outgoing);
    let (block, count) = (outgoing.chunk().as_ptr(), outgoing.remaining());
    outgoing.advance(count);
    outbox.wrote(count);
    let taken = outbox.flushed(taken.written + count as u64, outgoing);
    assert!(!taken.must_flush && outgoing.is_empty());
    // Who pushes what was pushed already changes nothing.
    let _ = outbox.take(outgoing);
    block
}

#[test]
fn one_block_serves_burst_after_burst() {
    let outbox = Outbox::new(Watermarks::default(), None, true);
    let mut outgoing = WriteBuffer::new();
    let mut burst = || {
        let next = outbox.accept(1000, |queue| queue.push(&[0; 1000])).unwrap();
        assert!(!matches!(next, Next::Wake(_)));
        push(&outbox, &mut outgoing)
    };
    let first = burst();
    assert!((0..10).all(|_| burst() == first));
}
