//! What a fuzzer would notice at once.

use std::path::Path;

use famulor_test_fuzzed::{TARGETS, corpus};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

#[test]
fn every_target_has_seeds_and_its_program() {
    let manifest = std::fs::read_to_string(root().join("fuzz/Cargo.toml")).expect("a manifest");
    for (name, _) in TARGETS {
        let seeds = corpus::of(name, root()).expect("seeds");
        assert!(seeds.len() >= 3, "{name}: {}", seeds.len());
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
    assert_eq!(manifest.matches("[[bin]]").count(), TARGETS.len());
}

#[test]
fn what_must_hold_holds_for_every_seed_and_for_what_was_found_before() {
    let mut kept = 0;
    for (name, target) in TARGETS {
        corpus::of(name, root())
            .expect("seeds")
            .iter()
            .for_each(|seed| target(seed));
        let found = corpus::found(name, root()).expect("what was found");
        kept += found.len();
        found.iter().for_each(|input| target(input));
    }
    assert!(kept > 0, "fuzz/found was not looked at");
}

/// The same ones in every run: whoever sees it fail sees it fail again.
#[test]
fn what_must_hold_holds_for_seeds_that_are_broken_at_random() {
    const EACH: usize = 500;
    let mut random = fastrand::Rng::with_seed(7);
    for (name, target) in TARGETS {
        let seeds = corpus::of(name, root()).expect("seeds");
        for _ in 0..EACH {
            let mut input = random.choice(&seeds).cloned().unwrap_or_default();
            input.truncate(4096);
            for _ in 0..random.usize(1..6) {
                if input.is_empty() {
                    break;
                }
                let at = random.usize(0..input.len());
                match random.u8(0..5) {
                    0 => input[at] = random.u8(..),
                    1 => input.insert(
                        at,
                        *random.choice(b"\"\\,:{}[]\n\r;\0\xff09-").unwrap_or(&0),
                    ),
                    2 => drop(input.remove(at)),
                    3 => input.truncate(at),
                    _ => {
                        let end = random.usize(at..input.len()) + 1;
                        let part = input[at..end].to_vec();
                        input.splice(at..at, part);
                    }
                }
            }
            target(&input);
        }
    }
}
