//! R1: memory grows with what has arrived, up to what the read may need, and goes when it is not needed.

use bytes::BufMut;
use highwater_buffer::{LARGEST_FILL, ReadBuffer, Separators, Verdict};
use highwater_tests::property_cases;
use highwater_tests::read_buffer::{fill, fill_once};
use highwater_tests::subject::separators;
use proptest::collection::vec;
use proptest::prelude::*;

const MIB: usize = 1024 * 1024;

/// Lets one fill arrive, of `share` thousandths of the room it gets, and asserts that no more than 1 MiB,
/// or as much as is there, and one fill were reserved for it.
fn fill_share(buffer: &mut ReadBuffer, share: usize) -> usize {
    let (before, there) = (buffer.allocated(), buffer.buffered());
    let room = buffer.spare().remaining_mut();
    let after = buffer.allocated();
    assert!(
        after <= before || after <= there + there.max(MIB) + LARGEST_FILL,
        "{after} bytes were reserved when {there} were there",
    );
    let count = (room * share / 1000).max(1);
    fill_once(buffer, &vec![b'x'; count]);
    count
}

#[test]
fn r1_nothing_is_held_before_anything_arrives() {
    let mut buffer = ReadBuffer::new();
    assert_eq!(buffer.read_line(), Ok(Verdict::NeedMore));
    assert_eq!(buffer.allocated(), 0);
}

#[test]
fn r1_fills_begin_small_and_grow_while_they_are_used_whole() {
    let mut buffer = ReadBuffer::new();
    let first = buffer.spare().remaining_mut();
    assert!(first <= 4096 && buffer.allocated() <= 4096, "{first} bytes at first");
    for _ in 0..100 {
        fill_share(&mut buffer, 500);
        buffer.take_ref(buffer.buffered());
    }
    assert!(buffer.allocated() <= 4096, "half a fill is no reason to grow");

    for _ in 0..10 {
        fill_share(&mut buffer, 1000);
        buffer.take_ref(buffer.buffered());
    }
    assert_eq!(buffer.spare().remaining_mut(), LARGEST_FILL);
}

#[test]
fn r1_fills_grow_also_where_every_one_is_taken_with_its_block() {
    let mut buffer = ReadBuffer::new();
    for _ in 0..10 {
        fill_share(&mut buffer, 1000);
        assert!(buffer.read(usize::MAX).ready().is_some_and(|bytes| bytes.len() >= 4096));
    }
    assert_eq!(buffer.spare().remaining_mut(), LARGEST_FILL);
}

#[test]
fn r1_what_has_come_of_an_exact_read_is_not_moved_for_its_last_bytes() {
    let mut buffer = ReadBuffer::new();
    fill_share(&mut buffer, 1000);
    buffer.take_ref(4); // a length, in front of what it speaks of
    let n = 500_000;
    assert_eq!(buffer.read_exactly_ref(n), Ok(Verdict::NeedMore));
    fill_share(&mut buffer, 500);
    let (begins, holds) = (buffer.unread_bytes().as_ptr(), buffer.allocated());
    while buffer.find_exactly(n) == Ok(Verdict::NeedMore) {
        fill_share(&mut buffer, 500);
    }
    assert_eq!((buffer.unread_bytes().as_ptr(), buffer.allocated()), (begins, holds));
}

#[test]
fn r1_an_announced_length_reserves_a_mebibyte_at_most() {
    let announced = u32::MAX as usize;
    let mut buffer = ReadBuffer::new();
    assert_eq!(buffer.find_exactly(announced), Ok(Verdict::NeedMore));
    fill(&mut buffer, b"ten bytes!");
    for _ in 0..3 {
        assert_eq!(buffer.find_exactly(announced), Ok(Verdict::NeedMore));
        drop(buffer.spare());
    }
    assert!(buffer.allocated() <= MIB + LARGEST_FILL, "{} bytes for ten", buffer.allocated());
}

#[test]
fn r1_an_announced_length_reserves_no_more_than_has_arrived() {
    for share in [1000, 999, 900, 700, 500, 300, 70] {
        let mut buffer = ReadBuffer::new();
        while buffer.buffered() < 6 * MIB {
            assert_eq!(buffer.find_exactly(u32::MAX as usize), Ok(Verdict::NeedMore));
            fill_share(&mut buffer, share);
        }
    }
}

/// Lets bytes arrive while a read needs more, and asserts that neither they nor the memory pass `most`.
fn pull(buffer: &mut ReadBuffer, share: usize, most: usize, needs_more: impl Fn(&mut ReadBuffer) -> bool) {
    let mut arrived = 0;
    while needs_more(buffer) {
        arrived += fill_share(buffer, share);
        let held = buffer.allocated();
        assert!(held <= most, "{held} bytes are held, not {most}, with {share} thousandths of a fill");
        assert!(arrived <= most, "{arrived} bytes were pulled, not {most}");
    }
}

#[test]
fn r1_an_exact_read_holds_its_length_and_a_fill() {
    for n in [1, 4095, 100_000, MIB, 3 * MIB + 1] {
        for share in [1000, 600, 50] {
            let mut buffer = ReadBuffer::new();
            pull(&mut buffer, share, n + LARGEST_FILL, |buffer| {
                buffer.find_exactly(n) == Ok(Verdict::NeedMore)
            });
            assert!(buffer.buffered() >= n);
        }
    }
}

#[test]
fn r1_a_line_without_end_holds_the_limit_the_separator_and_a_fill() {
    let set = separators(&["\n", "--boundary--"]);
    for limit in [0, 10, 65_536, 300_001] {
        for share in [1000, 600, 50] {
            let mut buffer = ReadBuffer::with_limit(limit);
            pull(&mut buffer, share, limit + 12 + LARGEST_FILL, |buffer| {
                buffer.read_until(&set) == Ok(Verdict::NeedMore)
            });
            assert!(buffer.read_until(&set).is_err(), "the limit was met");
        }
    }
}

#[test]
fn r1_read_to_end_holds_its_bound_and_a_fill() {
    for max in [0, 10, 65_536, 300_001] {
        for share in [1000, 600, 50] {
            let mut buffer = ReadBuffer::new();
            pull(&mut buffer, share, max + 1 + LARGEST_FILL, |buffer| {
                buffer.read_to_end(max) == Ok(Verdict::NeedMore)
            });
            assert!(buffer.read_to_end(max).is_err(), "the bound was met");
        }
    }
}

#[test]
fn r1_a_skip_holds_a_separator_and_a_fill() {
    let set = separators(&["--boundary--"]);
    let mut buffer = ReadBuffer::new();
    let mut arrived = 0;
    while arrived < 10 * MIB {
        assert_eq!(buffer.skip_until(&set), Ok(Verdict::NeedMore));
        assert!(buffer.buffered() < set.longest(), "only what may become a separator stays");
        arrived += fill_share(&mut buffer, 1000);
        let held = buffer.allocated();
        assert!(held <= 2 * (set.longest() + LARGEST_FILL), "{held} bytes for a skip");
    }
}

#[test]
fn r1_an_idle_buffer_gives_everything_back() {
    let mut buffer = ReadBuffer::new();
    fill(&mut buffer, &[b'x'; 100_000]);
    buffer.take_ref(99_999);
    buffer.release();
    assert_eq!(buffer.unread_bytes(), b"x", "what is unread stays");
    buffer.take_ref(1);
    buffer.release();
    assert_eq!(buffer.allocated(), 0);
    fill(&mut buffer, b"again\n");
    assert_eq!(buffer.read_line(), Ok(Verdict::Ready(Some("again\n".into()))));
}

#[test]
fn r1_a_block_that_was_needed_once_is_not_kept_for_small_reads() {
    let mut buffer = ReadBuffer::new();
    fill(&mut buffer, &vec![b'x'; 4 * MIB]);
    buffer.take_ref(4 * MIB);
    for line in [&b"a first line may still find it\n"[..], b"a second does not\n"] {
        assert_eq!(buffer.read_line_ref(), Ok(Verdict::NeedMore));
        fill_once(&mut buffer, line);
        assert_eq!(buffer.read_line_ref(), Ok(Verdict::Ready(Some(line))));
    }
    assert!(buffer.allocated() <= 4 * LARGEST_FILL, "{} bytes for a line", buffer.allocated());
}

#[test]
fn r1_a_length_in_front_of_each_long_frame_does_not_give_its_block_away() {
    let mut buffer = ReadBuffer::new();
    let mut allocated = Vec::new();
    for _ in 0..4 {
        assert_eq!(buffer.read_exactly_ref(4), Ok(Verdict::NeedMore));
        fill_once(&mut buffer, &u32::to_be_bytes(MIB as u32));
        allocated.push(buffer.allocated());
        buffer.take_ref(4);
        while buffer.find_exactly(MIB) == Ok(Verdict::NeedMore) {
            let missing = MIB - buffer.buffered();
            let count = buffer.spare().remaining_mut().min(missing);
            fill_once(&mut buffer, &vec![b'x'; count]);
        }
        buffer.take_ref(MIB);
    }
    assert!(allocated[1..].iter().all(|held| *held >= MIB), "{allocated:?} bytes when lengths came");
}

#[test]
fn r1_a_long_frame_behind_its_length_is_not_moved_and_takes_no_more_than_both() {
    let mut buffer = ReadBuffer::new();
    let mut blocks = Vec::new();
    for _ in 0..4 {
        let mut left = [&u32::to_be_bytes(MIB as u32)[..], &vec![b'x'; MIB]].concat();
        while buffer.find_exactly(4) == Ok(Verdict::NeedMore) {
            fill_from(&mut buffer, &mut left);
        }
        buffer.take_ref(4);
        while buffer.find_exactly(MIB) == Ok(Verdict::NeedMore) {
            fill_from(&mut buffer, &mut left);
        }
        blocks.push((buffer.unread_bytes().as_ptr(), buffer.allocated()));
        buffer.take_ref(MIB);
    }
    assert!(blocks.iter().skip(1).all(|block| *block == (blocks[1].0, 4 + MIB)), "{blocks:?}");
}

/// What stands in front stays there only if it is short.
#[test]
fn r1_a_long_frame_behind_much_that_was_consumed_takes_no_more_than_itself() {
    let mut buffer = ReadBuffer::new();
    fill(&mut buffer, &vec![b'x'; MIB / 2]);
    buffer.take_ref(MIB / 5);
    assert_eq!(buffer.find_exactly(MIB), Ok(Verdict::NeedMore));
    fill_once(&mut buffer, b"x");
    assert!(buffer.allocated() <= MIB + LARGEST_FILL, "{} bytes for a frame of 1 MiB", buffer.allocated());
}

/// As much as one fill takes of it.
fn fill_from(buffer: &mut ReadBuffer, left: &mut Vec<u8>) {
    let count = buffer.spare().remaining_mut().min(left.len());
    let rest = left.split_off(count);
    fill_once(buffer, &std::mem::replace(left, rest));
}

#[test]
fn r1_one_byte_does_not_keep_the_block_of_a_long_frame_for_who_waits() {
    let mut buffer = ReadBuffer::new();
    fill(&mut buffer, &vec![b'x'; 4 * MIB]);
    buffer.take_ref(4 * MIB - 1);
    assert_eq!(buffer.read_exactly_ref(4), Ok(Verdict::NeedMore));
    buffer.release();
    assert!(buffer.allocated() <= 4 * LARGEST_FILL, "{} bytes for four", buffer.allocated());
    fill_once(&mut buffer, b"123");
    assert_eq!(buffer.read_exactly_ref(4), Ok(Verdict::Ready(&b"x123"[..])));
}

#[test]
fn r1_who_waits_for_the_rest_of_a_long_frame_keeps_what_was_reserved_for_it() {
    let mut buffer = ReadBuffer::new();
    assert_eq!(buffer.read_exactly_ref(4 * MIB), Ok(Verdict::NeedMore));
    fill_once(&mut buffer, b"its beginning");
    assert_eq!(buffer.read_exactly_ref(4 * MIB), Ok(Verdict::NeedMore));
    let (begins, reserved) = (buffer.unread_bytes().as_ptr(), buffer.allocated());
    buffer.release();
    assert_eq!((buffer.unread_bytes().as_ptr(), buffer.allocated()), (begins, reserved));
}

#[test]
fn r1_a_frame_keeps_no_more_than_twice_its_length() {
    let mut shared = 0;
    for block in (500..1200).chain([65_535, 65_536, 65_537]) {
        for frame in [block / 2 - 1, block / 2, block / 2 + 1, block - 1, block] {
            let mut buffer = ReadBuffer::new();
            buffer.feed(&vec![b'x'; block]);
            let (from, held) = (buffer.unread_bytes().as_ptr(), buffer.allocated());
            let taken = buffer.take(frame);
            if taken.as_ptr() == from {
                shared += 1;
                assert!(held <= 2 * frame, "a frame of {frame} bytes keeps a block of {held}");
            }
            assert_eq!(buffer.buffered(), block - frame);
        }
    }
    assert!(shared > 0, "long frames are shared");
}

#[test]
fn r1_a_short_frame_does_not_keep_its_block() {
    for (block, frame) in [(60_000, 100), (60_000, 29_000), (300, 300)] {
        let mut buffer = ReadBuffer::new();
        buffer.feed(&vec![b'x'; block]);
        let block = buffer.unread_bytes().as_ptr_range();
        let frame = buffer.take(frame);
        assert!(!block.contains(&frame.as_ptr()), "{} bytes are copied", frame.len());
    }
}

#[test]
fn r1_a_large_exact_read_is_handed_over_without_a_copy() {
    let mut buffer = ReadBuffer::new();
    let n = 700_000;
    pull(&mut buffer, 900, n + LARGEST_FILL, |buffer| buffer.find_exactly(n) == Ok(Verdict::NeedMore));
    let from = buffer.unread_bytes().as_ptr();
    let frame = buffer.take(n);
    assert_eq!((frame.len(), frame.as_ptr()), (n, from));
    assert!(buffer.allocated() <= LARGEST_FILL, "the block went with the frame");
}

/// A read that pulls, and how much of its room each fill brings, in thousandths.
#[derive(Clone, Debug)]
enum Pull {
    Exactly(usize),
    ToEnd(usize),
    Until(usize),
    Skip,
}

fn pulls() -> impl Strategy<Value = Vec<(Pull, Vec<usize>)>> {
    let size = prop_oneof![4 => 0..5_000_usize, 2 => 0..200_000_usize, 1 => 0..3 * MIB];
    let pull = prop_oneof![
        2 => size.clone().prop_map(Pull::Exactly),
        1 => size.clone().prop_map(Pull::ToEnd),
        2 => size.prop_map(Pull::Until),
        1 => Just(Pull::Skip),
    ];
    let share = prop_oneof![3 => Just(1000_usize), 1 => 0..1000_usize];
    vec((pull, vec(share, 0..8)), 1..8)
}

/// One step; whether it needs more, and how many bytes it may hold without its fill.
fn step(buffer: &mut ReadBuffer, pull: &Pull) -> (bool, usize) {
    let newline = Separators::newline();
    match *pull {
        Pull::Exactly(n) => (buffer.read_exactly(n) == Ok(Verdict::NeedMore), n),
        Pull::ToEnd(max) => (buffer.read_to_end(max) == Ok(Verdict::NeedMore), max + 1),
        Pull::Until(limit) => (buffer.find_until(newline, limit) == Ok(Verdict::NeedMore), limit + 1),
        Pull::Skip => (buffer.skip_until(newline) == Ok(Verdict::NeedMore), 0),
    }
}

proptest! {
    #![proptest_config(property_cases(64))]

    /// Reads of any kind, one after the other, given up at any point: no more is held than the neediest
    /// of them may hold.
    #[test]
    fn r1_model_memory_stays_within_what_the_reads_may_hold(pulls in pulls()) {
        let mut buffer = ReadBuffer::new();
        let mut most = 0;
        for (pull, shares) in &pulls {
            for share in shares {
                let (needs_more, need) = step(&mut buffer, pull);
                if !needs_more {
                    break;
                }
                most = most.max(need + LARGEST_FILL);
                fill_share(&mut buffer, *share);
                prop_assert!(buffer.allocated() <= most, "{} of {most} for {pull:?}", buffer.allocated());
            }
        }
    }
}
