//! What is to be reached, and what was.

use crate::ratio::{Ratio, best};
use crate::table::{figure, spread};
use highwater_benches::{Measurement, Role};

const MIB: f64 = 1024.0 * 1024.0;

const TIME: &str = "time per";
const CPU: &str = "server CPU per";
const CALLS: &str = "system calls per";
const MEMORY: &str = "memory per";
const ALLOCATIONS: &str = "allocations per";

const READ_UNTIL: &str = "tokio read_until";
const BY_HAND: &str = "tokio fill_buf + memchr, by hand";
const GO_SLICE: &str = "Go ReadSlice";
/// As one writes it who has no reason to think of more.
const GO_SCANNER: &str = "Go Scanner, IndexAny";
const ANY: &str = "AnyDelimiterCodec";
const TOKIO: &str = "tokio BufReader/BufWriter";
const RUSTLS: &str = "tokio-rustls BufReader/BufWriter";

/// Something to be reached.
#[derive(Clone, Copy, Debug)]
struct Target {
    work: &'static str,
    /// How the metric begins.
    metric: &'static str,
    /// How the names of ours begin; the best of them counts.
    ours: &'static str,
    wanted: Wanted,
}

#[derive(Clone, Copy, Debug)]
enum Wanted {
    /// So many times as fast as the best of those whose names begin so.
    Times(f64, &'static str),
    /// So many times as fast as the best peer, whoever that is.
    TimesBest(f64),
    /// No more than this.
    AtMost(f64),
    /// Where the work grows from one point to another, the cost grows at most so many times as much as that of
    /// whoever has this name.
    Flat { from: f64, to: f64, times: f64, beside: &'static str },
}

use Wanted::{AtMost, Flat, Times, TimesBest};

const fn target(work: &'static str, metric: &'static str, ours: &'static str, wanted: Wanted) -> Target {
    Target { work, metric, ours, wanted }
}

const LINE_REF: &str = "highwater read_line_ref";
const UNTIL_REF: &str = "highwater read_until_ref";
const EXACTLY_REF: &str = "highwater read_exactly_ref";

const TARGETS: &[Target] = &[
    target("line/16/borrowed", TIME, LINE_REF, Times(2.0, READ_UNTIL)),
    target("line/16/borrowed", TIME, LINE_REF, Times(1.1, GO_SLICE)),
    target("line/16/borrowed", TIME, LINE_REF, Times(0.95, BY_HAND)),
    target("line/64/borrowed", TIME, LINE_REF, Times(1.3, READ_UNTIL)),
    target("line/64/borrowed", TIME, LINE_REF, Times(1.1, GO_SLICE)),
    target("line/64/borrowed", TIME, LINE_REF, Times(0.95, BY_HAND)),
    target("line/512/borrowed", TIME, LINE_REF, Times(1.1, READ_UNTIL)),
    target("line/512/borrowed", TIME, LINE_REF, Times(1.0, GO_SLICE)),
    target("line/512/borrowed", TIME, LINE_REF, Times(0.95, BY_HAND)),
    target("line/16/owned", TIME, "highwater read_line", Times(2.0, "tokio lines")),
    target("line/16/owned", TIME, "highwater read_line", Times(2.0, "LinesCodec")),
    target("line/16/owned", TIME, "highwater read_line", Times(1.2, ANY)),
    target("line/64/owned", TIME, "highwater read_line", Times(2.0, "tokio lines")),
    target("line/64/owned", TIME, "highwater read_line", Times(2.0, "LinesCodec")),
    target("line/64/owned", TIME, "highwater read_line", Times(1.2, ANY)),
    target("line/512/owned", TIME, "highwater read_line", Times(2.0, "tokio lines")),
    target("line/512/owned", TIME, "highwater read_line", Times(2.0, "LinesCodec")),
    target("line/512/owned", TIME, "highwater read_line", Times(1.2, ANY)),
    target("crlf/64/clean", TIME, UNTIL_REF, Times(1.2, READ_UNTIL)),
    target("crlf/64/lone", TIME, UNTIL_REF, Times(2.2, READ_UNTIL)),
    target("three/64/all", TIME, UNTIL_REF, Times(2.8, ANY)),
    target("three/64/all", TIME, UNTIL_REF, Times(2.8, GO_SCANNER)),
    target("three/64/one", TIME, UNTIL_REF, Times(2.7, ANY)),
    target("three/64/one", TIME, UNTIL_REF, Times(2.7, GO_SCANNER)),
    target("any/64/bytes", TIME, UNTIL_REF, Times(1.7, ANY)),
    target("any/64/strings", TIME, UNTIL_REF, TimesBest(1.7)),
    target("head+body", TIME, "highwater read_until_ref + read_exactly_ref", TimesBest(1.5)),
    target("head+body", TIME, "highwater read_until + read_exactly", TimesBest(1.1)),
    target("frame/100", TIME, EXACTLY_REF, TimesBest(1.7)),
    target("frame/4096", TIME, EXACTLY_REF, TimesBest(1.2)),
    target("frame/1048576", TIME, EXACTLY_REF, TimesBest(1.0)),
    target("frame/1048576", TIME, "highwater read_exactly", TimesBest(1.0)),
    target("long/16MiB/64KiB-chunks", TIME, LINE_REF, Times(1.1, READ_UNTIL)),
    target("long/16MiB/1KiB-chunks", TIME, LINE_REF, Times(1.1, READ_UNTIL)),
    target(
        "growth/bytes-per-line",
        TIME,
        LINE_REF,
        Flat { from: MIB / 16.0, to: 64.0 * MIB, times: 1.1, beside: "copy into one Vec" },
    ),
    target("write/64/flush-per-100", TIME, "highwater write + flush", Times(1.4, "tokio BufWriter")),
    // Equal, within a hundredth.
    target("tcp/echo/1", CPU, "highwater", Times(0.99, TOKIO)),
    target("tcp/echo/1", CALLS, "highwater", AtMost(3.0)),
    target("tcp/echo/50", CPU, "highwater", Times(0.99, TOKIO)),
    target("tcp/echo/50", CALLS, "highwater", AtMost(3.0)),
    target("tcp/pipelined/100", CPU, "highwater", Times(1.0, TOKIO)),
    target("tcp/pipelined/100", CALLS, "highwater", AtMost(0.03)),
    target("tcp/lines/in", CPU, "highwater, borrowed", Times(1.5, TOKIO)),
    target("tcp/lines/out", CPU, "highwater, drain per 100", Times(2.5, "tokio BufWriter, flush per 100")),
    target("tcp/lines/out", CPU, "highwater, drain after each", Times(2.5, "tokio BufWriter, flush per 100")),
    target("tcp/bulk/in", CPU, "highwater", Times(1.0, TOKIO)),
    target("tcp/bulk/out", CPU, "highwater", Times(1.0, TOKIO)),
    target("tcp/bulk/out-owned", CPU, "highwater", Times(1.0, TOKIO)),
    // Within two hundredths.
    target("tcp/connect/client-first", CPU, "highwater", Times(0.98, TOKIO)),
    target("tcp/idle", MEMORY, "highwater", AtMost(2.5)),
    target("tls/connect", CPU, "highwater", Times(0.98, RUSTLS)),
    target("tls/echo", CPU, "highwater", Times(0.98, RUSTLS)),
    target("tls/bulk/in", CPU, "highwater", Times(0.98, RUSTLS)),
    target("tls/bulk/out", CPU, "highwater", Times(0.98, RUSTLS)),
    target("tls/bulk/out-owned", CPU, "highwater", Times(0.98, RUSTLS)),
    target("line/64/borrowed", ALLOCATIONS, LINE_REF, AtMost(0.0)),
    target("line/64/owned", ALLOCATIONS, "highwater read_line", AtMost(1.0)),
    target("frame/100", ALLOCATIONS, EXACTLY_REF, AtMost(0.0)),
    target("write/64/flush-per-100", ALLOCATIONS, "highwater write + flush", AtMost(0.0)),
    target("wait/64", ALLOCATIONS, LINE_REF, AtMost(1.0)),
];

/// What became of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Met,
    /// Not reached, but nearer than the rounds are to each other.
    WithinSpread,
    Short,
    /// Who it takes was not measured.
    NotMeasured,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::WithinSpread => "within the spread",
            Self::Short => "short",
            Self::NotMeasured => "not measured",
        }
    }
}

/// A target beside what was measured, in words.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) work: &'static str,
    pub(crate) ours: &'static str,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    pub(crate) spread: String,
    pub(crate) verdict: Verdict,
}

/// Every target that `includes` admits by the name of its work.
pub(crate) fn reached(measurements: &[Measurement], includes: impl Fn(&str) -> bool) -> Vec<Reached> {
    let wanted = TARGETS.iter().filter(|target| includes(target.work));
    wanted.map(|target| target.reached(measurements)).collect()
}

/// For a terminal.
pub(crate) fn print(targets: &[Reached]) {
    println!("\nTargets");
    for Reached { work, ours, wanted, measured, spread, verdict } in targets {
        let word = verdict.word();
        println!("  {word:<18}{work:<26}{ours:<44}{wanted:<58}{measured:>10} {spread:>9}");
    }
    println!("{}", summary(targets));
}

/// How many became what.
pub(crate) fn summary(targets: &[Reached]) -> String {
    let verdicts = [Verdict::Met, Verdict::WithinSpread, Verdict::Short, Verdict::NotMeasured];
    let counts = verdicts.map(|verdict| {
        let count = targets.iter().filter(|target| target.verdict == verdict).count();
        format!("{count} {}", verdict.word())
    });
    format!("{} targets: {}", targets.len(), counts.join(", "))
}

/// What is to be compared with the target, the larger the better.
struct Measured {
    /// As a part of what is wanted: one is enough.
    reached: f64,
    spread: f64,
    shown: String,
}

impl Target {
    fn reached(&self, measurements: &[Measurement]) -> Reached {
        let measured = self.measure(measurements);
        let verdict = match &measured {
            None => Verdict::NotMeasured,
            Some(measured) if measured.reached >= 1.0 => Verdict::Met,
            Some(measured) if measured.reached * (1.0 + measured.spread) >= 1.0 => Verdict::WithinSpread,
            Some(_) => Verdict::Short,
        };
        Reached {
            work: self.work,
            ours: self.ours,
            wanted: self.wanted.shown(),
            spread: measured.as_ref().map_or(String::new(), |measured| spread(measured.spread)),
            measured: measured.map_or(String::new(), |measured| measured.shown),
            verdict,
        }
    }

    fn measure(&self, measurements: &[Measurement]) -> Option<Measured> {
        let of_work = || {
            let same = |measurement: &&Measurement| {
                measurement.work == self.work && measurement.metric.starts_with(self.metric)
            };
            measurements.iter().filter(same)
        };
        let named = |name: &str| best(of_work(), |measurement| measurement.contender.starts_with(name));
        let at = |name: &str, at: f64| {
            best(of_work(), |measurement| measurement.contender == name && measurement.at == Some(at))
        };
        // One that is named whole comes before those whose names only begin so.
        let ours =
            best(of_work(), |measurement| measurement.contender == self.ours).or_else(|| named(self.ours))?;
        let times = |wanted: f64, other: &Measurement| {
            let Ratio { median, spread } = Ratio::of(ours, other);
            Measured { reached: median / wanted, spread, shown: format!("{median:.2} x") }
        };
        Some(match self.wanted {
            Times(wanted, other) => times(wanted, named(other)?),
            TimesBest(wanted) => times(wanted, best(of_work(), |other| other.role == Role::Peer)?),
            AtMost(most) => Measured {
                // What costs nothing is within every bound.
                reached: if ours.median() <= most { 1.0 } else { most / ours.median() },
                spread: if ours.median() > 0.0 { ours.spread() } else { 0.0 },
                shown: figure(ours.median()),
            },
            Flat { from, to, times, beside } => {
                let grows = |name: &str| Some(Ratio::of(at(name, from)?, at(name, to)?));
                let (own, other) = (grows(self.ours)?, grows(beside)?);
                Measured {
                    reached: times * other.median / own.median,
                    spread: own.spread.max(other.spread),
                    shown: format!("{:.2} x", own.median / other.median),
                }
            }
        })
    }
}

impl Wanted {
    fn shown(self) -> String {
        match self {
            Times(times, other) => format!("{times} x {other}"),
            TimesBest(times) => format!("{times} x the best peer"),
            AtMost(most) => format!("at most {most}"),
            Flat { times, beside, .. } => {
                format!("64 KiB to 64 MiB: grows at most {times} x as `{beside}`")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(contender: &str, role: Role, samples: &[f64]) -> Measurement {
        Measurement {
            work: "w".to_owned(),
            metric: "time per record, ns",
            contender: contender.to_owned(),
            role,
            at: None,
            samples: samples.to_vec(),
        }
    }

    fn verdict(wanted: Wanted, measurements: &[Measurement]) -> Verdict {
        target("w", TIME, "highwater", wanted).reached(measurements).verdict
    }

    #[test]
    fn a_target_is_met_within_the_spread_or_short() {
        let ours = measurement("highwater", Role::Ours, &[10.0; 5]);
        let peer = measurement("tokio", Role::Peer, &[18.0, 19.0, 20.0, 21.0, 22.0]);
        let measured = [ours, peer];
        assert_eq!(verdict(Times(2.0, "tokio"), &measured), Verdict::Met);
        assert_eq!(verdict(Times(2.09, "tokio"), &measured), Verdict::WithinSpread);
        assert_eq!(verdict(Times(2.2, "tokio"), &measured), Verdict::Short);
        assert_eq!(verdict(Times(1.0, "Go"), &measured), Verdict::NotMeasured);
    }

    #[test]
    fn neither_a_bound_nor_a_trap_is_the_best_peer() {
        let measured = [
            measurement("highwater", Role::Ours, &[10.0]),
            measurement("copy", Role::Bound, &[1.0]),
            measurement("rescan", Role::Trap, &[2.0]),
            measurement("tokio", Role::Peer, &[20.0]),
        ];
        assert_eq!(verdict(TimesBest(2.0), &measured), Verdict::Met);
        assert_eq!(verdict(TimesBest(2.1), &measured), Verdict::Short);
    }

    #[test]
    fn of_costs_that_are_counted_nothing_is_within_every_bound() {
        let none = [measurement("highwater", Role::Ours, &[0.0; 3])];
        assert_eq!(verdict(AtMost(0.0), &none), Verdict::Met);
        let one = [measurement("highwater", Role::Ours, &[1.0; 3])];
        assert_eq!(verdict(AtMost(0.0), &one), Verdict::Short);
        assert_eq!(verdict(AtMost(1.0), &one), Verdict::Met);
    }
}
