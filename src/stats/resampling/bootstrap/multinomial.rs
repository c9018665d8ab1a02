//! Multinomial and binomial counts.
//!
//! Logarithms and exponentials are `libm`'s, so that every machine draws the same counts; the
//! samplers of `rand_distr` take them from the system.

use rand::{Rng, RngExt};

/// The mean below which a binomial count is searched from 0, and above which from its mode.
const FEW: f64 = 10.0;

/// Draws how often each of several classes is drawn in so many draws with replacement, and hands
/// over the counts. Each class has a chance in proportion to its size, of as many as there are draws.
/// Returns how often none of these classes was drawn. The cost goes with the counts' spread, and is least if the
/// largest class comes first.
pub(super) fn multinomial(
    draws: u32,
    sizes: impl Iterator<Item = u32>,
    random: &mut impl Rng,
    mut take: impl FnMut(u32),
) -> u32 {
    let (mut left, mut rest) = (draws, draws);
    for size in sizes {
        let count = if size >= rest {
            left
        } else {
            binomial(left, f64::from(size) / f64::from(rest), random)
        };
        take(count);
        left -= count;
        rest = rest.saturating_sub(size);
    }
    left
}

/// Draws the number of successes in n trials of chance p, from 0 to 1: by inversion of one uniform
/// number, with probabilities that are good to 10⁻⁷.
pub(super) fn binomial(n: u32, p: f64, random: &mut impl Rng) -> u32 {
    if n == 0 || p <= 0.0 {
        return 0;
    }
    if p > 0.5 {
        return n - binomial(n, 1.0 - p, random);
    }
    let uniform: f64 = random.random();
    if f64::from(n) * p < FEW {
        from_zero(n, p, uniform)
    } else {
        from_mode(n, p, uniform)
    }
}

fn from_zero(n: u32, p: f64, mut left: f64) -> u32 {
    let (trials, odds) = (f64::from(n), p / (1.0 - p));
    let mut chance = libm::exp(trials * libm::log1p(-p));
    let mut count = 0.0;
    while left >= chance && count < trials && chance > 0.0 {
        left -= chance;
        chance *= odds * (trials - count) / (count + 1.0);
        count += 1.0;
    }
    count as u32
}

/// Goes from the mode outwards, to either side in turn.
fn from_mode(n: u32, p: f64, uniform: f64) -> u32 {
    let (trials, odds) = (f64::from(n), p / (1.0 - p));
    let mode = ((trials + 1.0) * p).floor();
    let ln_ways =
        libm::lgamma(trials + 1.0) - libm::lgamma(mode + 1.0) - libm::lgamma(trials - mode + 1.0);
    let most = libm::exp(ln_ways + mode * libm::log(p) + (trials - mode) * libm::log1p(-p));
    let mut left = uniform - most;
    let (mut up, mut down) = ((mode, most), (mode, most));
    while left >= 0.0 {
        up.1 *= odds * (trials - up.0) / (up.0 + 1.0);
        up.0 += 1.0;
        left -= up.1;
        if left < 0.0 {
            return up.0 as u32;
        }
        down.1 *= down.0 / (odds * (trials - down.0 + 1.0));
        down.0 -= 1.0;
        left -= down.1;
        if left < 0.0 {
            return down.0 as u32;
        }
        if up.1 + down.1 < f64::MIN_POSITIVE {
            break;
        }
    }
    mode as u32
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::{binomial, multinomial};

    /// The probability of each count, by products.
    fn law(n: u32, p: f64) -> Vec<f64> {
        let mut all = vec![1.0];
        for _ in 0..n {
            let mut next = vec![0.0; all.len() + 1];
            for (count, chance) in all.iter().enumerate() {
                next[count] += chance * (1.0 - p);
                next[count + 1] += chance * p;
            }
            all = next;
        }
        all
    }

    #[test]
    fn binomial_counts_have_their_law() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let draws = 40_000;
        for (n, p) in [
            (1, 0.3),
            (7, 0.5),
            (60, 0.02),
            (60, 0.97),
            (90, 0.4),
            (300, 0.9),
        ] {
            let mut found = vec![0.0; n as usize + 1];
            for _ in 0..draws {
                found[binomial(n, p, &mut random) as usize] += 1.0;
            }
            for (count, (found, chance)) in found.iter().zip(law(n, p)).enumerate() {
                let expected = f64::from(draws) * chance;
                let sd = (expected * (1.0 - chance)).sqrt();
                assert!(
                    (found - expected).abs() < 5.0 * sd + 2.0,
                    "{n} {p} {count}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn binomial_of_a_million_has_its_mean_and_variance() {
        let mut random = ChaCha8Rng::seed_from_u64(2);
        let (n, draws) = (1_000_000, 4000);
        for p in [3e-6, 0.1, 0.5, 0.8] {
            let counts: Vec<f64> = (0..draws)
                .map(|_| f64::from(binomial(n, p, &mut random)))
                .collect();
            let (mean, variance) = (f64::from(n) * p, f64::from(n) * p * (1.0 - p));
            let moment = |power: i32| {
                let sum: f64 = counts.iter().map(|x| (x - mean).powi(power)).sum();
                sum / f64::from(draws)
            };
            assert!(
                moment(1).abs() < 5.0 * (variance / f64::from(draws)).sqrt(),
                "{p}"
            );
            assert!((moment(2) / variance - 1.0).abs() < 0.2, "{p}");
        }
        assert_eq!(binomial(n, 0.0, &mut random), 0);
        assert_eq!(binomial(n, 1.0, &mut random), n);
        assert_eq!(binomial(0, 0.4, &mut random), 0);
    }

    #[test]
    fn multinomial_counts_add_up_and_have_their_covariance() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let sizes = [50_u32, 30, 15, 4, 1];
        let draws = 20_000;
        let (mut sums, mut product) = ([0.0; 5], 0.0);
        for _ in 0..draws {
            let mut counts = Vec::new();
            let all = sizes.into_iter().take(4);
            let left = multinomial(100, all, &mut random, |count| counts.push(count));
            counts.push(left);
            assert_eq!(counts.iter().sum::<u32>(), 100);
            for (sum, count) in sums.iter_mut().zip(&counts) {
                *sum += f64::from(*count);
            }
            product += (f64::from(counts[0]) - 50.0) * (f64::from(counts[1]) - 30.0);
        }
        for (sum, size) in sums.iter().zip(sizes) {
            let sd = (f64::from(size) * (1.0 - f64::from(size) / 100.0) / f64::from(draws)).sqrt();
            assert!(
                (sum / f64::from(draws) - f64::from(size)).abs() < 5.0 * sd,
                "{size}"
            );
        }
        // −n·p·q.
        assert!((product / f64::from(draws) + 15.0).abs() < 1.5);
    }
}
