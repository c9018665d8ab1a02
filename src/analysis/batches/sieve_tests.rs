//! Sieves against sorting everything.

use super::*;

/// Scores of few values, of ten magnitudes, some of them not above 0.
fn firings(count: u64) -> Vec<Firing> {
    let score = |i: u64| match i * 7919 % 13 {
        0 => -((i % 5) as f64),
        1 => f64::from_bits(1 + i % 3),
        step => ((i * 31 % 17) as f64 + 1.0) * 10f64.powi(step as i32 - 6),
    };
    let firing = |i| Firing {
        score: score(i),
        row: i / 7,
        atom: (i % 7) as u32,
    };
    (0..count).map(firing).collect()
}

/// All that may fire, sorted with the standard library's stable sort: they come in order.
fn sorted(firings: &[Firing]) -> Vec<Firing> {
    let mut sorted: Vec<_> = firings.iter().copied().filter(|f| f.score > 0.0).collect();
    sorted.sort_by(|a, b| b.score.partial_cmp(&a.score).expect("numbers"));
    sorted
}

/// Sieves until the m-th is found; how many sieves it took.
fn find(firings: &[Firing], mut window: Window, m: u64, capacity: usize) -> (Sieved, usize) {
    let (mut left, mut sieves) = (m, 0);
    loop {
        let mut sieve = Sieve::new(window, left, capacity);
        for &firing in firings {
            sieve.add(firing);
        }
        sieves += 1;
        match sieve.finish(left) {
            Sieved::Within(inner, place) => (window, left) = (inner, place),
            found => return (found, sieves),
        }
    }
}

#[test]
fn sieve_of_any_capacity_finds_every_place() {
    let firings = firings(1500);
    let sorted = sorted(&firings);
    assert!(sorted.windows(2).any(|two| two[0].score == two[1].score));
    for capacity in [2, 3, 64, 700, 5000] {
        for m in 1..=sorted.len() {
            let (found, sieves) = find(&firings, Window::above(0.0), m as u64, capacity);
            assert_eq!(found, Sieved::Found(sorted[m - 1]), "{capacity} {m}");
            assert!(sieves == 1 || m > capacity / 2, "{capacity} {m}: {sieves}");
            assert!(sieves <= 5, "{capacity} {m}: {sieves}");
        }
    }
}

#[test]
fn sieve_above_a_guess_finds_the_same_or_says_that_it_is_short() {
    let firings = firings(400);
    let sorted = sorted(&firings);
    for guess in [0.0, 1e-9, sorted[40].score, sorted[200].score] {
        let above = sorted.iter().filter(|f| f.score > guess).count();
        let least = above.checked_sub(1).map(|last| sorted[last].score);
        for m in [1, above.max(1), above + 1, sorted.len() + 1] {
            let expected = if m <= above {
                Sieved::Found(sorted[m - 1])
            } else {
                Sieved::Short(least)
            };
            for capacity in [4, 1000] {
                let found = find(&firings, Window::above(guess), m as u64, capacity).0;
                assert_eq!(found, expected, "{guess} {m} {capacity}");
            }
        }
    }
}

#[test]
fn sieve_of_fewer_places_than_were_reserved_finds_them() {
    // Rows that are dropped take their places with them, which shows only at the end.
    let firings = firings(300);
    let sorted = sorted(&firings);
    for (most, m, capacity) in [(200, 150, 1000), (200, 3, 16), (20, 1, 50)] {
        let mut sieve = Sieve::new(Window::above(0.0), most, capacity);
        for &firing in &firings {
            sieve.add(firing);
        }
        let found = match sieve.finish(m) {
            Sieved::Within(window, left) => find(&firings, window, left, capacity).0,
            found => found,
        };
        assert_eq!(found, Sieved::Found(sorted[m as usize - 1]));
    }
}
