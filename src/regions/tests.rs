use rand::{RngExt, SeedableRng};

use super::{Place, RegionRule, RegionSet};

/// The rule read literally, base by base.
fn by_the_book(rows: &[std::ops::Range<u64>], start: u64, end: u64, rule: RegionRule) -> bool {
    let is_in = |at: u64| rows.iter().any(|row| row.contains(&at));
    let in_one = |bases: &[u64]| {
        rows.iter()
            .any(|row| bases.iter().all(|at| row.contains(at)))
    };
    if start == end {
        let beside: Vec<u64> = (start.saturating_sub(1)..=start).collect();
        return match rule {
            RegionRule::SameRegion => in_one(&beside),
            _ => beside.iter().all(|&at| is_in(at)),
        };
    }
    let inside = (start..end).filter(|&at| is_in(at)).count() as u64;
    match rule {
        RegionRule::Any => inside > 0,
        RegionRule::Half => 2 * inside >= end - start,
        RegionRule::BothEnds => is_in(start) && is_in(end - 1),
        RegionRule::SameRegion => in_one(&(start..end).collect::<Vec<_>>()),
    }
}

#[test]
fn holds_agrees_with_every_base_looked_at() {
    let mut draw = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    for regions in [0, 1, 2, 5, 12] {
        for _ in 0..60 {
            let mut region = || {
                let start = draw.random_range(0..60u64);
                start..start + draw.random_range(0..12)
            };
            let rows: Vec<_> = (0..regions).map(|_| region()).collect();
            let set = RegionSet::new("r", rows.iter().map(|row| ("chr1", row.clone())));
            let covered = (0..100).filter(|at| rows.iter().any(|row| row.contains(at)));
            assert_eq!(set.bases(), covered.count() as u64);
            for _ in 0..40 {
                let start = draw.random_range(0..70u64);
                let end = start + draw.random_range(0..15);
                let place = Place {
                    contig: "1",
                    start,
                    end,
                    mate: None,
                };
                for rule in RegionRule::ALL {
                    let expected = by_the_book(&rows, start, end, rule);
                    assert_eq!(
                        set.holds(&place, rule),
                        expected,
                        "{rows:?} {place:?} {rule}"
                    );
                }
            }
        }
    }
}

#[test]
fn holds_joins_both_ends_of_a_breakend() {
    let set = RegionSet::new("r", [("1", 10..20), ("2", 5..9), ("1", 30..31)]);
    let holds = |start: u64, mate: (&'static str, u64)| {
        let place = Place {
            contig: "chr1",
            start,
            end: start + 1,
            mate: Some(mate),
        };
        RegionRule::ALL.map(|rule| set.holds(&place, rule))
    };
    assert_eq!(holds(12, ("chr2", 6)), [true, true, true, false]);
    assert_eq!(holds(12, ("chr2", 60)), [true, true, false, false]);
    assert_eq!(holds(19, ("1", 10)), [true; 4]);
    assert_eq!(holds(12, ("1", 30)), [true, true, true, false]);
    assert_eq!(holds(2, ("3", 30)), [false; 4]);
}

#[test]
fn rules_parse_as_they_are_written() {
    for rule in RegionRule::ALL {
        assert_eq!(rule.to_string().parse(), Ok(rule));
    }
    assert!("some".parse::<RegionRule>().is_err());
    assert_eq!(RegionRule::default(), RegionRule::BothEnds);
}

#[test]
fn set_of_nothing_holds_nothing() {
    let set = RegionSet::new("r", [("1", 5..5)]);
    assert!(set.is_empty() && set.bases() == 0 && !set.has_contig("2"));
    for (start, end) in [(0, 0), (0, u64::MAX), (u64::MAX, u64::MAX), (5, 6)] {
        let place = Place {
            contig: "1",
            start,
            end,
            mate: None,
        };
        assert!(!RegionRule::ALL.iter().any(|&rule| set.holds(&place, rule)));
    }
}

#[test]
fn regions_of_any_length_are_counted_without_overflow() {
    let far = u64::MAX - 1;
    let set = RegionSet::new(
        "r",
        [
            ("chr1", 0..1 << 63),
            ("chr1", (1 << 63) + 1..far),
            ("chr2", 0..far),
        ],
    );
    assert_eq!(set.bases(), u64::MAX);
    let place = Place {
        contig: "chr1",
        start: far - 10,
        end: far,
        mate: None,
    };
    assert!(set.holds(&place, RegionRule::Half));
}
