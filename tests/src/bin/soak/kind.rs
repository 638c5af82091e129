//! What clients do, and what is to come of it.

use std::fmt;

use crate::dice::Dice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One after the other, with pauses.
    Echo,
    /// Many at once, and then all the answers.
    Pipelined,
    /// Many at once and the end of its half, and then all the answers and the other end.
    HalfClosed,
    /// Resets the connection while it is being answered.
    Aborted,
    /// Takes nothing for seconds, and then everything.
    Stalled,
    /// Takes nothing at all, until the server has had enough.
    Unread,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] =
        [Self::Echo, Self::Pipelined, Self::HalfClosed, Self::Aborted, Self::Stalled, Self::Unread];

    /// Of a hundred, so many.
    const SHARES: [u64; 6] = [42, 25, 15, 10, 7, 1];

    pub(crate) fn choose(dice: &mut Dice) -> Self {
        let mut number = dice.within(0..=99);
        for (kind, share) in Self::ALL.into_iter().zip(Self::SHARES) {
            match number.checked_sub(share) {
                Some(rest) => number = rest,
                None => return kind,
            }
        }
        Self::Echo
    }

    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_string().as_bytes() == name)
    }

    /// Whether its connection is to fail: its errors are expected.
    pub(crate) fn is_to_fail(self) -> bool {
        matches!(self, Self::Aborted | Self::Unread)
    }

    /// Whether it keeps the room in its kernel small, so that the server notices.
    pub(crate) fn is_slow(self) -> bool {
        matches!(self, Self::Stalled | Self::Unread)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Echo => "echo",
            Self::Pipelined => "pipelined",
            Self::HalfClosed => "half-closed",
            Self::Aborted => "aborted",
            Self::Stalled => "stalled",
            Self::Unread => "unread",
        })
    }
}
