//! The report: `docs/performance.md`, and what is drawn for it.

use crate::table::{Growth, Row, Table, figure, growths, role, spread, tables, times};
use crate::targets::{self, Reached};
use crate::{Choice, allocations, machine, plots};
use highwater_benches::{Measurement, Role};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Works by the beginning of their name, and what a reader is to know of them.
const SECTIONS: &[(&str, &str, &str)] = &[
    (
        "line/",
        "Lines",
        "Lines that end in `\\n`. Borrowed: seen where they lie, or in a `Vec` that is used again. \
        Owned: kept.",
    ),
    (
        "crlf/",
        "Lines that end in `\\r\\n`",
        "Of 64 bytes: clean text, and with a lone `\\r` and a lone `\\n` in it.",
    ),
    (
        "three/",
        "Three separators",
        "Records of 64 bytes that end in `\\r\\n`, `\\n` or `\\0`: a third each, or one of them \
        always. `AnyDelimiterCodec` knows bytes only, and leaves the `\\r` to its user.",
    ),
    (
        "any/",
        "Any separators",
        "Five that are one byte each, and five of which none is a byte that occurs alone.",
    ),
    (
        "head+body",
        "A head and a body",
        "A head of ten lines until a blank one, and a body of as many bytes as it says.",
    ),
    ("frame/", "Frames", "A length in four bytes, and so many bytes."),
    ("long/", "A line of 16 MiB", "As it comes in large chunks and in small ones."),
    ("write/", "Writing", "Records of 64 bytes into memory, flushed a hundred at a time."),
    ("wait/", "Waiting", "A line for which the reader has to wait, its buffer being empty."),
    ("tcp/", "TCP", "Servers over loopback, all of them driven by one client, so that only they differ."),
    ("tls/", "TLS", "The same through TLS 1.3, with the same provider for all that are Rust."),
];

/// Writes the report and its plots into `folder`.
///
/// # Errors
/// A sentence about what could not be written.
pub(crate) fn write(
    folder: &Path,
    measurements: &[Measurement],
    choice: &Choice,
    load_before: Option<String>,
) -> Result<(), String> {
    let drawn = folder.join("performance");
    fs::create_dir_all(&drawn).map_err(|error| format!("no place for the plots: {error}"))?;
    let growths = growths(measurements);
    for growth in &growths {
        let path = drawn.join(plots::file_name(growth));
        plots::draw(growth, &path).map_err(|error| format!("{} was not drawn: {error}", growth.work))?;
    }
    let targets = targets::reached(measurements, |_| true);
    let path = folder.join("performance.md");
    fs::write(&path, text(measurements, &growths, &targets, choice, load_before))
        .map_err(|error| format!("the report was not written: {error}"))?;
    println!("\nwrote {} and {} plots", path.display(), growths.len());
    Ok(())
}

fn text(
    measurements: &[Measurement],
    growths: &[Growth<'_>],
    targets: &[Reached],
    choice: &Choice,
    load_before: Option<String>,
) -> String {
    let mut text = introduction(choice, load_before);
    text += "\n## What is to be reached\n\n";
    let _ = writeln!(text, "{}.\n", targets::summary(targets));
    text += &targets_table(targets);
    let tables = tables(measurements);
    for (part, title, about) in SECTIONS {
        let of_section = |table: &&Table<'_>| {
            let is_timed = table.at.is_none() && table.metric != allocations::METRIC;
            is_timed && table.work.starts_with(part)
        };
        let mut of_section = tables.iter().filter(of_section).peekable();
        if of_section.peek().is_none() {
            continue;
        }
        let _ = writeln!(text, "\n## {title}\n\n{about}");
        for table in of_section {
            text += &contenders(table);
        }
    }
    text += &allocated(&tables);
    text += "\n## How cost grows\n\nBoth axes are logarithmic.\n";
    for growth in growths {
        text += &points(growth);
    }
    text
}

fn introduction(choice: &Choice, load_before: Option<String>) -> String {
    let rounds = choice.rounds;
    let quick = if choice.quick { ", short ones" } else { "" };
    let load = load_before.map_or(String::new(), |load| format!(" The load was {load} when it began."));
    format!(
        "# Performance\n\n\
        Written by `cargo xtask bench --report`; `cargo xtask bench` prints the same anywhere. Ratios within one \
        table say more than figures: machines differ, and this one is not alone on its hardware.\n\n\
        ## How it was measured\n\n\
        - {}.{load}\n\
        - {}. Everything is built by one compiler with one profile, for the default processor of its target.\n\
        - Within a round every contender of a work runs once, and each round begins with another one; {rounds} \
        rounds{quick}, after a warm-up. A figure is the median, and what stands after ± is half the distance between \
        the quartiles, as a part of the median. A ratio is the median of the ratios within the rounds: above 1, \
        faster than the best peer.\n\
        - In memory, a read copies out at most what is left of a chunk of 64 KiB, whose ends fall within records, and \
        everything stays on one core. Time is the processor time of the thread.\n\
        - Whoever does not see every record and every byte fails the run.\n\
        - *bound* is what the hardware or code that does nothing else leaves, *trap* a mistake made on purpose; neither is a \
        peer.\n\n\
        What was tried, and what a profile says of the rows that fall short, is in \
        [benches/README.md](../benches/README.md).\n",
        machine::hardware(),
        machine::versions(choice.external),
    )
}

fn targets_table(targets: &[Reached]) -> String {
    let mut text =
        "| work | ours | wanted | measured | spread | |\n| --- | --- | --- | ---: | ---: | --- |\n"
            .to_owned();
    for Reached { work, ours, wanted, measured, spread, verdict } in targets {
        let verdict = verdict.word();
        let _ = writeln!(text, "| {work} | {ours} | {wanted} | {measured} | {spread} | {verdict} |");
    }
    text
}

fn contenders(table: &Table<'_>) -> String {
    let mut text = format!("\n**{}**, {}\n\n", table.work, table.metric);
    text += "| | | median | spread | to the best peer |\n| --- | --- | ---: | ---: | ---: |\n";
    for Row { measurement, ratio } in &table.rows {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            role(measurement.role),
            measurement.contender,
            figure(measurement.median()),
            spread(measurement.spread()),
            times(*ratio),
        );
    }
    text
}

/// What each contender allocates, one row a work.
fn allocated(tables: &[Table<'_>]) -> String {
    let mut text = "\n## Allocations\n\nCalls of the allocator per line, frame, message or write, bytes and \
        room being there; in `wait` they are not.\n\n| work | ours | peers |\n| --- | --- | --- |\n"
        .to_owned();
    for table in tables.iter().filter(|table| table.metric == allocations::METRIC) {
        let those_of = |role| {
            let rows = table.rows.iter().map(|row| row.measurement).filter(|row| row.role == role);
            let counts = rows.map(|row| format!("{}: {}", row.contender, figure(row.median())));
            counts.collect::<Vec<_>>().join("; ")
        };
        let _ = writeln!(text, "| {} | {} | {} |", table.work, those_of(Role::Ours), those_of(Role::Peer));
    }
    text
}

fn points(growth: &Growth<'_>) -> String {
    let what = plots::what_grows(growth);
    let file = plots::file_name(growth);
    let mut text = format!(
        "\n**{}**, {}\n\n![{} by {what}](performance/{file})\n\n| {what} |",
        growth.work, growth.metric, growth.metric
    );
    for line in &growth.lines {
        let _ = write!(text, " {} |", line.contender);
    }
    let _ = writeln!(text, "\n| ---: |{}", " ---: |".repeat(growth.lines.len()));
    let points = growth.lines.iter().flat_map(|line| &line.points);
    let mut ats: Vec<f64> = points.map(|(at, _)| *at).collect();
    ats.sort_by(f64::total_cmp);
    ats.dedup();
    for at in ats {
        let _ = write!(text, "| {at} |");
        for line in &growth.lines {
            let cost = line.points.iter().find(|(other, _)| *other == at);
            let _ = write!(text, " {} |", cost.map_or(String::new(), |(_, cost)| figure(*cost)));
        }
        text.push('\n');
    }
    text
}
