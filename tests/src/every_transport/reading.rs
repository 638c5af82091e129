//! R2, R4: the table of reads, cut in several ways.

use super::check::Check;
use super::live::Live;
use crate::case::Case;
use crate::cases;
use crate::every_cut::run_case;
use highwater_testing::{Cut, End, Reset};
use std::collections::BTreeSet;

/// In so many places at most the bytes of a case are cut in two, evenly spread, for each run makes a
/// connection. `ReadBuffer`, and `StreamReader` over memory, see every position elsewhere.
const POSITIONS: usize = 6;

/// The same where it takes long to make a connection.
const FEW_POSITIONS: usize = 1;

pub(super) fn checks() -> Vec<Check> {
    cases::all().into_iter().map(read_of_the_table).collect()
}

fn read_of_the_table(case: Case) -> Check {
    let (contract, needs) =
        if case.end == End::Error { ("r4", Reset::WithUnreadInput) } else { ("r2", Reset::Never) };
    let name = case.name.clone();
    Check::blocking(contract, &name, needs, move |runtime, maker| {
        for cut in cuts(case.bytes.len(), if maker.is_slow { FEW_POSITIONS } else { POSITIONS }) {
            run_case(&case, &cut, &mut Live::new(runtime, maker, case.limit));
        }
    })
}

/// Ahead of all reads, whole, byte by byte, and split at so many positions.
fn cuts(length: usize, positions: usize) -> impl Iterator<Item = Cut> {
    // Behind the first byte and before the last, if there is more than one position, which is in the middle.
    let gaps = length.saturating_sub(1);
    let positions: BTreeSet<_> = match positions {
        1 => BTreeSet::from([length / 2]),
        _ => (0..positions).map(|step| 1 + gaps.saturating_sub(1) * step / (positions - 1)).collect(),
    };
    let positions = positions.into_iter().filter(move |position| (1..length).contains(position));
    [Cut::Ahead, Cut::Whole, Cut::ByteByByte].into_iter().chain(positions.map(Cut::At))
}
