use pulp::{Scalar, Simd};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::law::Law;
use super::{Each, LaneLaw, Observed, Want, ln_two_sided, test_each};

/// Of numbers up to n, drawn n times with the given odds.
#[derive(Clone, Copy)]
struct Binomial {
    n: f64,
    odds: f64,
}

impl Law for Binomial {
    fn ratio(&self, x: f64) -> [f64; 2] {
        [(self.n - x) * self.odds, x + 1.0]
    }
}

impl LaneLaw<2> for Binomial {
    fn numbers(&self) -> [f64; 2] {
        [self.n, self.odds]
    }

    fn spread(&self, _: u64) -> f64 {
        self.n
    }

    fn ratio_of<S: Simd>(simd: S, &[n, odds]: &[S::f64s; 2], x: S::f64s) -> [S::f64s; 2] {
        let more = simd.mul_f64s(simd.sub_f64s(n, x), odds);
        [more, simd.add_f64s(x, simd.splat_f64s(1.0))]
    }
}

/// Tests of few and of many steps, near chance and so far from it that terms go beyond a unit.
fn tests(count: usize) -> Vec<Observed<Binomial>> {
    let mut random = ChaCha8Rng::seed_from_u64(count as u64);
    let mut test = |_| {
        let n = [1_u64, 7, 60, 3000][random.random_range(0..4)];
        let odds = [0.02, 0.4, 1.0, 3.0][random.random_range(0..4)];
        let number = random.random_range(0..=n);
        let law = Binomial { n: n as f64, odds };
        Observed { law, number }
    };
    (0..count).map(&mut test).collect()
}

#[test]
fn lanes_have_the_bits_of_one_walk() {
    let mut far = 0;
    for count in [0, 1, 2, 3, 5, 8, 17, 1500] {
        let tests = tests(count);
        for want in [Want::Exact, Want::Below(0.3), Want::Below(1e-3)] {
            let one = |test: &Observed<Binomial>| ln_two_sided(&test.law, test.number, want);
            let expected: Vec<u64> = tests.iter().map(|test| one(test).to_bits()).collect();
            let mut found = vec![0.0; count];
            test_each(&tests, |&test| Some(test), want, &mut found);
            assert_eq!(bits(&found), expected, "{count} {want:?}");
            let some: Vec<_> = tests.iter().copied().map(Some).collect();
            let order: Vec<u64> = (0..count as u64).rev().collect();
            Scalar.vectorize(Each {
                tests: &some,
                order: &order,
                want,
                ln_p: &mut found,
            });
            assert_eq!(bits(&found), expected, "{count} {want:?}, one lane");
            far += found.iter().filter(|&&ln_p| ln_p < -700.0).count();
        }
    }
    assert!(far > 100, "{far} beyond a unit");
}

#[test]
fn items_without_a_test_have_no_p() {
    let tests = tests(1100);
    let made = |test: &Observed<Binomial>| test.number.is_multiple_of(3).then_some(*test);
    let mut found = vec![0.0; tests.len()];
    test_each(&tests, made, Want::Exact, &mut found);
    for (test, found) in tests.iter().zip(&found) {
        let expected = made(test).map(|test| ln_two_sided(&test.law, test.number, Want::Exact));
        assert_eq!(found.to_bits(), expected.unwrap_or(f64::NAN).to_bits());
    }
}

fn bits(numbers: &[f64]) -> Vec<u64> {
    numbers.iter().map(|number| number.to_bits()).collect()
}
