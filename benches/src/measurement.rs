//! What one contender cost at one work, round by round: the one thing that benches give and reports read.

/// Who a figure belongs to, and so what it may be compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// highwater.
    Ours,
    /// What a user would pick instead.
    Peer,
    /// A limit of the hardware, the kernel or of code that does nothing else. Never the best peer.
    Bound,
    /// A mistake made on purpose, to show what it costs. Never the best peer.
    Trap,
}

/// What a contender cost at one work. Every figure is a cost: the smaller, the better.
#[derive(Clone, Debug)]
pub struct Measurement {
    /// What was to be done, in words with slashes, such as `line/16/borrowed`. Contenders of the same work and
    /// metric stand in one table.
    pub work: String,
    /// What was counted and in what unit, such as `time per line, ns`.
    pub metric: &'static str,
    /// Who did it, such as `tokio read_until`.
    pub contender: String,
    /// Who that is to us.
    pub role: Role,
    /// Where the work is one point of a growing one: how large, long or many.
    pub at: Option<f64>,
    /// One figure a round. Round by round, all contenders of a work took turns.
    pub samples: Vec<f64>,
}

impl Measurement {
    /// The figure in the middle: half of the rounds cost no more.
    pub fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// Half of the distance between the quartiles, as a part of the median.
    pub fn spread(&self) -> f64 {
        (self.quantile(0.75) - self.quantile(0.25)) / 2.0 / self.median()
    }

    fn quantile(&self, part: f64) -> f64 {
        let mut sorted = self.samples.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
        let place = part * last as f64;
        let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
        below + (above - below) * place.fract()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_and_the_spread_of_some_rounds() {
        let measurement = Measurement {
            work: String::new(),
            metric: "",
            contender: String::new(),
            role: Role::Ours,
            at: None,
            samples: vec![30.0, 10.0, 20.0, 50.0, 40.0],
        };
        assert_eq!(measurement.median(), 30.0);
        assert!((measurement.spread() - 1.0 / 3.0).abs() < 1e-9);
    }
}
