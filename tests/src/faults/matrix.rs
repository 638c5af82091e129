//! The runs of a row: once without a fault, and once for each fault that there can be.

use super::fault::{COLUMNS, Extent, Fault, Side};
use super::hand::Hand;
use super::wire::{End, Manner, Wire};
use crate::bounded::bounded_by;
use crate::report;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;
use tokio::runtime::{Builder, Handle};
use tokio::task::LocalSet;
use tokio::time::{sleep, timeout};

/// On a paused clock, what takes longer than this hangs: nothing in a conversation waits for an hour.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// Real time that no row comes near.
pub(super) const PATIENCE: Duration = Duration::from_secs(180);

/// What a conversation is given: a wire with a fault, and a hand for each end.
#[derive(Debug)]
pub struct Scene {
    /// What goes wrong.
    pub fault: Fault,
    /// The wire, from outside.
    pub wire: Wire,
    /// Its ends: near, far.
    pub ends: [End; 2],
    /// Who performs the operations of each.
    pub hands: [Hand; 2],
}

/// Which of the faults a row meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stride {
    /// Of those at bytes, one in so many.
    pub bytes: u64,
    /// Of those at calls and polls, one in so many.
    pub polls: usize,
}

impl Stride {
    /// All of them.
    pub const EVERY: Self = Self { bytes: 1, polls: 1 };

    fn takes(self, fault: &Fault) -> bool {
        match fault {
            Fault::None | Fault::Harried { .. } => true,
            Fault::Reset { after, .. } | Fault::End { after, .. } => after % self.bytes == 0,
            Fault::Error { call, .. } | Fault::Interrupted { call, .. } => call % self.polls == 0,
            Fault::Dropped { poll, .. } => poll % self.polls == 0,
        }
    }
}

/// Runs the conversation `play` with each fault, and reports how many of each kind it met. Each run has a runtime
/// of its own, on a paused clock. `play` checks what its ends were told.
///
/// # Panics
/// When a run does, when it hangs, when it leaves a task or a transport behind, or when a fault did not happen.
pub fn row<P, F>(name: &str, manner: Manner, stride: Stride, play: P)
where
    P: Fn(Scene) -> F + Send + 'static,
    F: Future<Output = ()> + 'static,
{
    let name = name.to_owned();
    bounded_by(PATIENCE, move || {
        let extent = run(Fault::None, manner, &play).expect("there is a run without a fault");
        let mut counts = [0; COLUMNS.len()];
        let mut failed = Vec::new();
        let faults = Fault::all(&extent).into_iter().filter(|fault| stride.takes(fault));
        for fault in faults {
            match catch_unwind(AssertUnwindSafe(|| run(fault, manner, &play))) {
                Ok(Some(_)) => counts[fault.column().expect("it is a fault")] += 1,
                Ok(None) => assert!(fault.may_be_missed(), "{name}: {fault} was not met"),
                Err(_) => failed.push(fault.to_string()),
            }
        }
        let first: Vec<_> = failed.iter().take(8).collect();
        assert!(failed.is_empty(), "{name}: {} runs failed: {first:#?}", failed.len());
        let cells: Vec<_> =
            COLUMNS.iter().zip(counts).map(|(kind, count)| format!("{count} {kind}")).collect();
        report(&format!("faults: {name}: {}", cells.join(", ")));
    });
}

/// One run. How far it went, if its fault happened.
fn run<F: Future<Output = ()>>(fault: Fault, manner: Manner, play: impl Fn(Scene) -> F) -> Option<Extent> {
    let (wire, near, far) = Wire::new(fault, manner);
    let hands = Side::BOTH.map(|side| Hand::new(side, fault));
    let scene = Scene { fault, wire: wire.clone(), ends: [near, far], hands: hands.clone() };
    alone(play(scene));
    assert!(wire.is_gone(), "a transport is left");
    let is_met = match fault {
        Fault::None => true,
        Fault::Dropped { at, .. } | Fault::Harried { at } => hands[at as usize].gave_up(),
        _ => wire.is_met(),
    };
    is_met.then(|| Extent {
        bytes: wire.sent(),
        calls: wire.calls(),
        polls: hands.each_ref().map(Hand::polls),
    })
}

/// Runs `play` to its end on a runtime of its own, on a paused clock.
///
/// # Panics
/// When `play` does, when it hangs, or when it leaves a task behind. The ends of a conversation are tasks of a
/// set of their own, so that every other task is highwater's.
pub fn alone(play: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    let runtime = runtime.expect("a runtime can be built");
    LocalSet::new().block_on(&runtime, async {
        timeout(FOR_EVER, play).await.expect("it hangs");
        timeout(FOR_EVER, no_task_is_left()).await.expect("a task is left");
    });
}

async fn no_task_is_left() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        sleep(Duration::from_millis(1)).await;
    }
}
