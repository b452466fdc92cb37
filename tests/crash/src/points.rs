//! Where a worker is killed.

use std::collections::BTreeMap;

use fastrand::Rng;

/// The places in the program at which a worker kills itself, by the names that the program knows, each with the most
/// times that it is passed before.
const POINTS: [(&str, u32); 6] = [
    // The intent is written and not committed.
    ("claiming", 12),
    // It is committed, nothing is sent.
    ("claimed", 12),
    // The request is on its way, its answer not here.
    ("sent", 12),
    // The answer is here and not written down.
    ("answered", 12),
    // It is committed.
    ("settled", 12),
    // A row in doubt is being looked for. Few are.
    ("looking", 3),
];
pub(crate) const DURING_EXPORT: &str = "during-export";
pub(crate) const AT_RANDOM: &str = "at random";

/// Kills by the point at which they were.
pub(crate) type Kills = BTreeMap<&'static str, u64>;

/// A point, and at which time of passing it.
pub(crate) type Order = (&'static str, u32);

/// The next point: one of those that were hit least, counting those that somebody is on the way to. So each of them has its
/// turn, however few kills there are.
pub(crate) fn next(kills: &Kills, under_way: &[&str], most_passes: u32, rng: &mut Rng) -> Order {
    let hits = |name: &str| {
        let armed = under_way.iter().filter(|other| **other == name).count() as u64;
        kills.get(name).copied().unwrap_or_default() + armed
    };
    let fewest = POINTS.iter().map(|(name, _)| hits(name)).min();
    let due: Vec<_> = POINTS
        .iter()
        .filter(|(name, _)| Some(hits(name)) == fewest)
        .collect();
    let (name, most) = **rng.choice(&due).unwrap_or(&&POINTS[0]);
    (name, rng.u32(1..=most.min(most_passes).max(1)))
}

/// The named points at which nobody was killed.
pub(crate) fn missed(kills: &Kills) -> Vec<&'static str> {
    let names = POINTS.iter().map(|(name, _)| *name).chain([DURING_EXPORT]);
    names
        .filter(|name| kills.get(name).is_none_or(|hits| *hits == 0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_point_has_its_turn_before_one_has_a_second() {
        let mut rng = Rng::with_seed(7);
        let mut kills = Kills::new();
        let mut under_way = Vec::new();
        for _ in 0..POINTS.len() {
            under_way.push(next(&kills, &under_way, 12, &mut rng).0);
        }
        for (name, _) in POINTS {
            assert!(under_way.contains(&name), "{name}: {under_way:?}");
        }
        kills.insert("claiming", 1);
        assert_eq!(missed(&kills).len(), POINTS.len(), "six of seven");
        kills.extend(POINTS.map(|(name, _)| (name, 1)));
        kills.insert(DURING_EXPORT, 1);
        kills.insert(AT_RANDOM, 5);
        assert!(missed(&kills).is_empty());
        kills.insert("looking", 0);
        assert_eq!(missed(&kills), ["looking"]);
        assert_eq!(next(&kills, &[], 12, &mut rng).0, "looking");
    }

    #[test]
    fn a_point_is_passed_no_more_often_than_is_wanted() {
        let mut rng = Rng::with_seed(7);
        for _ in 0..200 {
            let (_, passes) = next(&Kills::new(), &[], 2, &mut rng);
            assert!((1..=2).contains(&passes), "{passes}");
        }
    }
}
