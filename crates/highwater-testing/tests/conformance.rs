//! The suite holds for a transport that is right, and names the right check for each way to be wrong.

use highwater_testing::{Chaos, Conformance, Finding, Reset};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, ready};
use std::thread;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf, duplex};
use tokio::runtime::Builder;

/// A way to be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    DropsAByte,
    DoublesAByte,
    NeverWakesAReader,
    NeverWakesAWriter,
    SwallowsTheEnd,
    ForgetsTheEnd,
    MergesTheEnds,
    TakesWritesAfterTheEnd,
    TakesBytesAndWaits,
    SwapsSlices,
    HoldsBackUntilTheEnd,
    ReadsAheadAndDrops,
    WakesForEver,
}

const FAULTS: [(Fault, &str); 12] = [
    (Fault::DropsAByte, "bare: bytes arrive in order"),
    (Fault::DoublesAByte, "bare: bytes arrive in order"),
    (Fault::NeverWakesAReader, "bare: a waiting read is woken by bytes"),
    (Fault::NeverWakesAWriter, "bare: a clogged write waits and is woken"),
    (Fault::SwallowsTheEnd, "bare: a waiting read is woken by the end"),
    (Fault::ForgetsTheEnd, "bare: the end comes after the bytes and stays"),
    (Fault::MergesTheEnds, "bare: a shutdown ends one direction alone"),
    (Fault::TakesWritesAfterTheEnd, "bare: a write after shutdown fails"),
    (Fault::TakesBytesAndWaits, "bare: a write given up loses nothing"),
    (Fault::SwapsSlices, "bare: a vectored write keeps the order"),
    (Fault::HoldsBackUntilTheEnd, "bare: what was flushed arrives without more"),
    (Fault::ReadsAheadAndDrops, "bare: a read given up loses nothing"),
];

/// A pipe in memory with one thing wrong.
#[derive(Debug)]
struct Broken {
    pipe: DuplexStream,
    fault: Fault,
    written: usize,
    is_shut: bool,
    has_ended: bool,
    held: Vec<u8>,
}

impl Broken {
    fn new(pipe: DuplexStream, fault: Fault) -> Self {
        Self { pipe, fault, written: 0, is_shut: false, has_ended: false, held: Vec::new() }
    }

    fn pass(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.pipe).poll_write(cx, bytes)
    }
}

/// A context whose waker wakes nobody.
fn nobody() -> Context<'static> {
    Context::from_waker(std::task::Waker::noop())
}

impl AsyncRead for Broken {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.fault == Fault::MergesTheEnds && this.is_shut {
            return Poll::Ready(Ok(()));
        }
        if this.fault == Fault::ForgetsTheEnd && this.has_ended {
            this.has_ended = false;
            into.put_slice(b"?");
            return Poll::Ready(Ok(()));
        }
        if this.fault == Fault::WakesForEver {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = into.filled().len();
        let read = if this.fault == Fault::NeverWakesAReader {
            Pin::new(&mut this.pipe).poll_read(&mut nobody(), into)
        } else {
            Pin::new(&mut this.pipe).poll_read(cx, into)
        };
        if this.fault == Fault::ReadsAheadAndDrops && into.filled().len() == before + 1 {
            // A byte by itself is taken, and then the read waits for more of them.
            into.set_filled(before);
            return Poll::Pending;
        }
        ready!(read)?;
        this.has_ended = into.filled().len() == before;
        if this.fault == Fault::SwallowsTheEnd && this.has_ended {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    }
}

impl AsyncWrite for Broken {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let crosses = this.written < 1000 && this.written + bytes.len() > 1000;
        let taken = match this.fault {
            Fault::TakesWritesAfterTheEnd if this.is_shut => Ok(bytes.len()),
            Fault::DropsAByte if crosses => ready!(this.pass(cx, &bytes[1..])).map(|taken| taken + 1),
            Fault::DoublesAByte if crosses => {
                ready!(this.pass(cx, &bytes[..1]))?;
                ready!(this.pass(cx, bytes))
            }
            Fault::NeverWakesAWriter => ready!(this.pass(&mut nobody(), bytes)),
            Fault::TakesBytesAndWaits => match this.pass(cx, bytes) {
                // What was short is taken, and the caller is told to wait.
                Poll::Ready(Ok(taken)) if taken < bytes.len() && this.written > 0 => return Poll::Pending,
                taken => ready!(taken),
            },
            Fault::HoldsBackUntilTheEnd => {
                this.held.extend_from_slice(bytes);
                Ok(bytes.len())
            }
            _ => ready!(this.pass(cx, bytes)),
        }?;
        this.written += taken;
        Poll::Ready(Ok(taken))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut filled = slices.iter().filter(|slice| !slice.is_empty());
        let slice = if self.fault == Fault::SwapsSlices { filled.next_back() } else { filled.next() };
        self.poll_write(cx, slice.map_or(&[], |slice| slice))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        while !this.held.is_empty() {
            let taken = ready!(Pin::new(&mut this.pipe).poll_write(cx, &this.held))?;
            this.held.drain(..taken);
        }
        this.is_shut = true;
        Pin::new(&mut this.pipe).poll_shutdown(cx)
    }
}

/// Both ends are wrong, so that it does not matter from which one a check begins.
fn broken(fault: Fault) -> Conformance {
    Conformance::of_transports(move || async move {
        let (near, far) = duplex(4096);
        (Broken::new(near, fault), Broken::new(far, fault))
    })
}

#[tokio::test(start_paused = true)]
async fn each_way_to_be_wrong_is_named() {
    for (fault, check) in FAULTS {
        let checked = broken(fault).check(check).await;
        assert!(matches!(checked.finding, Finding::Failed { .. }), "{fault:?}: {checked}");
    }
}

/// Each check runs from either end, and says from which one it failed.
#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_the_other_end_alone_is_found() {
    let conformance = Conformance::of_transports(async || {
        let (near, far) = duplex(4096);
        (near, Broken::new(far, Fault::DropsAByte))
    });
    for check in ["bare: bytes arrive in order", "w3: long and short payloads arrive in order"] {
        let checked = conformance.check(check).await;
        let Finding::Failed { seen } = &checked.finding else { panic!("{checked}") };
        assert!(seen.starts_with("from the other end: other bytes than those sent"), "{seen}");
    }
}

/// A transport that wakes for ever and gets nowhere is given up too, by the machine's clock.
#[test]
fn who_is_busy_for_ever_is_given_up() {
    let (found, wait) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime can be built").block_on(async {
            let conformance = Conformance::of_transports(async || {
                let (near, far) = duplex(4096);
                (near, Broken::new(far, Fault::WakesForEver))
            });
            let conformance = conformance.patience(Duration::from_millis(50));
            let checked = conformance.check("bare: what was flushed arrives without more").await;
            found.send(checked.finding).expect("the test waits");
        });
    });
    let seen = "it still waits after 50ms".to_owned();
    assert_eq!(wait.recv_timeout(Duration::from_secs(30)), Ok(Finding::Failed { seen }));
}

/// What is checked over the pair finds them too: a user has only that.
#[tokio::test(start_paused = true)]
async fn the_pair_s_own_checks_meet_what_is_wrong_below() {
    for (fault, check) in [
        (Fault::DropsAByte, "w3: many small writes are queued and arrive in order"),
        (Fault::SwapsSlices, "w3: long and short payloads arrive in order"),
        (Fault::NeverWakesAReader, "w2: what was written leaves while the handler only reads"),
        (Fault::MergesTheEnds, "w6: write eof ends our half and reading goes on"),
        (Fault::HoldsBackUntilTheEnd, "w5: flush returns when the transport has it"),
    ] {
        let checked = broken(fault).check(check).await;
        assert!(matches!(checked.finding, Finding::Failed { .. }), "{fault:?}: {checked}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_pipe_of_any_size_holds() {
    for capacity in [64, 64 * 1024] {
        let report = Conformance::of_transports(move || async move { duplex(capacity) }).run().await;
        assert!(report.holds(), "{capacity}: {report}");
        let told = report.checked.iter().filter(|checked| checked.finding != Finding::Held);
        let told: Vec<_> = told.map(|checked| &checked.name[..]).collect();
        assert_eq!(told, ["w8: abort resets"], "all others apply");
    }
}

/// Whatever chaos does without a fault is allowed: the suite does not ask for more than a transport owes.
#[tokio::test(start_paused = true)]
async fn chaos_without_a_fault_holds() {
    for seed in 0..3 {
        let conformance = Conformance::of_transports(move || async move {
            let (near, far) = duplex(4096);
            (Chaos::new(near, seed).most(3000), Chaos::new(far, !seed).most(3000))
        });
        let bare: Vec<_> = conformance.names().filter(|name| name.starts_with("bare")).collect();
        for name in bare {
            let checked = conformance.check(name).await;
            assert_eq!(checked.finding, Finding::Held, "from seed {seed}: {checked}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_does_not_apply_says_why() {
    let conformance = Conformance::of_transports(async || duplex(64))
        .without_half_close("one end for both")
        .resets(Reset::Never);
    for (name, expected) in [
        ("bare: a shutdown ends one direction alone", "one end for both"),
        ("w6: write eof comes behind a long queue", "one end for both"),
        ("w8: abort resets", "an abort is an end"),
    ] {
        let reason = expected.to_owned();
        assert_eq!(conformance.check(name).await.finding, Finding::NotApplicable { reason }, "{name}");
    }
    let endless = Conformance::of_transports(async || duplex(1 << 30));
    let checked = endless.check("bare: a clogged write waits and is woken").await;
    let reason = "it takes 64 MiB from a peer that does not read".to_owned();
    assert_eq!(checked.finding, Finding::NotApplicable { reason });
}

/// On workers and on the clock of the machine, as a transport over sockets has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_hold_too() {
    let report = Conformance::of_transports(async || duplex(4096)).run().await;
    assert!(report.holds(), "{report}");
}
