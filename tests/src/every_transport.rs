//! One suite of stream behaviour over every kind of connection.
//!
//! | module | holds |
//! | --- | --- |
//! | [`maker`] | the table of transports: what makes two connected pairs, and what differs |
//! | [`check`](mod@check) | how a check is written down |
//! | [`suite`] | runs the checks of a contract on each transport and each runtime, and counts |
//! | `live` | a reader over a live connection behind the door of [`Subject`](crate::Subject) |
//! | `reading` | the table of reads, R2 and R4 |
//!
//! The checks that users can run too, of R3 and of all that is written, are those of highwater-testing. A
//! transport is added in [`maker::makers`], a check there or in `reading`; nothing else changes.

pub mod check;
mod live;
pub mod maker;
mod reading;
pub mod suite;

pub use check::{Check, table};
pub use maker::{Maker, makers};
pub use suite::run;
