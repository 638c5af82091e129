//! How cost grows, drawn: both axes are logarithmic, so that what is proportional is a straight line.

use crate::table::{Growth, figure};
use highwater_benches::Role;
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

const SIZE: (u32, u32) = (760, 440);
const FONT: &str = "sans-serif";

/// Distinct for whoever cannot tell red from green as well.
const COLOURS: [RGBColor; 5] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 86, 86),
];

/// The name of the file that a growth is drawn to.
pub(crate) fn file_name(growth: &Growth<'_>) -> String {
    format!("{}.svg", growth.work.replace('/', "-"))
}

/// What grows, in words: the last part of the name of the work.
pub(crate) fn what_grows(growth: &Growth<'_>) -> String {
    growth.work.rsplit('/').next().unwrap_or(growth.work).replace('-', " ")
}

/// Draws a growth to a file.
pub(crate) fn draw(growth: &Growth<'_>, path: &Path) -> Result<(), Box<dyn Error>> {
    let points = || growth.lines.iter().flat_map(|line| line.points.iter().copied());
    let (left, right) = range(points().map(|(at, _)| at));
    let (low, high) = range(points().map(|(_, cost)| cost));
    // Sizes are powers of two, and counts are not.
    let base = if points().all(|(at, _)| at.log2().fract() == 0.0) && right > 16.0 { 2.0 } else { 10.0 };

    let area = SVGBackend::new(path, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(format!("{}: {}", growth.work, growth.metric), (FONT, 18))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(72)
        .build_cartesian_2d(
            (left..right).log_scale().base(base),
            // Room above for the legend.
            (low / 1.3..high * 2.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(what_grows(growth))
        .y_desc(growth.metric)
        .x_label_formatter(&|at| size(*at, base))
        .y_label_formatter(&|cost| tick(*cost))
        .axis_desc_style((FONT, 14))
        .label_style((FONT, 12))
        .light_line_style(WHITE.mix(0.0))
        .draw()?;
    for (line, colour) in growth.lines.iter().zip(COLOURS.iter().cycle()) {
        let width = if line.role == Role::Ours { 3 } else { 1 };
        let style = colour.stroke_width(width);
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), style).point_size(2 + width))?
            .label(line.contender)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperRight)
        .label_font((FONT, 13))
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    area.present()?;
    Ok(())
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN_POSITIVE), |(low, high), value| (low.min(value), high.max(value)))
}

/// A figure without the digits that say nothing.
fn tick(cost: f64) -> String {
    let text = figure(cost);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn size(at: f64, base: f64) -> String {
    const KIB: f64 = 1024.0;
    match at {
        at if base != 2.0 => format!("{at}"),
        at if at >= KIB * KIB => format!("{} Mi", at / KIB / KIB),
        at if at >= KIB => format!("{} Ki", at / KIB),
        at => format!("{at}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_lose_only_what_says_nothing() {
        assert_eq!([0.1, 1.0, 20.0, 1000.0].map(tick), ["0.1", "1", "20", "1000"]);
    }

    #[test]
    fn sizes_are_powers_of_two_where_they_are() {
        assert_eq!([16.0, 4096.0, 67_108_864.0].map(|at| size(at, 2.0)), ["16", "4 Ki", "64 Mi"]);
        assert_eq!(size(10_000.0, 10.0), "10000");
    }
}
