//! The figures as tables: one for each work and metric, the cheapest first.

use crate::ratio::{Ratio, best_peer};
use highwater_benches::{Measurement, Role};

/// All contenders of one work by one metric.
#[derive(Debug)]
pub(crate) struct Table<'a> {
    pub(crate) work: &'a str,
    pub(crate) metric: &'static str,
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
        let known = tables
            .iter_mut()
            .find(|table| table.work == measurement.work && table.metric == measurement.metric);
        match known {
            Some(table) => table.rows.push(row),
            None => {
                tables.push(Table { work: &measurement.work, metric: measurement.metric, rows: vec![row] })
            }
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
    /// For a terminal.
    pub(crate) fn print(&self) {
        println!("\n{}, {}", self.work, self.metric);
        for Row { measurement, ratio } in &self.rows {
            println!(
                "  {:<6} {:<44}{:>12} {:>8}{:>8}",
                role(measurement.role),
                measurement.contender,
                figure(measurement.median()),
                spread(measurement.spread()),
                ratio.map_or(String::new(), |ratio| format!("{:.2} x", ratio.median)),
            );
        }
    }
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
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// A spread in hundredths.
pub(crate) fn spread(part: f64) -> String {
    if part.is_finite() { format!("±{:.1} %", part * 100.0) } else { String::new() }
}
