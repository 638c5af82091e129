//! What each end was told, and how the two fit together.

use super::fault::{Fault, Side};
use super::wire::INJECTED;
use std::io::ErrorKind;

/// What one end was told of what it has sent, and what it has read.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// What `write` has accepted.
    pub accepted: Vec<u8>,
    /// How many of these are flushed, for all that it knows.
    pub acknowledged: usize,
    /// What its reads have returned.
    pub delivered: Vec<u8>,
    /// How its reading ended.
    pub reading: Ending,
    /// How its connection ended.
    pub closing: Ending,
    /// It has given the connection up: an operation that cannot be repeated was dropped, or it aborted, or it was
    /// closed before the other end had ended.
    pub gave_up: bool,
    /// What the end of what it reads means.
    pub ends: Ends,
}

/// How something ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// It did not.
    #[default]
    Open,
    /// As it should.
    Clean,
    /// With an error.
    Failed(ErrorKind),
}

impl Ending {
    /// The first one stays.
    pub fn note(&mut self, ending: Self) {
        if *self == Self::Open {
            *self = ending;
        }
    }
}

/// What a clean end of the stream means to whoever reads it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ends {
    /// All is there: TLS tells a cut from an end.
    Told,
    /// All is there unless the wire was cut: an end that fails is reset.
    #[default]
    Reset,
    /// Nothing: an end that fails is gone, as everybody is in the end.
    Bare,
}

impl Account {
    /// It closed well, and was told of no failure.
    fn is_complete(&self) -> bool {
        self.closing == Ending::Clean && !matches!(self.reading, Ending::Failed(_))
    }

    /// The kinds of errors that it was told.
    fn errors(&self) -> impl Iterator<Item = ErrorKind> {
        [self.reading, self.closing].into_iter().filter_map(|ending| match ending {
            Ending::Failed(kind) => Some(kind),
            Ending::Open | Ending::Clean => None,
        })
    }
}

/// Checks the accounts of both ends, near and far.
///
/// # Panics
/// Where one was told what is not so.
pub fn check(accounts: [&Account; 2], fault: Fault) {
    for side in Side::BOTH {
        let (from, to) = (accounts[side as usize], accounts[!side as usize]);
        assert!(
            from.accepted.starts_with(&to.delivered),
            "neither a gap nor a repetition: {:?} of {:?}",
            String::from_utf8_lossy(&to.delivered),
            String::from_utf8_lossy(&from.accepted)
        );
        let is_undisturbed = !to.gave_up && !matches!(fault, Fault::Error { at, .. } if at == !side);
        if is_undisturbed && to.reading != Ending::Open {
            let count = to.delivered.len();
            assert!(count >= from.acknowledged, "{count} bytes of {} that were flushed", from.acknowledged);
            if from.closing == Ending::Clean && !from.gave_up {
                assert_eq!(count, from.accepted.len(), "a clean close, so all of it arrived");
            }
        }
        let may_be_cut = match to.ends {
            Ends::Told => false,
            Ends::Reset => matches!(fault, Fault::End { from, .. } if from == side),
            Ends::Bare => match fault {
                Fault::None | Fault::Interrupted { .. } => false,
                Fault::Dropped { .. } | Fault::Harried { .. } => from.gave_up,
                Fault::Reset { .. } | Fault::End { .. } | Fault::Error { .. } => true,
            },
        };
        if to.reading == Ending::Clean && !to.gave_up && !may_be_cut {
            assert_eq!(to.delivered.len(), from.accepted.len(), "a clean end, so all of it is there");
        }
    }
    let [near, far] = accounts;
    let is_complete = near.is_complete() && far.is_complete();
    match fault {
        _ if near.gave_up || far.gave_up => {}
        Fault::None | Fault::Interrupted { .. } => assert!(is_complete, "nothing was to fail: {accounts:?}"),
        Fault::Dropped { .. } | Fault::Harried { .. } => {
            assert!(is_complete, "what was given up was done again: {accounts:?}");
        }
        Fault::Error { at, .. } if !accounts[at as usize].is_complete() => {
            let mut errors = accounts[at as usize].errors().peekable();
            let was_told = errors.peek().is_some() && errors.all(|kind| kind == INJECTED);
            assert!(was_told, "the error is told, as it was: {accounts:?}");
        }
        _ => {}
    }
}
