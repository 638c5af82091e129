//! Random schedules for `start_tls`: lines in the clear, the upgrade, and whatever both ends write after it, alone
//! and in clones, over a transport made difficult. Beside them is what was sent. What TLS draws itself (keys, and so
//! the length of a signature) does not follow from the seed.

use highwater_net::{StartTlsError, StreamOptions, StreamReader, StreamWriter, Watermarks, start_tls};
use highwater_testing::Chaos;
use highwater_tests::report;
use highwater_tests::schedules::{Random, asked_for, run_all};
use highwater_tests::tls;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::time::timeout;

/// One in so many of those for the pair: a handshake takes a lot longer than they.
const SHARE: u64 = 20;

/// On a paused clock, what takes longer than this hangs.
const FOR_EVER: Duration = Duration::from_secs(3_600);

#[test]
fn t2_what_is_sent_before_and_after_an_upgrade_is_what_is_read_in_every_schedule() {
    let (first, operations) = asked_for();
    let (done, schedules) = run_all(
        "schedules_tls",
        first,
        operations.div_ceil(SHARE),
        |done| *done,
        |seed| {
            let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
            let runtime = runtime.expect("a runtime of one thread");
            runtime.block_on(async {
                timeout(FOR_EVER, upgraded(Random(seed))).await.expect("the schedule hangs")
            })
        },
    );
    report(&format!("schedules of start_tls: {done} operations in {schedules} from seed {first}"));
}

/// How an end is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    WriteEof,
    Drop,
    Abort,
}

impl Ending {
    fn random(random: &mut Random) -> Self {
        match random.below(8) {
            0..=3 => Self::WriteEof,
            4..=6 => Self::Drop,
            _ => Self::Abort,
        }
    }
}

/// A schedule from its first line to the end of both halves. How many operations it performed.
async fn upgraded(mut random: Random) -> u64 {
    // rustls reads nothing while it has a part of a handshake to send: where not even the six bytes of a
    // change_cipher_spec fit on the way, both ends wait for each other until the time-out.
    let (near, far) = tokio::io::duplex(6 + random.below(5_000) as usize);
    let [near, far] =
        [near, far].map(|io| Chaos::new(io, random.below(u64::MAX)).most(1 + random.below(2_000) as usize));
    let options = StreamOptions::new().watermarks(Watermarks::with_high(random.below(3_000) as usize));
    let (near, far) = (options.pair(near), options.pair(far));
    let plain = Plain { lines: random.below(4), answers: random.below(4), waits: random.below(3) > 0 };
    let endings = [Ending::random(&mut random), Ending::random(&mut random)];
    let [one, other] = [Random(random.below(u64::MAX)), Random(random.below(u64::MAX))];
    // Neither waits for the other: a server's last words in a handshake are for a client that reads already.
    let far = tokio::spawn(async move { live(serves(far, plain).await, endings[1], other).await });
    let near = live(connects(near, plain).await, endings[0], one).await;
    let far = far.await.expect("it does not panic");
    for (from, to, ending, own) in
        [(&near, &far, endings[0], endings[1]), (&far, &near, endings[1], endings[0])]
    {
        assert!(from.sent.starts_with(&to.heard), "what is read is what was sent, or its beginning");
        match (ending, own) {
            (Ending::Abort, _) => assert!(to.end.is_err(), "an abort never looks like a clean end"),
            (_, Ending::Abort) => {}
            _ => {
                assert_eq!(to.end, Ok(()), "nobody has aborted");
                assert_eq!(to.heard.len(), from.sent.len(), "and nothing is missing");
            }
        }
    }
    // The lines of both, their handshakes and endings, and what they did then.
    2 * plain.count() + 4 + near.operations + far.operations
}

type Halves = (StreamReader, StreamWriter);

type Upgraded = Result<Halves, StartTlsError>;

/// What is said in the clear.
#[derive(Clone, Copy, Debug)]
struct Plain {
    lines: u64,
    answers: u64,
    /// The client waits to be told that the server is ready. Otherwise its hello may come with its last line, and is
    /// read ahead.
    waits: bool,
}

impl Plain {
    /// Lines, each written and read.
    fn count(self) -> u64 {
        self.lines + 1 + self.answers + u64::from(self.waits)
    }
}

/// Says some lines and asks for the upgrade.
async fn connects((mut reader, writer): Halves, plain: Plain) -> Upgraded {
    for line in 0..plain.lines {
        writer.write(format!("line {line}\n")).unwrap();
    }
    writer.write("STARTTLS\n").unwrap();
    for answer in 0..plain.answers {
        assert_eq!(reader.read_line().await.unwrap().unwrap(), format!("answer {answer}\n"));
    }
    if plain.waits {
        assert_eq!(reader.read_line().await.unwrap().unwrap(), "ready\n");
    }
    start_tls(reader, writer, tls::client().server_name("localhost")).await
}

async fn serves((mut reader, writer): Halves, plain: Plain) -> Upgraded {
    for line in 0..plain.lines {
        assert_eq!(reader.read_line().await.unwrap().unwrap(), format!("line {line}\n"));
    }
    assert_eq!(reader.read_line().await.unwrap().unwrap(), "STARTTLS\n");
    for answer in 0..plain.answers {
        writer.write(format!("answer {answer}\n")).unwrap();
    }
    if plain.waits {
        writer.write("ready\n").unwrap();
    }
    start_tls(reader, writer, tls::server()).await
}

struct Lived {
    /// In the order in which it was accepted.
    sent: Vec<u8>,
    heard: Vec<u8>,
    end: Result<(), io::ErrorKind>,
    operations: u64,
}

/// What all clones have sent, and how often they were called: a write and its note are one step on one thread.
type Log = Arc<Mutex<(Vec<u8>, u64)>>;

async fn live(upgraded: Upgraded, ending: Ending, mut random: Random) -> Lived {
    let (mut reader, writer) = match upgraded {
        Ok(halves) => halves,
        // The client may have aborted before the server's part was over.
        Err(error) => {
            return Lived { sent: Vec::new(), heard: Vec::new(), end: Err(error.kind()), operations: 0 };
        }
    };
    let (log, mut clones) = (Log::default(), Vec::new());
    for _ in 0..random.below(3) {
        let (writer, random) = (writer.clone(), Random(random.below(u64::MAX)));
        clones.push(tokio::spawn(write(writer, random, Arc::clone(&log))));
    }
    let (own, noted) = (Random(random.below(u64::MAX)), Arc::clone(&log));
    let writing = tokio::spawn(async move {
        let writer = write(writer, own, noted).await;
        if ending == Ending::Abort {
            writer.abort();
        }
        for clone in clones {
            clone.await.expect("it does not panic");
        }
        if ending == Ending::WriteEof {
            // Refused where the other end was faster, and has aborted.
            drop(writer.write_eof());
            return Some(writer);
        }
        None
    });
    let (mut heard, mut reads) = (Vec::new(), 0);
    let end = loop {
        reads += 1;
        let most = 1 + random.below(3_000) as usize;
        // Some are given up.
        let patience = if random.below(3) == 0 { Duration::from_millis(1) } else { FOR_EVER };
        match timeout(patience, reader.read(most)).await {
            Ok(Ok(bytes)) if bytes.is_empty() => break Ok(()),
            Ok(Ok(bytes)) => heard.extend_from_slice(&bytes),
            Ok(Err(error)) => break Err(error.kind()),
            Err(_given_up) => {}
        }
    };
    drop(writing.await.expect("it does not panic"));
    let mut log = log.lock().unwrap();
    let (sent, calls) = (std::mem::take(&mut log.0), log.1);
    Lived { sent, heard, end, operations: calls + reads }
}

async fn write(writer: StreamWriter, mut random: Random, log: Log) -> StreamWriter {
    for _ in 0..random.below(20) {
        // After an abort, of this end or the other, all of them fail.
        match random.below(8) {
            0..=4 => {
                let message: Vec<u8> = (0..random.below(1_500)).map(|_| random.below(256) as u8).collect();
                let mut log = log.lock().unwrap();
                log.1 += 1;
                if writer.write(&message).is_ok() {
                    log.0.extend_from_slice(&message);
                }
            }
            what @ 5..=6 => {
                log.lock().unwrap().1 += 1;
                drop(if what == 5 { writer.drain().await } else { writer.flush().await });
            }
            _ => tokio::time::sleep(Duration::from_millis(random.below(5))).await,
        }
    }
    writer
}
