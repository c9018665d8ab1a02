//! Procedures and intervals against a truth that is known: a small version of
//! `cargo bench --bench validation`, on seeds of its own, so that it is the same every time.
//!
//! Limits leave three standard errors to chance; that a right program fails one of the some hundred
//! checks on drawn seeds has a chance of about one in ten, on these it does not.

#[path = "../../benches/validation/study/mod.rs"]
#[allow(dead_code)]
mod study;

use study::check::{Check, checks};
use study::worlds::World;
use study::{Judgement, Study};

const FIRST: u64 = 10_001;

fn failed(world: World, seeds: u64, judgement: Judgement) -> Vec<Check> {
    let study = Study::run(world, FIRST, seeds, judgement);
    let checks = checks(world, &study);
    assert!(checks.len() > 3, "{checks:?}");
    checks.into_iter().filter(|check| !check.holds).collect()
}

#[test]
fn procedures_and_intervals_keep_their_promises() {
    assert_eq!(failed(World::Plain, 12, Judgement::default()), []);
    assert_eq!(failed(World::Null, 12, Judgement::default()), []);
}

/// Atoms that are tied to types alone mislead the crude test, and not the one within strata.
#[test]
fn strata_take_confounding_away() {
    assert_eq!(failed(World::Confounded, 8, Judgement::default()), []);
}

/// Variants that are called several times mislead all but exchanging whole loci.
#[test]
fn exchanging_loci_takes_repeats_for_what_they_are() {
    assert_eq!(failed(World::Repeated, 12, Judgement::default()), []);
}

/// Nearly all calls have one label, or nearly all of a type, and most atoms fire rarely: what is exact holds.
#[test]
fn rare_atoms_keep_their_level() {
    for world in [World::Null95, World::NullByType, World::PlantedByType] {
        assert_eq!(failed(world, 8, Judgement::default()), []);
    }
}

/// The checks find p-values that are squares of what they should be, and intervals of 0.8 of their width.
#[test]
fn mistakes_are_found() {
    let squares = Judgement {
        level: study::LEVEL.sqrt(),
        ..Judgement::default()
    };
    let found = failed(World::Plain, 12, squares);
    let names: Vec<&str> = found.iter().map(|check| check.what.as_str()).collect();
    for expected in [
        "false discovery rate, Fisher, Benjamini-Hochberg",
        "false discovery rate, CMH, Benjamini-Hochberg",
        "false discovery rate, Mann-Whitney, Benjamini-Hochberg",
    ] {
        assert!(names.contains(&expected), "{expected}: {names:?}");
    }
    let narrow = Judgement {
        width: 0.8,
        ..Judgement::default()
    };
    let found = failed(World::Plain, 12, narrow);
    let names: Vec<&str> = found.iter().map(|check| check.what.as_str()).collect();
    for interval in ["Woolf", "Wilson", "Newcombe", "Robins-Breslow-Greenland"] {
        let expected = format!("coverage of {interval}, free atoms");
        assert!(names.contains(&expected.as_str()), "{expected}: {names:?}");
    }
}
