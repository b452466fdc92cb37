//! Groups of bars that lie, each with its words behind it.

use std::fmt::Write;

use super::{escaped, head};

const WIDTH: usize = 860;
const LEFT: usize = 250;
/// What the words behind the longest bar take.
const WORDS: usize = 190;
const BAR: usize = 14;

/// The first colours of one kind for what belongs together.
const COLOURS: [(&str, &str); 7] = [
    ("#14532d", "#86efac"),
    ("#16a34a", "#22c55e"),
    ("#86efac", "#166534"),
    ("#2563eb", "#3b82f6"),
    ("#93c5fd", "#1e40af"),
    ("#b45309", "#f59e0b"),
    ("#dc2626", "#ef4444"),
];

/// Groups of bars, one bar a series.
pub(crate) struct Bars<'a> {
    pub(crate) alt: &'a str,
    /// What the length of a bar is.
    pub(crate) axis: &'a str,
    pub(crate) series: Vec<&'a str>,
    pub(crate) groups: Vec<Group<'a>>,
}

pub(crate) struct Group<'a> {
    pub(crate) name: &'a str,
    /// In the order of the series: a share of the whole length, and the words behind it.
    pub(crate) bars: Vec<(f64, String)>,
}

impl Bars<'_> {
    pub(crate) fn svg(&self) -> String {
        let group = self.series.len() * BAR + 22;
        let legend = 24 * self.series.len().div_ceil(2) + 20;
        let height = legend + self.groups.len() * group + 40;
        let mut out = head(WIDTH, height, self.alt, &COLOURS);
        for (index, series) in self.series.iter().enumerate() {
            let (x, y) = (20 + 420 * (index % 2), 24 + 24 * (index / 2));
            let _ = writeln!(
                out,
                r#"<rect x="{x}" y="{}" width="12" height="12" class="f{}"/><text x="{}" y="{y}">{}</text>"#,
                y - 11,
                index % COLOURS.len(),
                x + 20,
                escaped(series)
            );
        }
        let whole = WIDTH - LEFT - WORDS;
        let bottom = legend + self.groups.len() * group;
        for percent in [0, 50, 100] {
            let x = LEFT + whole * percent / 100;
            let _ = writeln!(
                out,
                r#"<path d="M{x} {legend}V{bottom}" class="grid"/><text x="{x}" y="{}" text-anchor="middle" font-size="11">{percent} %</text>"#,
                bottom + 12
            );
        }
        let _ = writeln!(
            out,
            r#"<text x="{}" y="{}" text-anchor="middle">{}</text>"#,
            LEFT + whole / 2,
            bottom + 30,
            escaped(self.axis)
        );
        for (index, group_of_bars) in self.groups.iter().enumerate() {
            let top = legend + index * group;
            let _ = writeln!(
                out,
                r#"<text x="{}" y="{}" text-anchor="end">{}</text>"#,
                LEFT - 10,
                top + (group - 22) / 2 + 5,
                escaped(group_of_bars.name)
            );
            for (index, (share, words)) in group_of_bars.bars.iter().enumerate() {
                let y = top + index * BAR;
                let width = (share.clamp(0.0, 1.0) * whole as f64).round();
                let _ = writeln!(
                    out,
                    r#"<rect x="{LEFT}" y="{y}" width="{width}" height="{}" class="f{}"/><text x="{}" y="{}" font-size="11">{}</text>"#,
                    BAR - 3,
                    index % COLOURS.len(),
                    LEFT as f64 + width + 6.0,
                    y + BAR - 4,
                    escaped(words)
                );
            }
        }
        out.push_str("</svg>\n");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::{Bars, Group};

    #[test]
    fn each_group_has_a_bar_a_series_and_none_is_longer_than_the_whole() {
        let bars = |name| Group {
            name,
            bars: vec![(0.5, "half".to_owned()), (1.2, "a <lot>".to_owned())],
        };
        let picture = Bars {
            alt: "alt",
            axis: "share, %",
            series: vec!["one", "other"],
            groups: vec![bars("first"), bars("second")],
        };
        let svg = picture.svg();
        assert_eq!(svg.matches(r#"width="420""#).count(), 2, "{svg}");
        assert_eq!(svg.matches(r#"width="210""#).count(), 2, "{svg}");
        assert!(
            svg.contains("a &lt;lot>") && svg.contains("share, %"),
            "{svg}"
        );
    }
}
