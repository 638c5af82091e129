//! What goes wrong, and where.

use std::fmt;
use std::ops::Not;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The end that begins: a client.
    Near,
    /// The other one: a server.
    Far,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Near, Self::Far];
}

impl Not for Side {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::Near => Self::Far,
            Self::Far => Self::Near,
        }
    }
}

/// When a future is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// In place of this poll: it was woken, or never polled.
    Woken,
    /// After this poll, in which it had to wait: its waker is with whoever would wake it.
    Waiting,
}

/// One thing that goes wrong in a run. `after` counts bytes on the wire, `call` and `poll` count from zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// None.
    None,
    /// The connection is reset once so many bytes went this way. What is under way is still delivered.
    Reset {
        /// Who sends them.
        from: Side,
        /// How many.
        after: u64,
    },
    /// The way from this end is at its end after so many bytes, as if a proxy had closed that half.
    End {
        /// Who sends them.
        from: Side,
        /// How many.
        after: u64,
    },
    /// This call of the transport fails, and no other does.
    Error {
        /// Whose transport.
        at: Side,
        /// Which call.
        call: usize,
    },
    /// This call of the transport is interrupted: it should be made again. The next read or write, if it is
    /// another.
    Interrupted {
        /// Whose transport.
        at: Side,
        /// Which call.
        call: usize,
    },
    /// An operation is given up: its future is dropped.
    Dropped {
        /// Whose operation.
        at: Side,
        /// Which poll, of all that this end's operations have.
        poll: usize,
        /// Before or after it.
        moment: Moment,
    },
    /// Each operation that can be called again is given up whenever it has to wait.
    Harried {
        /// Whose operations.
        at: Side,
    },
}

/// How far a run without a fault went, which says where there can be one. By [`Side`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Bytes that each end has sent.
    pub bytes: [u64; 2],
    /// Calls of the transport of each.
    pub calls: [usize; 2],
    /// Polls of the operations of each.
    pub polls: [usize; 2],
}

/// The kinds of faults, which are the columns of the matrix.
pub const COLUMNS: [&str; 5] = ["reset", "end", "error", "interrupted", "dropped"];

impl Fault {
    /// Which of the [`COLUMNS`] it is in, if it is a fault.
    pub fn column(self) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Reset { .. } => Some(0),
            Self::End { .. } => Some(1),
            Self::Error { .. } => Some(2),
            Self::Interrupted { .. } => Some(3),
            Self::Dropped { .. } | Self::Harried { .. } => Some(4),
        }
    }

    /// Whether there may be nothing to do where it is: a poll that is over need not be waited for, and no read or
    /// write may follow.
    pub fn may_be_missed(self) -> bool {
        let may_not_wait =
            matches!(self, Self::Dropped { moment: Moment::Waiting, .. } | Self::Harried { .. });
        may_not_wait || matches!(self, Self::Interrupted { .. })
    }

    /// Every fault that there can be in a run of this extent.
    pub fn all(extent: &Extent) -> Vec<Self> {
        let mut all = Vec::new();
        for side in Side::BOTH {
            let index = side as usize;
            for after in 0..=extent.bytes[index] {
                all.push(Self::Reset { from: side, after });
                all.push(Self::End { from: side, after });
            }
            for call in 0..extent.calls[index] {
                all.push(Self::Error { at: side, call });
                all.push(Self::Interrupted { at: side, call });
            }
            if extent.polls[index] > 0 {
                all.push(Self::Harried { at: side });
            }
            for poll in 0..extent.polls[index] {
                for moment in [Moment::Woken, Moment::Waiting] {
                    all.push(Self::Dropped { at: side, poll, moment });
                }
            }
        }
        all
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("no fault"),
            Self::Reset { from, after } => write!(f, "a reset after {after} bytes from {from:?}"),
            Self::End { from, after } => write!(f, "an end after {after} bytes from {from:?}"),
            Self::Error { at, call } => write!(f, "an error in call {call} at {at:?}"),
            Self::Interrupted { at, call } => write!(f, "call {call} at {at:?} interrupted"),
            Self::Harried { at } => write!(f, "{at:?} harried"),
            Self::Dropped { at, poll, moment } => write!(f, "poll {poll} at {at:?} dropped, {moment:?}"),
        }
    }
}
