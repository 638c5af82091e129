//! Servers over sockets.

use crate::Choice;
use highwater_benches::Measurement;

/// Every work over sockets that is wanted.
pub(crate) fn measure(_: &Choice) -> Vec<Measurement> {
    Vec::new()
}
