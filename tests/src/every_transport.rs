//! One suite of stream behaviour over every kind of connection.
//!
//! | module | holds |
//! | --- | --- |
//! | [`maker`] | the table of transports: what makes two connected pairs, and what differs |
//! | [`check`](mod@check) | how a check is written down |
//! | [`suite`] | runs the checks of a contract on each transport and each runtime, and counts |
//! | `live` | a reader over a live connection behind the door of [`Subject`](crate::Subject) |
//! | `stream` | bytes by their position, a peer that is clogged, reads that say what came |
//! | `reading` | the table of reads, R2 and R4, and reads that are given up, R3 |
//! | `sending` | W1 to W3: what is written leaves, whole and in order |
//! | `waiting` | W4, W5, W10: drain, flush, the cap |
//! | `ending` | W6 to W8: `write_eof`, `close`, `abort` |
//! | `failing` | W9, W11: errors that are kept, waits that end |
//!
//! A transport is added in [`maker::makers`], a check in the table of its module; nothing else changes.

pub mod check;
mod ending;
mod failing;
mod live;
pub mod maker;
mod reading;
mod sending;
mod stream;
pub mod suite;
mod waiting;

pub use check::{Check, table};
pub use maker::{Maker, makers};
pub use suite::run;
