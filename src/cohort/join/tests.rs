use super::{Ambiguous, Identity, JoinKey, JoinSide, Joined};
use crate::cohort::Label;

fn at(chrom: &'static str, pos: i64) -> Identity<'static> {
    Identity {
        chrom: Some(chrom),
        pos: Some(pos),
        svtype: Some("DEL"),
        length: Some(60),
        ..Identity::default()
    }
}

fn named(id: &'static str) -> Identity<'static> {
    Identity {
        id: Some(id),
        ..Identity::default()
    }
}

fn with(alt: &'static str, label: Option<Label>) -> Identity<'static> {
    Identity {
        reference: Some("A"),
        alt: Some(alt),
        label,
        ..at("chr1", 5)
    }
}

fn join(rows: &[Identity<'_>], calls: &[Identity<'_>]) -> Result<Joined, Ambiguous> {
    let side = |of: &[Identity<'_>]| of.iter().copied().collect::<JoinSide>();
    super::join(&side(rows), &side(calls))
}

fn by(joined: &Joined) -> [usize; 3] {
    joined.by.map(|(count, _)| count)
}

#[test]
fn join_takes_the_surest_key_first() {
    let rows = [
        Identity {
            id: Some("a"),
            ..at("chr1", 1)
        },
        Identity {
            id: Some("gone"),
            reference: Some("A"),
            alt: Some("at"),
            ..at("chr1", 2)
        },
        Identity {
            id: Some("too"),
            ..at("chrM", 3)
        },
        at("chr2", 4),
    ];
    let calls = [
        Identity {
            length: Some(7),
            svtype: Some("del"),
            ..at("MT", 9)
        },
        Identity {
            svtype: Some("<del>"),
            ..at("MT", 3)
        },
        Identity {
            reference: Some("a"),
            alt: Some("AT"),
            length: None,
            ..at("1", 2)
        },
        Identity {
            id: Some("a"),
            length: Some(9),
            ..at("1", 1)
        },
    ];
    let joined = join(&rows, &calls).unwrap();
    assert_eq!(joined.call, [Some(3), Some(2), Some(1), None]);
    assert_eq!(by(&joined), [1, 1, 1]);
    assert_eq!(
        (joined.joined(), joined.calls_left.as_slice()),
        (3, &[0][..])
    );
}

#[test]
fn join_by_ids_alone_needs_nothing_else() {
    let joined = join(
        &[named("b"), named("a"), named(".")],
        &[named("a"), named("b"), named(".")],
    )
    .unwrap();
    assert_eq!(joined.call, [Some(1), Some(0), None]);
    assert_eq!(joined.calls_left, [2]);
}

#[test]
fn join_passes_over_ids_that_repeat() {
    // Of bcftools norm -m-any both halves have one ID.
    let half = |alt| Identity {
        id: Some("same"),
        ..with(alt, Some(Label::Tp))
    };
    let joined = join(&[half("AC"), half("AG")], &[half("AG"), half("AC")]).unwrap();
    assert_eq!(joined.call, [Some(1), Some(0)]);
    assert_eq!((by(&joined), joined.ids_repeat), ([0, 2, 0], true));
}

#[test]
fn join_refuses_an_id_at_two_places() {
    let row = Identity {
        id: Some("a"),
        ..at("chr1", 1)
    };
    for call in [
        Identity {
            pos: Some(2),
            ..row
        },
        Identity {
            chrom: Some("chr2"),
            ..row
        },
    ] {
        assert_eq!(join(&[row], &[call]).unwrap().call, [None]);
    }
}

#[test]
fn join_takes_equal_keys_in_order_if_labels_agree() {
    let (tp, fp) = (Some(Label::Tp), Some(Label::Fp));
    let same = |label| with("AC", label);
    let joined = join(&[same(None), same(None)], &[same(tp), same(tp)]).unwrap();
    assert_eq!(joined.call, [Some(0), Some(1)]);
    let joined = join(&[same(fp), same(tp)], &[same(fp), same(tp)]).unwrap();
    assert_eq!(joined.call, [Some(0), Some(1)]);
    let two = |are_rows, counts| Ambiguous {
        key: JoinKey::Alleles,
        counts,
        two: [0, 1],
        are_rows,
    };
    // Which of two rows is the true one cannot be known.
    assert_eq!(
        join(&[same(None), same(None)], &[same(fp), same(tp)]),
        Err(two(true, (2, 2)))
    );
    assert_eq!(
        join(&[same(tp), same(fp)], &[same(fp), same(tp)]),
        Err(two(true, (2, 2)))
    );
    assert_eq!(
        join(&[same(None), same(None)], &[same(tp)]),
        Err(two(true, (2, 1)))
    );
    assert_eq!(
        join(&[same(None)], &[same(tp), same(tp)]),
        Err(two(false, (1, 2)))
    );
}

#[test]
fn join_of_any_order_is_that_of_a_search() {
    // An oracle: for distinct places, the only call at the row's place.
    let mut state = 7_u64;
    let mut draw = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    let places: Vec<i64> = (0..500).collect();
    let mut shuffled = places.clone();
    for at in (1..shuffled.len()).rev() {
        shuffled.swap(at, draw(at as u64 + 1) as usize);
    }
    let rows: Vec<_> = shuffled
        .iter()
        .filter(|&&pos| pos % 7 != 0)
        .map(|&pos| at("chr3", pos))
        .collect();
    let calls: Vec<_> = places
        .iter()
        .filter(|&&pos| pos % 5 != 0)
        .map(|&pos| at("3", pos))
        .collect();
    let joined = join(&rows, &calls).unwrap();
    for (row, found) in rows.iter().zip(&joined.call) {
        assert_eq!(*found, calls.iter().position(|call| call.pos == row.pos));
    }
}

#[test]
fn join_names_the_first_two_by_their_rows() {
    // Keys are met in the order of their digests, which no two runs share.
    let rows: Vec<_> = (0..40).map(|row| at("chr1", row / 2)).collect();
    let calls: Vec<_> = (0..20).rev().map(|pos| at("chr1", pos)).collect();
    let two = join(&rows, &calls).unwrap_err();
    assert_eq!((two.two, two.counts), ([0, 1], (2, 1)));
}
