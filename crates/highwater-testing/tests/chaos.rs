//! What a seed decides happens again, faults come at their byte, and nothing else is changed.

use highwater_stream::{Pair, StreamReader, pair};
use highwater_testing::{Call, Chaos, Cut, Form, Op, Outcome, ReadModel};
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, duplex};
use tokio::time::{Instant, timeout};

/// Of a paused clock: more than all pauses together.
const HANGS: Duration = Duration::from_secs(3600);

/// What every poll gave, until the end.
fn polls(mut chaos: Chaos<&[u8]>) -> Vec<String> {
    let mut seen = Vec::new();
    loop {
        let mut into = [0; 50];
        let mut into = ReadBuf::new(&mut into);
        let read = Pin::new(&mut chaos).poll_read(&mut Context::from_waker(Waker::noop()), &mut into);
        let is_over = matches!(read, Poll::Ready(Ok(()))) && into.filled().is_empty();
        seen.push(format!("{} {:?}", read.is_ready(), into.filled()));
        if is_over {
            return seen;
        }
    }
}

#[test]
fn a_seed_does_the_same_again_and_another_does_not() {
    let bytes = [7; 1000];
    let run = |seed| polls(Chaos::new(&bytes[..], seed).interrupts(5));
    assert_eq!(run(1), run(1));
    let different: BTreeSet<_> = (0..20).map(run).collect();
    assert_eq!(different.len(), 20);
}

#[test]
fn it_gives_bits_waits_and_interrupts() {
    let bytes = [7; 1000];
    let seen = polls(Chaos::new(&bytes[..], 1).most(3).interrupts(5));
    let waits = seen.iter().filter(|poll| poll.starts_with("false")).count();
    let lengths: BTreeSet<_> = seen.iter().map(|poll| poll.matches('7').count()).collect();
    assert_eq!(lengths, BTreeSet::from([0, 1, 2, 3]));
    assert!((50..seen.len() / 2).contains(&waits), "{waits} of {}", seen.len());
}

/// What it does in one direction does not depend on how often the other is polled.
#[test]
fn each_direction_has_dice_of_its_own() {
    let write = |reads: usize| {
        let (near, _far) = duplex(100_000);
        let mut chaos = Chaos::new(near, 5);
        let cx = &mut Context::from_waker(Waker::noop());
        let write = |_| {
            for _ in 0..reads {
                let _ = Pin::new(&mut chaos).poll_read(cx, &mut ReadBuf::new(&mut [0; 9]));
            }
            let written = Pin::new(&mut chaos).poll_write(cx, &[0; 100]);
            written.map(|written| written.expect("it is open"))
        };
        (0..100).map(write).collect::<Vec<_>>()
    };
    assert_eq!(write(0), write(3));
}

#[test]
fn it_says_how_to_do_the_same_again() {
    let chaos = Chaos::new(tokio::io::empty(), 42)
        .most(7)
        .waits(0)
        .wakes_late(3)
        .interrupts(9)
        .pauses(5, Duration::from_secs(1))
        .end_reads_at(10)
        .reset_at_written(20);
    let expected = "chaos from seed 42: at most 7 bytes, wakes late once in 3, interrupts once in 9, \
                    pauses once in 5 for up to 1s, End after 10 bytes read, Reset after 20 bytes written";
    assert_eq!(chaos.to_string(), expected);
    assert_eq!(chaos.seed(), 42);
    assert!(format!("{chaos:?}").contains(expected));
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Every wait is woken: by itself where it waits for nothing, by the transport where that has nothing, and
/// late, but still, where it wakes late.
#[tokio::test]
async fn who_waits_is_woken() {
    for late in [0, 1] {
        let (near, mut far) = duplex(64);
        let mut chaos = Chaos::new(near, 3).wakes_late(late);
        let woken = Arc::<Count>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let mut poll = || {
            let mut into = [0; 9];
            let mut into = ReadBuf::new(&mut into);
            let read = Pin::new(&mut chaos).poll_read(&mut Context::from_waker(&waker), &mut into);
            read.map(|read| read.map(|()| into.filled().len()))
        };
        // Until it waits for the transport: then nobody is woken.
        loop {
            let before = woken.0.load(Ordering::SeqCst);
            assert!(poll().is_pending());
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            if woken.0.load(Ordering::SeqCst) == before {
                break;
            }
        }
        let before = woken.0.load(Ordering::SeqCst);
        far.write_all(b"abc").await.unwrap();
        assert_eq!(woken.0.load(Ordering::SeqCst), before + 1 - late as usize, "a late waker wakes later");
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert_eq!(woken.0.load(Ordering::SeqCst), before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn pauses_take_time_and_only_when_asked_for() {
    for (longest, expected) in [(None, false), (Some(Duration::from_secs(9)), true)] {
        let bytes = [7; 100];
        let mut chaos = Chaos::new(&bytes[..], 3).most(5).wakes_late(0);
        if let Some(longest) = longest {
            chaos = chaos.pauses(3, longest);
        }
        let start = Instant::now();
        chaos.read_to_end(&mut Vec::new()).await.unwrap();
        assert_eq!(start.elapsed() > Duration::from_secs(1), expected, "{:?}", start.elapsed());
    }
}

/// The end of the stream, an error and a reset at each byte: what came before is there, and nothing else.
#[tokio::test]
async fn faults_of_reading_come_at_their_byte() {
    let text = b"some bytes";
    for at in 0..text.len() {
        let chaos = || Chaos::new(&text[..], at as u64).wakes_late(0);
        let mut ended = Vec::new();
        chaos().end_reads_at(at as u64).read_to_end(&mut ended).await.unwrap();
        assert_eq!(ended, text[..at]);

        for (chaos, kind) in [
            (chaos().fail_reads_at(at as u64, io::ErrorKind::TimedOut), io::ErrorKind::TimedOut),
            (chaos().reset_at_read(at as u64), io::ErrorKind::ConnectionReset),
        ] {
            let mut reader = StreamReader::new(chaos);
            for _ in 0..2 {
                assert_eq!(reader.read_to_end(100).await.map_err(io::Error::from).unwrap_err().kind(), kind);
                assert_eq!(reader.unread_bytes(), &text[..at]);
            }
        }
    }
}

#[tokio::test]
async fn faults_of_writing_come_at_their_byte() {
    let text = b"some bytes";
    for at in 0..text.len() {
        let (near, mut far) = duplex(64);
        let chaos = Chaos::new(near, at as u64).wakes_late(0);
        let mut chaos = chaos.fail_writes_at(at as u64, io::ErrorKind::TimedOut);
        for _ in 0..2 {
            assert_eq!(chaos.write_all(text).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        }
        assert_eq!(chaos.flush().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(chaos.shutdown().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        // Reading goes on.
        far.write_all(b"!").await.unwrap();
        assert_eq!(chaos.read_u8().await.unwrap(), b'!');
        drop(chaos);
        let mut came = Vec::new();
        far.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, text[..at]);
    }
}

/// A reset is news for the other direction, too, which may be waiting.
#[tokio::test(start_paused = true)]
async fn a_reset_wakes_and_fails_both_directions() {
    let (near, _far) = duplex(64);
    let (mut read, mut write) = tokio::io::split(Chaos::new(near, 1).wakes_late(0).reset_at_written(3));
    let reading = tokio::spawn(async move { read.read_u8().await });
    tokio::task::yield_now().await;
    assert_eq!(write.write_all(b"abcd").await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
    let reading = timeout(HANGS, reading).await.expect("it is woken");
    assert_eq!(reading.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

/// The whole stack over chaos beside the model, from several seeds.
#[tokio::test(start_paused = true)]
async fn r2_readers_over_chaos_end_as_the_model_says() {
    let text = "one\ntwo\r\n;three;;\r\n\nfour\r".repeat(20);
    let calls = [Op::ReadLine, Op::ReadExactly(7), Op::Peek(3), Op::SkipUntil(vec![";".into()])];
    for seed in 0..50 {
        let (near, far) = duplex(16);
        let near = Chaos::new(near, seed).interrupts(6).pauses(20, Duration::from_secs(1));
        let shown = near.to_string();
        let (mut reader, _writer) = pair(near);
        let (_, upload) = Pair::new(Chaos::new(far, !seed).interrupts(6)).split();
        upload.write(text.clone()).unwrap();
        upload.close();
        let mut model = ReadModel::new(1000);
        model.feed(text.as_bytes());
        model.feed_eof();
        for call in calls.iter().cycle().map(|op| Call::from(op.clone())) {
            let read = timeout(HANGS, call.on_reader(Form::Owned, &mut reader)).await;
            let outcome = read.unwrap_or_else(|_| panic!("{call:?} hangs, {shown}"));
            assert_eq!(Poll::Ready(outcome), model.call(&call), "{call:?}, {shown}");
            if model.at_eof() {
                break;
            }
        }
    }
}

/// The parts of a cut are reads of their own.
#[tokio::test]
async fn parts_come_one_for_each_wait() {
    let mut parts = Cut::Sizes(vec![2, 1]).parts("abcdef");
    let mut polls = Vec::new();
    poll_fn(|cx| {
        loop {
            let mut into = [0; 9];
            let mut into = ReadBuf::new(&mut into);
            match Pin::new(&mut parts).poll_read(cx, &mut into) {
                Poll::Pending => polls.push("-".to_owned()),
                Poll::Ready(_) => polls.push(String::from_utf8_lossy(into.filled()).into_owned()),
            }
            if polls.last().is_some_and(String::is_empty) {
                return Poll::Ready(());
            }
        }
    })
    .await;
    assert_eq!(polls, ["-", "ab", "-", "c", "-", "de", "-", "f", "-", ""]);
    let mut reader = StreamReader::new(Cut::Whole.parts("abc"));
    let nothing = Call::from(Op::ReadExactly(4)).on_reader(Form::Owned, &mut reader).await;
    assert!(matches!(nothing, Outcome::Incomplete { .. }));
}
