//! How many times one contender is as fast as another.

use highwater_benches::{Measurement, Role};

/// Cost of the other divided by the own: above one is faster. Round by round, because what disturbs a round
/// disturbs both.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    /// Half of the distance between the quartiles, as a part of the median.
    pub(crate) spread: f64,
}

impl Ratio {
    /// Of `one` to `other`.
    pub(crate) fn of(one: &Measurement, other: &Measurement) -> Self {
        let samples = other.samples.iter().zip(&one.samples).map(|(theirs, own)| theirs / own).collect();
        let ratios = Measurement { samples, ..one.clone() };
        Self { median: ratios.median(), spread: ratios.spread() }
    }
}

/// Who does it at the least cost, of those that `who` admits.
pub(crate) fn best<'a>(
    measurements: impl IntoIterator<Item = &'a Measurement>,
    who: impl Fn(&Measurement) -> bool,
) -> Option<&'a Measurement> {
    let admitted = measurements.into_iter().filter(|measurement| who(measurement));
    admitted.min_by(|one, other| one.median().total_cmp(&other.median()))
}

/// The peer that does it at the least cost.
pub(crate) fn best_peer<'a>(
    measurements: impl IntoIterator<Item = &'a Measurement>,
) -> Option<&'a Measurement> {
    best(measurements, |measurement| measurement.role == Role::Peer)
}
