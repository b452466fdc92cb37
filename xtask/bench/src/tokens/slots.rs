//! What a slot costs when many tokens have theirs in one store.

use super::TOKENS;
use crate::figure::{Figure, number};
use crate::plot::{Axis, Lines, Plot, Scale, Series};
use crate::quota::cost::{Cost, of_tokens};
use crate::section::Section;
use crate::size::Size;

/// Slots in a turn, about, by tokens and fresh stores together.
const ACCOUNTS: usize = 10_000;

pub(super) fn measure(size: Size) -> Vec<Cost> {
    let turns = size.pick(41, 21, 3);
    let costs = TOKENS.into_iter();
    costs
        .map(|tokens| of_tokens(tokens, ACCOUNTS / tokens, turns))
        .collect()
}

pub(super) fn say(section: &mut Section, costs: &[Cost]) {
    for cost in costs {
        let what = match cost.tokens {
            1 => "a slot, one token".to_owned(),
            tokens => format!("a slot, {} tokens", number(tokens as f64)),
        };
        let figure = Figure::new(what, "ns", cost.time.ours);
        let ratio = Some(cost.time.ratio);
        section.add(figure.beside_with("governor's check", cost.time.yardstick, ratio));
    }
}

pub(super) fn plot(costs: &[Cost]) -> Plot {
    let of = |value: fn(&Cost) -> f64| {
        let points = costs.iter();
        points
            .map(|cost| (cost.tokens as f64, value(cost)))
            .collect()
    };
    let title = "A slot in memory, by how many tokens have theirs in one store";
    let lines = Lines {
        title,
        x: Axis {
            label: "tokens",
            scale: Scale::Powers,
        },
        y: Axis {
            label: "time, ns",
            scale: Scale::Linear,
        },
        series: vec![
            Series {
                name: "the quota: acquire and complete",
                points: of(|cost| cost.time.ours),
            },
            Series {
                name: "governor: a keyed check",
                points: of(|cost| cost.time.yardstick),
            },
        ],
    };
    Plot {
        file: "benchmarks/tokens-slots.svg",
        alt: format!("{title}: time of the quota and of governor, from 1 to 10,000 tokens"),
        svg: lines.svg(),
    }
}
