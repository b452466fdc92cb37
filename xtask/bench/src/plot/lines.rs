//! How something grows: one line a series.

use std::fmt::Write;

use super::{COLOURS, escaped, head};
use crate::figure::number;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 84.0;
/// The last number below the axis stands half beyond its end.
const RIGHT: f64 = 44.0;
/// Of the field that the lines are in.
const FIELD: f64 = 300.0;
const BELOW: f64 = 60.0;

/// Lines of one or more series over the same axes.
pub(crate) struct Lines<'a> {
    pub(crate) title: &'a str,
    pub(crate) x: Axis<'a>,
    pub(crate) y: Axis<'a>,
    pub(crate) series: Vec<Series<'a>>,
}

pub(crate) struct Axis<'a> {
    /// What it is, and in what unit.
    pub(crate) label: &'a str,
    pub(crate) scale: Scale,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// From zero.
    Linear,
    /// By powers of ten; values have to be positive.
    Powers,
}

pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    pub(crate) points: Vec<(f64, f64)>,
}

/// Dashes and marks, so that the lines are told apart without colours.
const DASHES: [&str; 4] = ["", "7 4", "2 4", "10 4 2 4"];

impl Lines<'_> {
    pub(crate) fn svg(&self) -> String {
        let top = 52.0 + 22.0 * self.series.len() as f64;
        let height = top + FIELD + BELOW;
        let of = |pick: fn(&(f64, f64)) -> f64| {
            let points = self.series.iter().flat_map(|series| &series.points);
            points.map(pick).collect::<Vec<f64>>()
        };
        let x = Range::of(self.x.scale, &of(|point| point.0));
        let y = Range::of(self.y.scale, &of(|point| point.1));
        let across = |value| LEFT + x.share(value) * (WIDTH - LEFT - RIGHT);
        let down = |value| top + (1.0 - y.share(value)) * FIELD;
        let (bottom, right) = (top + FIELD, WIDTH - RIGHT);
        let mut out = head(WIDTH as usize, height as usize, self.title, &COLOURS);
        let _ = writeln!(
            out,
            r#"<text x="{LEFT}" y="28" font-size="15" font-weight="600">{}</text>"#,
            escaped(self.title)
        );
        for tick in x.ticks() {
            let at = across(tick);
            let _ = writeln!(
                out,
                r#"<path d="M{at:.1} {top}V{bottom}" class="grid"/><text x="{at:.1}" y="{}" text-anchor="middle">{}</text>"#,
                bottom + 20.0,
                number(tick)
            );
        }
        for tick in y.ticks() {
            let at = down(tick);
            let _ = writeln!(
                out,
                r#"<path d="M{LEFT} {at:.1}H{right}" class="grid"/><text x="{}" y="{:.1}" text-anchor="end">{}</text>"#,
                LEFT - 8.0,
                at + 4.0,
                number(tick)
            );
        }
        let middle = top + FIELD / 2.0;
        let _ = writeln!(
            out,
            r#"<path d="M{LEFT} {top}V{bottom}H{right}" fill="none" class="axis"/>
<text x="{}" y="{}" text-anchor="middle">{}</text>
<text x="18" y="{middle}" text-anchor="middle" transform="rotate(-90 18 {middle})">{}</text>"#,
            (LEFT + right) / 2.0,
            bottom + 44.0,
            escaped(self.x.label),
            escaped(self.y.label)
        );
        for (index, series) in self.series.iter().enumerate() {
            let points: Vec<(f64, f64)> = series
                .points
                .iter()
                .map(|(x, y)| (across(*x), down(*y)))
                .collect();
            draw(&mut out, index, &points);
            // The legend shows a piece of the line itself.
            let at = 46.0 + 22.0 * index as f64;
            draw(&mut out, index, &[(LEFT, at), (LEFT + 36.0, at)]);
            let _ = writeln!(
                out,
                r#"<text x="{}" y="{}">{}</text>"#,
                LEFT + 46.0,
                at + 4.0,
                escaped(series.name)
            );
        }
        out.push_str("</svg>\n");
        out
    }
}

fn draw(out: &mut String, index: usize, points: &[(f64, f64)]) {
    let colour = index % COLOURS.len();
    let line: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let _ = writeln!(
        out,
        r#"<polyline points="{}" class="line s{colour}" stroke-dasharray="{}"/>"#,
        line.join(" "),
        DASHES[index % DASHES.len()]
    );
    for (x, y) in points {
        let _ = match index % 2 {
            0 => writeln!(
                out,
                r#"<circle cx="{x:.1}" cy="{y:.1}" r="4" class="f{colour}"/>"#
            ),
            _ => writeln!(
                out,
                r#"<rect x="{:.1}" y="{:.1}" width="8" height="8" class="f{colour}"/>"#,
                x - 4.0,
                y - 4.0
            ),
        };
    }
}

/// What an axis spans.
struct Range {
    scale: Scale,
    /// Powers of ten, or values.
    from: f64,
    to: f64,
}

impl Range {
    fn of(scale: Scale, values: &[f64]) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (from, to) = match scale {
            Scale::Linear => (0.0, rounded_up(most)),
            Scale::Powers => {
                let from = least.log10().floor();
                (from, most.log10().ceil().max(from + 1.0))
            }
        };
        Self { scale, from, to }
    }

    /// Where a value is, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let value = match self.scale {
            Scale::Linear => value,
            Scale::Powers => value.log10(),
        };
        (value - self.from) / (self.to - self.from)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => (0..=4).map(|n| self.to * f64::from(n) / 4.0).collect(),
            Scale::Powers => {
                let powers = self.from as i32..=self.to as i32;
                powers.map(|power| 10_f64.powi(power)).collect()
            }
        }
    }
}

/// The next number that four ticks divide well.
fn rounded_up(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.2, 4.0, 6.0, 8.0, 10.0];
    let mut fitting = steps.into_iter().map(|step| step * power);
    fitting.find(|step| *step >= value).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::{Axis, Lines, Range, Scale, Series};

    #[test]
    fn an_axis_of_powers_spans_whole_powers_and_a_linear_one_begins_at_zero() {
        let powers = Range::of(Scale::Powers, &[3.0, 4_000.0]);
        assert_eq!(powers.ticks(), [1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
        assert!((powers.share(100.0) - 0.5).abs() < 1e-9);
        let linear = Range::of(Scale::Linear, &[3.0, 39.0]);
        assert_eq!(linear.ticks(), [0.0, 10.0, 20.0, 30.0, 40.0]);
        assert!((linear.share(10.0) - 0.25).abs() < 1e-9);
    }

    #[test]
    fn every_point_is_drawn_inside_of_the_picture_and_both_axes_are_named() {
        let lines = Lines {
            title: "it & more",
            x: Axis {
                label: "turns",
                scale: Scale::Powers,
            },
            y: Axis {
                label: "time, µs",
                scale: Scale::Linear,
            },
            series: vec![
                Series {
                    name: "ours",
                    points: vec![(10.0, 1.0), (100.0, 2.0)],
                },
                Series {
                    name: "theirs",
                    points: vec![(10.0, 1.5)],
                },
            ],
        };
        let svg = lines.svg();
        assert!(
            svg.contains("it &amp; more") && svg.contains(">turns<"),
            "{svg}"
        );
        assert!(
            svg.contains(">time, µs<") && svg.contains(">theirs<"),
            "{svg}"
        );
        // Two of the line and two of the legend.
        let circles: Vec<f64> = svg
            .split(r#"<circle cx=""#)
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse().ok())
            .collect();
        assert_eq!(circles.len(), 4, "{svg}");
        assert!(
            circles.iter().all(|x| (84.0..=716.0).contains(x)),
            "{circles:?}"
        );
    }
}
