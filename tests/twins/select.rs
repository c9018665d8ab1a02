//! What a row's intervals leave open, by counting.

/// The score of an atom is known to lie in an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Interval {
    pub(crate) lower: f32,
    pub(crate) upper: f32,
}

/// A row's atoms, each list ascending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Whatever the scores within their intervals, these are among the best k.
    pub(crate) certain: Vec<u32>,
    /// These are or are not, depending on the scores; more than are missing.
    pub(crate) open: Vec<u32>,
}

/// Sorts a row's atoms into those that fire, those that do not, and those that may.
///
/// An atom fires for certain if at its lowest fewer than k others can reach it; it does not if even
/// at its highest k others stay above it. No narrower answer follows from intervals alone.
pub(crate) fn classify(intervals: &[Interval], k: usize) -> Classes {
    let sorted = |of: fn(&Interval) -> f32| {
        let mut numbers: Vec<f32> = intervals.iter().map(of).collect();
        numbers.sort_by(f32::total_cmp);
        numbers
    };
    let (lowers, uppers) = (sorted(|i| i.lower), sorted(|i| i.upper));
    let mut classes = Classes {
        certain: Vec::new(),
        open: Vec::new(),
    };
    for (atom, interval) in (0..).zip(intervals) {
        // The atom's own upper end reaches its lower one, and is no rival.
        let below = uppers.partition_point(|&upper| upper < interval.lower);
        let rivals = uppers.len() - below - 1;
        let betters = lowers.len() - lowers.partition_point(|&lower| lower <= interval.upper);
        if rivals < k {
            classes.certain.push(atom);
        } else if betters < k {
            classes.open.push(atom);
        }
    }
    if classes.certain.len() + classes.open.len() <= k {
        classes.certain.append(&mut classes.open);
        classes.certain.sort_unstable();
    }
    classes
}

/// What is left of the k best where only scores above 0 fire: of the certain atoms those stay that are
/// above 0 for certain, and those that may be join the open ones. Returns the number of the others.
pub(crate) fn keep_above_zero(classes: &mut Classes, intervals: &[Interval]) -> usize {
    let best = std::mem::take(&mut classes.certain);
    let mut dropped = 0;
    for atom in best {
        let interval = intervals[atom as usize];
        if interval.lower > 0.0 {
            classes.certain.push(atom);
        } else if interval.upper > 0.0 {
            classes.open.push(atom);
        } else {
            dropped += 1;
        }
    }
    classes.open.sort_unstable();
    dropped
}

/// Sorts a row's atoms where the largest of each `size` consecutive ones fires, if it is above 0: pair by
/// pair of a group.
pub(crate) fn classify_groups(intervals: &[Interval], size: usize) -> Classes {
    let mut classes = Classes {
        certain: Vec::new(),
        open: Vec::new(),
    };
    for (group, of_group) in intervals.chunks(size).enumerate() {
        for (place, own) in of_group.iter().enumerate() {
            let others = || (0..).zip(of_group).filter(|&(other, _)| other != place);
            if own.upper <= 0.0 || others().any(|(_, other)| other.lower > own.upper) {
                continue;
            }
            let rival = others().any(|(_, other)| other.upper >= own.lower);
            let list = if own.lower > 0.0 && !rival {
                &mut classes.certain
            } else {
                &mut classes.open
            };
            list.push((group * size + place) as u32);
        }
    }
    classes
}

/// Sorts a row's atoms by whether they are above a limit that is known to lie in an interval itself.
pub(crate) fn classify_above(intervals: &[Interval], limit: Interval) -> Classes {
    let mut classes = Classes {
        certain: Vec::new(),
        open: Vec::new(),
    };
    for (atom, interval) in (0..).zip(intervals) {
        if interval.lower > limit.upper {
            classes.certain.push(atom);
        } else if interval.upper >= limit.lower || interval.upper.is_nan() {
            classes.open.push(atom);
        }
    }
    classes
}

#[test]
fn intervals_say_what_is_certain() {
    let interval = |(lower, upper)| Interval { lower, upper };
    let of = |ends: &[(f32, f32)], k| {
        classify(&ends.iter().copied().map(interval).collect::<Vec<_>>(), k)
    };
    let ends = [(5.0, 6.0), (1.0, 2.0), (1.5, 3.0), (0.0, 0.5)];
    let open = |k, certain: &[u32], open: &[u32]| {
        let (certain, open) = (certain.to_vec(), open.to_vec());
        assert_eq!(of(&ends, k), Classes { certain, open });
    };
    open(1, &[0], &[]);
    open(2, &[0], &[1, 2]);
    open(3, &[0, 1, 2], &[]);
    open(4, &[0, 1, 2, 3], &[]);
    let groups = classify_groups(&ends.map(interval), 2);
    assert_eq!((groups.certain, groups.open), (vec![0, 2], vec![]));
    let groups = classify_groups(&ends.map(interval), 4);
    assert_eq!((groups.certain, groups.open), (vec![0], vec![]));
    // Intervals that touch are open: the tie is for canonical scores to break.
    let touching = of(&[(0.0, 1.0), (1.0, 2.0)], 1);
    assert_eq!(touching.open, [0, 1]);
}
