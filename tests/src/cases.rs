//! The table of cases: every row of the reading table, at its edges.
//!
//! A read and what it gives stand on one line, which is why rustfmt keeps out of the tables.

mod counts;
mod ends;
mod frames;
mod limits;
mod lines;
mod skips;

use crate::case::Case;

/// Every case.
pub fn all() -> Vec<Case> {
    [counts::cases(), lines::cases(), frames::cases(), limits::cases(), skips::cases(), ends::cases()]
        .concat()
}
