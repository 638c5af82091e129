//! Decoders of tokio-util on a reader, in mid-stream: whatever the cuts, the cancellations and the switches, no byte
//! is lost and none is seen twice.

use bytes::{Buf, Bytes, BytesMut};
use highwater_stream::{DecodeError, StreamReader};
use highwater_testing::{Cut, Parts, at_every_cut_async, at_every_poll};
use highwater_tests::bounded::{bounded, one_thread, run};
use highwater_tests::report;
use highwater_tests::transport::{Script, Scripted, scripted};
use std::convert::Infallible;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokio::io::AsyncRead;
use tokio_test::{assert_pending, task};
use tokio_util::codec::{BytesCodec, Decoder, LengthDelimitedCodec, LinesCodec, LinesCodecError};

/// `:` and a decimal number, closed by a semicolon, `:12;`; anything else is an error that leaves the bytes alone. It
/// remembers how far it has looked, and takes each to be shown at least that much again.
#[derive(Debug, Default)]
struct Numbers {
    looked: usize,
}

impl Decoder for Numbers {
    type Item = u64;
    type Error = io::Error;

    fn decode(&mut self, window: &mut BytesMut) -> io::Result<Option<u64>> {
        assert!(window.len() >= self.looked, "shown {} bytes, after {}", window.len(), self.looked);
        if window.first().is_some_and(|first| *first != b':') {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no colon"));
        }
        let Some(end) = window[self.looked..].iter().position(|byte| *byte == b';') else {
            self.looked = window.len();
            return Ok(None);
        };
        let digits = window.split_to(self.looked + end + 1);
        self.looked = 0;
        let digits = std::str::from_utf8(&digits[1..digits.len() - 1]).map_err(io::Error::other)?;
        digits.parse().map(Some).map_err(io::Error::other)
    }
}

/// Gives each byte twice, the second time from memory.
#[derive(Debug, Default)]
struct Twice(Option<u8>);

impl Decoder for Twice {
    type Item = u8;
    type Error = io::Error;

    fn decode(&mut self, window: &mut BytesMut) -> io::Result<Option<u8>> {
        if let Some(again) = self.0.take() {
            return Ok(Some(again));
        }
        self.0 = window.first().copied();
        window.advance(self.0.map_or(0, |_| 1));
        Ok(self.0)
    }
}

fn frame(payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap();
    [&length.to_be_bytes(), payload].concat()
}

/// Everything that is told of a stream which speaks four protocols in turn.
async fn four_protocols(reader: &mut StreamReader<impl AsyncRead + Unpin>) -> Vec<String> {
    let (mut frames, mut numbers) = (LengthDelimitedCodec::new(), Numbers::default());
    let mut lines = LinesCodec::new();
    let mut told = vec![format!("{:?}", reader.read_line().await.unwrap())];
    for _ in 0..2 {
        told.push(format!("{:?}", reader.decode(&mut frames).await.unwrap()));
        told.push(format!("{:?}", reader.read_line().await.unwrap()));
        told.push(format!("{:?}", reader.decode(&mut numbers).await.unwrap()));
        told.push(format!("{:?}", reader.decode(&mut lines).await.unwrap()));
    }
    let mut items = reader.decoded(&mut numbers);
    told.push(format!("{:?}", items.next().await.unwrap().unwrap()));
    told.push(format!("{:?}", items.next().await.unwrap().unwrap_err()));
    told.push(format!("{:?}", items.next().await.map(Result::unwrap)));
    drop(items);
    told.push(format!("{:?}", reader.read_exactly(5).await.unwrap()));
    told.push(format!("{:?}", reader.decode(&mut lines).await.unwrap()));
    told.push(format!("{:?}", reader.decode(&mut lines).await.unwrap()));
    told.push(format!("{} {}", reader.at_eof(), reader.buffered()));
    told
}

fn spoken() -> Vec<u8> {
    let turn = |payload: &[u8]| [&frame(payload), &b"a line\n:12;second\r\n"[..]].concat();
    [&b"first\n"[..], &turn(b"hello"), &turn(b""), b":7;exactthe last"].concat()
}

#[test]
fn r2_decoders_and_reads_take_turns_at_every_cut() {
    let told = run(at_every_cut_async(spoken(), async |parts: Parts| {
        four_protocols(&mut StreamReader::new(parts)).await
    }));
    let turn = |frame: &str| {
        [
            format!("Some(b\"{frame}\")"),
            "Some(b\"a line\\n\")".into(),
            "Some(12)".into(),
            "Some(\"second\")".into(),
        ]
    };
    let first = ["Some(b\"first\\n\")".to_owned()];
    let last = ["7", "Decoder(Custom { kind: InvalidData, error: \"no colon\" })", "None", "b\"exact\""];
    let end = ["Some(\"the last\")", "None", "true 0"];
    let rest = last.into_iter().chain(end).map(str::to_owned);
    let expected: Vec<_> = first.into_iter().chain(turn("hello")).chain(turn("")).chain(rest).collect();
    assert_eq!(told, expected);
}

/// Gives a decode up at every poll, and goes on with `after`.
fn given_up(
    bytes: &[u8],
    mut after: impl AsyncFnMut(&mut StreamReader<Parts>, &mut Numbers, Option<u64>),
) -> usize {
    at_every_poll(|polls| {
        let mut reader = StreamReader::new(Cut::ByteByByte.parts(Bytes::copy_from_slice(bytes)));
        let mut numbers = Numbers::default();
        let number = polls.run(reader.decode(&mut numbers), || {}).map(|number| number.unwrap().unwrap());
        assert!(bytes.starts_with(reader.unread_bytes()) || number.is_some());
        assert_eq!(reader.buffered(), reader.unread_bytes().len());
        one_thread().block_on(after(&mut reader, &mut numbers, number));
    })
}

#[test]
fn r3_a_decode_that_is_given_up_loses_nothing() {
    let bytes = b":123456789;the rest";
    let mut gives_up = 0;
    // The same decoder goes on; so it does after a look at what comes.
    for is_peeked in [false, true] {
        gives_up += given_up(bytes, async |reader, numbers, number| {
            if is_peeked {
                assert_eq!(reader.peek(1).await.unwrap().len(), 1);
            }
            let number = match number {
                Some(number) => number,
                None => reader.decode(numbers).await.unwrap().unwrap(),
            };
            assert_eq!(number, 123_456_789);
            assert_eq!(reader.read_to_end(100).await.unwrap(), "the rest");
        });
    }
    // It is given up, and every other kind of read finds the bytes.
    for kind in 0..7 {
        gives_up += given_up(bytes, async |reader, _, number| {
            if number.is_some() {
                return;
            }
            let expected = &bytes[..];
            match kind {
                0 => assert_eq!(reader.read_exactly(bytes.len()).await.unwrap(), expected),
                1 => assert_eq!(reader.read_until(b"rest").await.unwrap(), expected),
                2 => assert_eq!(reader.read_line_ref().await.unwrap(), Some(expected)),
                3 => assert_eq!(reader.lines().next().await.unwrap().unwrap(), expected),
                4 => assert_eq!(reader.skip_until(b";").await.unwrap(), 11),
                5 => {
                    reader.unread(b"before ");
                    assert_eq!(
                        reader.read_until(b";").await.unwrap(),
                        ":123456789;".replace(':', "before :")
                    );
                }
                _ => {
                    let mut all = Vec::new();
                    tokio::io::copy(&mut reader.as_async_read(), &mut all).await.unwrap();
                    assert_eq!(all, expected);
                }
            }
        });
    }
    assert_eq!(gives_up, 9 * 12, "before the first poll, and at each wait for one of 11 bytes");
    report(&format!("codec: {gives_up} decodes given up"));
}

fn over_script() -> (StreamReader<Scripted>, Script) {
    let (transport, script) = scripted();
    (StreamReader::new(transport), script)
}

#[test]
fn r3_the_parts_of_a_reader_hold_what_a_decoder_has_not_used() {
    run(async {
        let (mut reader, script) = over_script();
        script.arrive(":12");
        let mut numbers = Numbers::default();
        assert_pending!(task::spawn(reader.decode(&mut numbers)).poll());
        assert_eq!(reader.unread_bytes(), b":12");
        let (_transport, buffer) = reader.into_parts();
        assert_eq!(buffer.unread_bytes(), b":12");
    });
}

#[test]
fn r3_an_upgrade_is_given_what_a_decoder_has_not_used() {
    run(async {
        let (transport, script) = scripted();
        let (mut reader, writer) = highwater_stream::pair(transport);
        script.arrive(":12");
        assert_pending!(task::spawn(reader.decode(&mut Numbers::default())).poll());
        let upgrade = async |transport: Scripted, ahead: Bytes| {
            assert_eq!(ahead, ":12");
            Ok::<_, Infallible>(transport)
        };
        let (mut reader, _writer) = reader.upgrade(writer, upgrade).await.unwrap();
        assert_eq!(reader.buffered(), 0);
        script.arrive(":3;");
        assert_eq!(reader.decode(&mut Numbers::default()).await.unwrap(), Some(3));
    });
}

#[test]
fn r3_a_fed_reader_gives_what_a_decoder_has_not_used_before_what_was_fed_since() {
    run(async {
        let (mut reader, feeder) = StreamReader::detached();
        feeder.feed(b":12").unwrap();
        assert_pending!(task::spawn(reader.decode(&mut Numbers::default())).poll());
        feeder.feed(b"34").unwrap();
        assert_eq!(reader.buffered(), 5);
        assert_eq!(reader.read(100).await.unwrap(), ":1234");
    });
}

#[test]
fn r4_what_is_buffered_is_decoded_before_an_error_is_told() {
    run(async {
        let (mut reader, script) = over_script();
        script.arrive(":1;:2;:3");
        script.arrive_error(io::ErrorKind::ConnectionReset.into());
        let mut numbers = Numbers::default();
        let mut items = reader.decoded(&mut numbers);
        assert_eq!(items.next().await.unwrap().unwrap(), 1);
        assert_eq!(items.next().await.unwrap().unwrap(), 2);
        match items.next().await.unwrap() {
            Err(DecodeError::Transport(error)) => assert_eq!(error.kind(), io::ErrorKind::ConnectionReset),
            other => panic!("{other:?}"),
        }
        assert!(items.next().await.is_none());
        drop(items);
        assert_eq!(reader.read(100).await.unwrap(), ":3");
        assert!(matches!(reader.decode(&mut BytesCodec::new()).await, Err(DecodeError::Transport(_))));
    });
}

#[test]
fn r4_the_end_is_judged_by_the_decoder_and_what_it_leaves_stays() {
    run(async {
        let mut reader = StreamReader::new(&b":1;:2"[..]);
        let mut numbers = Numbers::default();
        assert_eq!(reader.decode(&mut numbers).await.unwrap(), Some(1));
        let error = reader.decode(&mut numbers).await.unwrap_err();
        assert!(matches!(error, DecodeError::Decoder(_)));
        let error = io::Error::from(error);
        assert_eq!(
            (error.kind(), error.to_string()),
            (io::ErrorKind::InvalidData, "bytes remaining on stream".into())
        );
        assert!(!reader.at_eof());
        assert_eq!(reader.read_line().await.unwrap().unwrap(), ":2");
        assert!(reader.at_eof());
    });
}

/// What a decoder of lines makes of a line of `length` bytes, newline included, under a limit of 1,000.
fn within_the_limit(length: usize, mut after: impl AsyncFnMut(&mut StreamReader<Parts>) -> String) -> String {
    let line = format!("{}\nnext\n", "x".repeat(length - 1));
    let cuts = [Cut::Ahead, Cut::Whole, Cut::ByteByByte, Cut::At(999), Cut::At(1000), Cut::At(1001)];
    let outcomes = cuts.map(|cut| {
        let mut reader = StreamReader::with_limit(cut.parts(line.clone()), 1000);
        one_thread().block_on(after(&mut reader))
    });
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    outcomes[0].clone()
}

#[test]
fn r5_an_item_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
    let decode = async |reader: &mut StreamReader<Parts>| match reader.decode(&mut LinesCodec::new()).await {
        Ok(line) => format!("{}", line.unwrap().len()),
        Err(error) => error.to_string(),
    };
    assert_eq!(within_the_limit(1000, decode), "999");
    assert_eq!(within_the_limit(1001, decode), "no item within the limit of 1000 bytes");
    assert_eq!(within_the_limit(5000, decode), "no item within the limit of 1000 bytes");
}

#[test]
fn r5_what_a_larger_limit_has_shown_does_not_get_an_item_past_a_smaller_one() {
    run(async {
        let (mut reader, script) = over_script();
        let number = format!(":{}1;", "0".repeat(1500));
        script.arrive(number.repeat(2));
        reader.set_limit(1000);
        let mut numbers = Numbers::default();
        let first = reader.limited(5000).decoded(&mut numbers).next().await;
        assert_eq!(first.unwrap().unwrap(), 1);
        let error = reader.decode(&mut numbers).await.unwrap_err();
        assert!(matches!(error, DecodeError::LimitOverrun { limit: 1000 }));
        assert_eq!(reader.read_exactly(number.len()).await.unwrap(), number);
    });
}

#[test]
fn r5_what_a_larger_limit_has_shown_goes_back_before_a_smaller_one_counts() {
    run(async {
        let (mut reader, script) = over_script();
        reader.set_limit(800);
        script.arrive(format!("{}\n{}\n", "a".repeat(600), "b".repeat(900)));
        let mut lines = LinesCodec::new();
        let first = reader.limited(5000).decoded(&mut lines).next().await;
        assert_eq!(first.unwrap().unwrap().len(), 600);
        let error = reader.decode(&mut lines).await.unwrap_err();
        assert!(matches!(error, DecodeError::LimitOverrun { limit: 800 }));
    });
}

#[test]
fn r5_bytes_that_another_read_has_taken_raise_no_limit() {
    run(async {
        let (mut reader, script) = over_script();
        reader.set_limit(1000);
        script.arrive("a".repeat(20_000));
        let mut given_up = LinesCodec::new();
        assert_pending!(task::spawn(reader.limited(1 << 20).decoded(&mut given_up).next()).poll());
        assert_eq!(reader.read_exactly(20_000).await.unwrap().len(), 20_000);
        script.arrive(format!("{}\n", "b".repeat(15_000)));
        let error = reader.decode(&mut LinesCodec::new()).await.unwrap_err();
        assert!(matches!(error, DecodeError::LimitOverrun { limit: 1000 }));
    });
}

#[test]
fn r6_an_overrun_loses_nothing_and_the_same_decoder_goes_on_under_another_limit() {
    let decode = async |reader: &mut StreamReader<Parts>| {
        let mut lines = LinesCodec::new();
        for _ in 0..2 {
            let error = reader.decode(&mut lines).await.unwrap_err();
            assert!(matches!(error, DecodeError::LimitOverrun { limit: 1000 }));
        }
        let line = reader.limited(5000).decoded(&mut lines).next().await.unwrap().unwrap();
        format!("{} {:?}", line.len(), reader.decode(&mut lines).await.unwrap())
    };
    assert_eq!(within_the_limit(3000, decode), "2999 Some(\"next\")");

    let skip = async |reader: &mut StreamReader<Parts>| {
        assert!(reader.decode(&mut LinesCodec::new()).await.is_err());
        let skipped = reader.skip_until(b"\n").await.unwrap();
        format!("{skipped} {:?}", reader.decode(&mut LinesCodec::new()).await.unwrap())
    };
    assert_eq!(within_the_limit(3000, skip), "3000 Some(\"next\")");
}

#[test]
fn r6_a_decoder_that_has_seen_more_than_the_limit_is_shown_no_less() {
    run(async {
        let (mut reader, script) = over_script();
        script.arrive(format!(":{}", "0".repeat(2999)));
        let mut numbers = Numbers::default();
        assert_pending!(task::spawn(reader.limited(5000).decoded(&mut numbers).next()).poll());
        assert_eq!(reader.peek(1).await.unwrap(), b":");
        script.arrive("7;");
        assert_eq!(reader.peek(3001).await.unwrap().len(), 3001);
        reader.set_limit(1000);
        let error = reader.decode(&mut numbers).await.unwrap_err();
        assert!(matches!(error, DecodeError::LimitOverrun { .. }));
        assert_eq!(reader.limited(5000).decoded(&mut numbers).next().await.unwrap().unwrap(), 7);
    });
}

#[test]
fn r6_a_decoder_goes_on_after_an_error_of_its_own_if_it_can() {
    run(async {
        let mut reader = StreamReader::new(&b"much too long\nok\n"[..]);
        let mut lines = LinesCodec::new_with_max_length(4);
        let error = reader.decode(&mut lines).await.unwrap_err();
        assert!(matches!(error, DecodeError::Decoder(LinesCodecError::MaxLineLengthExceeded)));
        assert_eq!(reader.decode(&mut lines).await.unwrap().unwrap(), "ok");
    });
}

/// Never has an item, and uses nothing.
struct Never;

impl Decoder for Never {
    type Item = Infallible;
    type Error = io::Error;

    fn decode(&mut self, _: &mut BytesMut) -> io::Result<Option<Infallible>> {
        Ok(None)
    }
}

#[test]
fn r1_a_decoder_that_never_has_an_item_holds_the_limit_and_one_fill() {
    run(async {
        let mut reader = StreamReader::new(tokio::io::repeat(b'x'));
        let error = reader.decode(&mut Never).await.unwrap_err();
        assert!(matches!(error, DecodeError::LimitOverrun { limit: 65_536 }));
        assert!(reader.buffered() <= 2 * 65_536, "{}", reader.buffered());
    });
}

#[test]
fn r8_an_item_in_a_thousand_pieces_costs_linear_time_also_when_each_wait_is_given_up() {
    const MIB: usize = 1 << 20;
    let item = Bytes::from(format!(":{};", "0".repeat(MIB - 3) + "7"));
    let runtime = one_thread();
    let allocated = allocation_counter::measure(|| {
        runtime.block_on(async {
            let (transport, script) = scripted();
            let mut reader = StreamReader::with_limit(transport, 2 * MIB);
            let mut numbers = Numbers::default();
            for piece in item.chunks(1024).take(MIB / 1024 - 1) {
                assert_pending!(task::spawn(reader.decode(&mut numbers)).poll());
                script.arrive(piece);
            }
            assert_pending!(task::spawn(reader.decode(&mut numbers)).poll());
            script.arrive(&item[MIB - 1024..]);
            assert_eq!(reader.decode(&mut numbers).await.unwrap(), Some(7));
        });
    });
    // The window grows by doubling: twice the item, and what the test itself needs. Were it copied for each piece,
    // it would be five hundred times the item.
    assert!(allocated.bytes_total < 8 * MIB as u64, "{allocated:?}");
}

#[test]
fn r8_switching_for_every_record_costs_linear_time() {
    const RECORDS: usize = 4000;
    let record = [&frame(b"a payload")[..], b"a line\n"].concat();
    let bytes = Bytes::from(record.repeat(RECORDS));
    let runtime = one_thread();
    let allocated = allocation_counter::measure(|| {
        runtime.block_on(async {
            let mut reader = StreamReader::new(Cut::Ahead.parts(bytes.clone()));
            let mut frames = LengthDelimitedCodec::new();
            for _ in 0..RECORDS {
                assert_eq!(reader.decode(&mut frames).await.unwrap().unwrap(), "a payload");
                assert_eq!(reader.read_line_ref().await.unwrap().unwrap(), b"a line\n");
            }
        });
    });
    // Half a KiB for a first look, each time. All that is buffered would be 64 KiB.
    assert!(allocated.bytes_total < (RECORDS * 1024) as u64, "{allocated:?}");
}

#[test]
fn r8_errors_behind_a_long_item_cost_linear_time() {
    const BAD: usize = 30_000;
    let allocated = |first: usize| {
        let runtime = one_thread();
        let allocated = allocation_counter::measure(|| {
            runtime.block_on(async {
                let (mut reader, script) = over_script();
                let mut lines = LinesCodec::new();
                script.arrive("a".repeat(first));
                assert_pending!(task::spawn(reader.decode(&mut lines)).poll());
                script.arrive(b"\xff\n".repeat(BAD));
                for _ in 0..BAD {
                    // Each is used up, and told.
                    let error = reader.decode(&mut lines).await.unwrap_err();
                    assert!(matches!(error, DecodeError::Decoder(_)));
                }
            });
        });
        allocated.bytes_total
    };
    let (short, long) = (allocated(1), allocated(20_000));
    assert!(long < 3 * short, "{short} bytes behind a short line, {long} behind a long one");
}

#[test]
fn a_decoder_with_an_item_left_is_asked_before_bytes_are() {
    run(async {
        let (mut reader, script) = over_script();
        script.arrive("ab");
        let mut twice = Twice::default();
        for expected in [b'a', b'a', b'b', b'b'] {
            assert_eq!(reader.decode(&mut twice).await.unwrap(), Some(expected));
        }
        assert_pending!(task::spawn(reader.decode(&mut twice)).poll());
    });
}

#[test]
fn a_decoder_of_bytes_gives_all_of_them_in_order() {
    run(async {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let mut reader = StreamReader::new(&bytes[..]);
        let (mut codec, mut all) = (BytesCodec::new(), Vec::new());
        let mut parts = reader.decoded(&mut codec);
        while let Some(part) = parts.next().await {
            all.extend_from_slice(&part.unwrap());
        }
        assert_eq!(all, bytes);
    });
}

#[test]
fn a_skip_in_force_is_finished_before_a_decoder_is_shown_anything() {
    run(async {
        let (mut reader, script) = over_script();
        script.arrive("to be skip");
        assert_pending!(task::spawn(reader.skip_until(b"\n")).poll());
        script.arrive("ped\n:5;");
        assert_eq!(reader.decode(&mut Numbers::default()).await.unwrap(), Some(5));
    });
}

#[test]
fn a_decoder_that_panics_leaves_what_it_was_shown() {
    struct Panics;
    impl Decoder for Panics {
        type Item = ();
        type Error = io::Error;

        fn decode(&mut self, window: &mut BytesMut) -> io::Result<Option<()>> {
            assert!(window.is_empty(), "as it does");
            Ok(None)
        }
    }
    bounded(|| {
        let bytes: Vec<u8> = (0..3000u32).map(|n| n.to_le_bytes()[0]).collect();
        let mut reader = StreamReader::new(&bytes[..]);
        let runtime = one_thread();
        let decode = AssertUnwindSafe(|| runtime.block_on(reader.decode(&mut Panics)));
        assert!(catch_unwind(decode).is_err());
        assert_eq!(runtime.block_on(reader.read_exactly(3000)).unwrap(), bytes);
    });
}
