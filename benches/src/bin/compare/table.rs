//! The figures as tables: one for each work and metric, the cheapest first, and one for how a work grows.

use crate::ratio::{Ratio, best_peer};
use highwater_benches::{Measurement, Role};

/// All contenders of one work by one metric, at one point of it where it grows.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) work: &'a str,
    pub(crate) metric: &'static str,
    pub(crate) at: Option<f64>,
    pub(crate) rows: Vec<Row<'a>>,
}

#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) measurement: &'a Measurement,
    /// To the best peer, where there is one.
    pub(crate) ratio: Option<Ratio>,
}

/// The tables, in the order in which the works came.
pub(crate) fn tables(measurements: &[Measurement]) -> Vec<Table<'_>> {
    let mut tables: Vec<Table<'_>> = Vec::new();
    for measurement in measurements {
        let row = Row { measurement, ratio: None };
        match tables.iter_mut().find(|table| table.is_of(measurement)) {
            Some(table) => table.rows.push(row),
            None => tables.push(Table {
                work: &measurement.work,
                metric: measurement.metric,
                at: measurement.at,
                rows: vec![row],
            }),
        }
    }
    for table in &mut tables {
        let peer = best_peer(table.rows.iter().map(|row| row.measurement));
        for row in &mut table.rows {
            row.ratio = peer.map(|peer| Ratio::of(row.measurement, peer));
        }
        table.rows.sort_by(|one, other| one.measurement.median().total_cmp(&other.measurement.median()));
    }
    tables
}

impl Table<'_> {
    fn is_of(&self, one: &Measurement) -> bool {
        self.work == one.work && self.metric == one.metric && self.at == one.at
    }

    /// For a terminal.
    pub(crate) fn print(&self) {
        let at = self.at.map_or(String::new(), |at| format!(" at {at}"));
        println!("\n{}{at}, {}", self.work, self.metric);
        for Row { measurement, ratio } in &self.rows {
            println!(
                "  {:<6} {:<44}{:>12} {:>9} {:>9}",
                role(measurement.role),
                measurement.contender,
                figure(measurement.median()),
                spread(measurement.spread()),
                times(*ratio),
            );
        }
    }
}

/// How the cost of a work grows by one metric: a line for each contender.
#[derive(Debug)]
pub(crate) struct Growth<'a> {
    pub(crate) work: &'a str,
    pub(crate) metric: &'static str,
    pub(crate) lines: Vec<Line<'a>>,
}

/// What the work costs a contender at each point.
#[derive(Debug, PartialEq)]
pub(crate) struct Line<'a> {
    pub(crate) contender: &'a str,
    pub(crate) role: Role,
    pub(crate) points: Vec<(f64, f64)>,
}

/// All works that grow, each by the first metric that it was measured by.
pub(crate) fn growths(measurements: &[Measurement]) -> Vec<Growth<'_>> {
    let mut growths: Vec<Growth<'_>> = Vec::new();
    for measurement in measurements {
        let Some(at) = measurement.at else { continue };
        let known = growths.iter().position(|growth| growth.work == measurement.work);
        let place = known.unwrap_or_else(|| {
            growths.push(Growth { work: &measurement.work, metric: measurement.metric, lines: Vec::new() });
            growths.len() - 1
        });
        let growth = &mut growths[place];
        if growth.metric != measurement.metric {
            continue;
        }
        let point = (at, measurement.median());
        match growth.lines.iter_mut().find(|line| line.contender == measurement.contender) {
            Some(line) => line.points.push(point),
            None => growth.lines.push(Line {
                contender: &measurement.contender,
                role: measurement.role,
                points: vec![point],
            }),
        }
    }
    growths
}

/// What stands before a contender.
pub(crate) fn role(role: Role) -> &'static str {
    match role {
        Role::Ours => "ours",
        Role::Peer => "",
        Role::Bound => "bound",
        Role::Trap => "trap",
    }
}

/// A figure with as many digits as it deserves.
pub(crate) fn figure(value: f64) -> String {
    match value {
        value if value >= 1000.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 || value == 0.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// A spread in hundredths.
pub(crate) fn spread(part: f64) -> String {
    if part.is_finite() { format!("±{:.1} %", part * 100.0) } else { String::new() }
}

/// How many times as fast, where that can be told.
pub(crate) fn times(ratio: Option<Ratio>) -> String {
    let told = ratio.filter(|ratio| ratio.median.is_normal());
    told.map_or(String::new(), |ratio| format!("{:.2} x", ratio.median))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measurement(contender: &str, role: Role, at: Option<f64>, cost: f64) -> Measurement {
        Measurement {
            work: "w".to_owned(),
            metric: "m",
            contender: contender.to_owned(),
            role,
            at,
            samples: vec![cost; 5],
        }
    }

    #[test]
    fn a_table_begins_with_the_cheapest_and_compares_with_the_best_peer() {
        let measured = [
            measurement("ours", Role::Ours, None, 5.0),
            measurement("slow", Role::Peer, None, 20.0),
            measurement("quick", Role::Peer, None, 10.0),
            measurement("copy", Role::Bound, None, 1.0),
        ];
        let [table] = &tables(&measured)[..] else { panic!("there is one work") };
        let rows: Vec<_> = table
            .rows
            .iter()
            .map(|row| (row.measurement.contender.as_str(), row.ratio.expect("there is a peer").median))
            .collect();
        assert_eq!(rows, [("copy", 10.0), ("ours", 2.0), ("quick", 1.0), ("slow", 0.5)]);
    }

    #[test]
    fn points_of_a_growing_work_are_tables_of_their_own_and_one_line() {
        let measured = [
            measurement("ours", Role::Ours, Some(1.0), 5.0),
            measurement("ours", Role::Ours, Some(2.0), 6.0),
        ];
        assert_eq!(tables(&measured).len(), 2);
        let [growth] = &growths(&measured)[..] else { panic!("there is one work") };
        let line = Line { contender: "ours", role: Role::Ours, points: vec![(1.0, 5.0), (2.0, 6.0)] };
        assert_eq!(growth.lines, [line]);
    }
}
