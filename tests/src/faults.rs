//! The matrix of faults: every operation meets every fault, at every place where it can come.
//!
//! A row is a conversation that exercises some operations, a column is a kind of [`Fault`]. A row runs once
//! without a fault, which records how many bytes go each way, how often each transport is called and how often
//! each future is polled; then once for each fault that this makes possible. After each run the accounts of both
//! ends are compared, and nothing is left behind.
//!
//! | module | holds |
//! | --- | --- |
//! | [`fault`] | what goes wrong, and where |
//! | [`wire`] | a connection in memory, on which it goes wrong |
//! | [`hand`] | who performs the operations of an end, and gives one up |
//! | [`account`] | what each end was told, and how the two fit together |
//! | [`party`] | an end: a pair, its hand and its account |
//! | [`matrix`] | the runs of a row, bounded, and their count |
//! | [`reads`], [`writes`] | the rows of the readers and of the writers |
//! | [`upgrades`] | handshakes, and a session that goes over to TLS |
//! | [`servers`] | accepting, and the end of a server |
//! | [`connects`] | connecting, over sockets of the system |

pub mod account;
pub mod connects;
pub mod fault;
pub mod hand;
pub mod matrix;
pub mod party;
pub mod reads;
pub mod servers;
pub mod upgrades;
pub mod wire;
pub mod writes;

pub use fault::{Fault, Moment, Side};
