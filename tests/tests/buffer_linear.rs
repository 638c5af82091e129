//! R8: every byte is searched once, however the bytes arrive.

use bytes::Bytes;
use highwater_buffer::{FrameError, ReadBuffer, Separators, Verdict};
use highwater_tests::property_cases;
use highwater_tests::read_buffer::fill;
use highwater_tests::report;
use highwater_tests::subject::separators;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

const MIB: usize = 1024 * 1024;

/// What R8 allows: each byte that arrived, and for each arrival the longest separator less one.
fn allowed(received: usize, arrivals: usize, separators: &Separators) -> u64 {
    (received + arrivals * (separators.longest() - 1)) as u64
}

#[test]
fn r8_a_record_that_comes_byte_by_byte_is_searched_once() {
    for set in [&["\n"][..], &["\r\n"], &["--a-long-boundary--"], &["\r\n", "\n\n", "\0", "--end--"]] {
        let set = separators(set);
        let mut buffer = ReadBuffer::with_limit(2 * MIB);
        // Bytes that look like the beginning of each separator, and its end.
        for (received, byte) in b"\r-".iter().cycle().take(MIB).enumerate() {
            assert_eq!(buffer.find_until(&set, 2 * MIB), Ok(Verdict::NeedMore));
            let searched = buffer.bytes_searched();
            assert!(searched <= allowed(received, received, &set), "{searched} of {received} for {set:?}");
            buffer.feed(&[*byte]);
        }
    }
}

#[test]
fn r8_a_record_that_comes_byte_by_byte_through_spare_room_is_searched_once() {
    let set = separators(&["\r\n"]);
    let mut buffer = ReadBuffer::with_limit(2 * MIB);
    for received in 0..MIB {
        assert_eq!(buffer.read_until_ref(&set), Ok(Verdict::NeedMore));
        let searched = buffer.bytes_searched();
        assert!(searched <= allowed(received, received, &set), "{searched} of {received} bytes searched");
        fill(&mut buffer, b"\r");
    }
    fill(&mut buffer, b"\n");
    assert_eq!(buffer.find_until(&set, 2 * MIB), Ok(Verdict::Ready(MIB + 1)));
    let searched = buffer.bytes_searched();
    assert!(searched <= allowed(MIB + 1, MIB + 1, &set), "{searched} bytes searched");
    report(&format!("linear: {searched} bytes searched of {} that came one by one", MIB + 1));
}

#[test]
fn r8_asking_again_searches_nothing_again() {
    let set = separators(&["\r\n", "--end--"]);
    let mut buffer = ReadBuffer::new();
    buffer.feed(&[b'-'; 50_000]);
    assert_eq!(buffer.read_until(&set), Ok(Verdict::NeedMore));
    assert_eq!(buffer.bytes_searched(), 50_000);
    for _ in 0..100 {
        assert_eq!(buffer.read_until(&set), Ok(Verdict::NeedMore));
        assert_eq!(buffer.find_until(&set, 60_000), Ok(Verdict::NeedMore));
    }
    assert_eq!(buffer.bytes_searched(), 50_000, "a read that was given up is taken up where it stopped");
}

#[test]
fn r8_reads_that_do_not_search_leave_the_search_where_it_is() {
    let mut buffer = ReadBuffer::new();
    for _ in 0..1000 {
        buffer.feed(b"0123456789");
        assert_eq!(buffer.read_line_ref(), Ok(Verdict::NeedMore));
        assert!(matches!(buffer.peek(5), Verdict::Ready(_)));
        assert_eq!(buffer.read_exactly_ref(1_000_000), Ok(Verdict::NeedMore));
        assert_eq!(buffer.read_to_end(1_000_000), Ok(Verdict::NeedMore));
        assert!(matches!(buffer.read(3), Verdict::Ready(_)));
    }
    assert_eq!(buffer.bytes_searched(), 10_000);
}

#[test]
fn r8_an_overrun_is_found_again_without_a_search() {
    let set = separators(&["--end--", "\n"]);
    for text in ["0123456789\n", "0123456789abcdefghij"] {
        let mut buffer = ReadBuffer::with_limit(8);
        buffer.feed(text.as_bytes());
        assert!(matches!(buffer.read_until(&set), Err(FrameError::LimitOverrun(_))));
        let searched = buffer.bytes_searched();
        for limit in [8, 4, 8] {
            assert!(buffer.find_until(&set, limit).is_err());
        }
        assert!(buffer.bytes_searched() <= searched + 3, "{text:?}: a byte each at most");
    }
}

#[test]
fn r8_separators_that_take_turns_look_ahead_no_further_than_64_bytes() {
    let colon = Separators::one(b":").unwrap();
    let mut buffer = ReadBuffer::new();
    buffer.feed(&b"k:v\n".repeat(1000));
    for _ in 0..1000 {
        buffer.read_until_ref(&colon).unwrap().ready().unwrap();
        buffer.read_line_ref().unwrap().ready().unwrap();
    }
    assert!(buffer.bytes_searched() <= 2 * 1000 * 64, "{}", buffer.bytes_searched());
}

#[test]
fn r8_a_skip_that_comes_byte_by_byte_is_searched_once() {
    for set in [&["\n"][..], &["--a-long-boundary--"], &["\r\n", "--end--"]] {
        let set = separators(set);
        let mut buffer = ReadBuffer::new();
        for (received, byte) in b"\r-".iter().cycle().take(100_000).enumerate() {
            assert_eq!(buffer.skip_until(&set), Ok(Verdict::NeedMore));
            let searched = buffer.bytes_searched();
            assert!(searched <= allowed(received, received, &set), "{searched} of {received} for {set:?}");
            fill(&mut buffer, &[*byte]);
        }
    }
}

/// Which of the searches looks at what has arrived.
#[derive(Clone, Copy, Debug)]
enum Search {
    Owned,
    Borrowed,
    Found(usize),
    GivenUp,
}

fn sets() -> impl Strategy<Value = Vec<Bytes>> {
    let separator = vec(select(&b"ab\n"[..]), 1..=5).prop_map(Bytes::from);
    vec(separator, 1..=5)
}

fn arrivals() -> impl Strategy<Value = Vec<(Vec<u8>, Search)>> {
    let size = prop_oneof![6 => Just(1_usize), 2 => 0..5_usize, 1 => 0..100_usize];
    let part = size.prop_flat_map(|size| vec(select(&b"aaaabxxxx\n"[..]), size));
    let search = prop_oneof![
        2 => Just(Search::Owned),
        2 => Just(Search::Borrowed),
        2 => (0..300_usize).prop_map(Search::Found),
        1 => Just(Search::GivenUp),
    ];
    vec((part, search), 1..200)
}

/// Takes every frame that is there, until a search ends otherwise.
fn take_frames(buffer: &mut ReadBuffer, set: &Separators, search: Search) {
    loop {
        let found = match search {
            Search::Owned => buffer.read_until(set).map(|verdict| verdict.map(|frame| frame.len())),
            Search::Borrowed => buffer.read_until_ref(set).map(|verdict| verdict.map(<[u8]>::len)),
            Search::Found(limit) => buffer.find_until(set, limit),
            Search::GivenUp => return,
        };
        match found {
            Ok(Verdict::Ready(length)) if matches!(search, Search::Found(_)) => {
                buffer.take_ref(length);
            }
            Ok(Verdict::Ready(_)) => {}
            Ok(Verdict::NeedMore) | Err(_) => return,
        }
    }
}

proptest! {
    #![proptest_config(property_cases(256))]

    #[test]
    fn r8_model_each_byte_is_searched_once_however_it_arrives(set in sets(), arrivals in arrivals()) {
        let set = separators(&set);
        let mut buffer = ReadBuffer::with_limit(200);
        let mut received = 0;
        for (count, (part, search)) in arrivals.iter().enumerate() {
            buffer.feed(part);
            received += part.len();
            take_frames(&mut buffer, &set, *search);
            let searched = buffer.bytes_searched();
            let most = allowed(received, count + 1, &set);
            prop_assert!(searched <= most, "{searched} of {most} bytes searched for {set:?}");
        }
    }

    #[test]
    fn r8_model_a_skip_searches_each_byte_once(set in sets(), arrivals in arrivals()) {
        let set = separators(&set);
        let mut buffer = ReadBuffer::new();
        let mut received = 0;
        for (count, (part, _)) in arrivals.iter().enumerate() {
            fill(&mut buffer, part);
            received += part.len();
            while let Ok(Verdict::Ready(skipped)) = buffer.skip_until(&set) {
                prop_assert!(skipped > 0, "a separator was discarded");
            }
            prop_assert!(buffer.bytes_searched() <= allowed(received, count + 1, &set));
        }
    }
}
