//! The tail of a sum over random subsets, by a saddlepoint.
//!
//! Items of up to three classes have a value each. Every item is taken or not, independently, with
//! the log odds `f·u + v·b` for its class's features f and its value b. Given the classes' counts
//! (one or two linear constraints on them), the taken items are a random subset, at v = 0. The tail
//! of their sum given the constraints is Skovgaard's double saddlepoint approximation (J. Appl.
//! Prob. 24, 1987), here in Barndorff-Nielsen's form, `Φ̄(w + ln(z/w)/w)`, with Daniels' second
//! correction for lattices (Int. Stat. Rev. 55, 1987): half a step below the threshold, and
//! `2·sinh(v·step/2)/step` for v. Booth and Butler (Biometrika 77, 1990) use it for permutation
//! tests.

use super::super::tails;

/// Items of one value, or of several close values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Node {
    pub(super) value: f64,
    /// The number of items.
    pub(super) items: f64,
}

/// Items that count alike in the constraints.
#[derive(Debug, Clone, Copy)]
pub(super) struct Class<'a> {
    /// The amount that a taken item adds to either constraint.
    pub(super) features: [f64; 2],
    pub(super) nodes: &'a [Node],
    /// The number of items.
    pub(super) items: f64,
}

/// The sum of the values of a random subset.
#[derive(Debug, Clone, Copy)]
pub(super) struct RandomSum<'a> {
    /// One to three classes.
    pub(super) classes: &'a [Class<'a>],
    /// The number of constraints, 1 or 2, and their values.
    pub(super) constraints: (usize, [f64; 2]),
    /// The odds at v = 0 that meet the constraints, or nearly so.
    pub(super) odds: [f64; 2],
    /// The step of which all differences of sums are multiples.
    pub(super) step: f64,
    /// The largest absolute value.
    pub(super) scale: f64,
}

/// A tail, and how free the subset still is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tail {
    /// `ln P(sum ≥ threshold)`.
    pub(super) ln: f64,
    /// The variance of each class's count without constraints.
    pub(super) free: [f64; 3],
    /// The log odds' parameters: u, and v for values as they were given.
    pub(super) odds: ([f64; 2], f64),
}

/// The log odds' parameters.
#[derive(Debug, Clone, Copy)]
struct Point {
    u: [f64; 2],
    v: f64,
}

/// First and second derivatives of the cumulant function; the sum's come last.
#[derive(Debug, Clone, Copy, Default)]
struct Slopes {
    mean: [f64; 3],
    variance: [[f64; 3]; 3],
    free: [f64; 3],
}

/// The step of all log odds after which the next step would be its square.
const SMALL_STEP: f64 = 1e-4;

/// An upper limit of the steps of a search.
const STEPS: usize = 100;

/// The distance from the mean, in standard deviations, below which the correction is the one at the
/// mean. It is a quotient of two terms that vanish there, but smooth.
const CENTRE: f64 = 0.05;

impl RandomSum<'_> {
    /// Computes the upper tail. Returns `None` if there is no saddlepoint, since the threshold is
    /// beyond the reach of the nodes.
    pub(super) fn upper_tail(&self, threshold: f64) -> Option<Tail> {
        let last = self.constraints.0;
        let start = self.start()?;
        let at_start = self.slopes(start);
        let roots_at_start = self.roots(&at_start)?;
        let spread = roots_at_start[last];
        let target = (threshold - self.step / 2.0) / self.scale;
        let from_mean = target - at_start.mean[last];
        let is_central = from_mean.abs() < CENTRE * spread;
        let at = if is_central {
            at_start.mean[last] + (CENTRE * spread).copysign(from_mean)
        } else {
            target
        };
        let (point, slopes) = self.saddlepoint(start, &at_start, at)?;
        let roots = self.roots(&slopes)?;
        let half_square = self.objective(start, at) - self.objective(point, at);
        let w = (2.0 * half_square.max(0.0)).sqrt().copysign(point.v);
        let mut ln_z = self.ln_lattice(point.v.abs()) + libm::log(roots[last]);
        for (root, at_start) in roots.iter().zip(&roots_at_start).take(last) {
            ln_z += libm::log(root / at_start);
        }
        let correction = (ln_z - libm::log(w.abs())) / w;
        let w = if is_central { from_mean / spread } else { w };
        let adjusted = w + correction;
        adjusted.is_finite().then(|| Tail {
            ln: tails::ln_normal_upper(adjusted),
            free: slopes.free,
            odds: (point.u, point.v / self.scale),
        })
    }

    /// Computes `ln(2·sinh(v·step/2)/step)`, in units of the scale.
    fn ln_lattice(&self, v: f64) -> f64 {
        let step = self.step / self.scale;
        let half = v * step / 2.0;
        if half < 1e-4 {
            return libm::log(v);
        }
        half + libm::log(-libm::expm1(-2.0 * half) / step)
    }

    /// Finds the odds at v = 0 that meet the constraints.
    fn start(&self) -> Option<Point> {
        let mut point = Point {
            u: self.odds,
            v: 0.0,
        };
        for _ in 0..STEPS {
            let slopes = self.slopes(point);
            let moved = self.advance(&mut point, &slopes, None)?;
            if moved < 1e-9 {
                return Some(point);
            }
        }
        None
    }

    /// Finds the point at which sum and constraints have their means, from the odds at v = 0.
    fn saddlepoint(&self, start: Point, at_start: &Slopes, at: f64) -> Option<(Point, Slopes)> {
        let (mut point, mut slopes) = (start, *at_start);
        for _ in 0..STEPS {
            let moved = self.advance(&mut point, &slopes, Some(at))?;
            slopes = self.slopes(point);
            if moved < SMALL_STEP {
                return Some((point, slopes));
            }
        }
        None
    }

    /// Makes Newton's step, shortened as for a self-concordant function (Bach, Electron. J.
    /// Statist. 4, 2010), which the cumulant function of such sums is. Returns the most that it
    /// moves a log odds by.
    fn advance(&self, point: &mut Point, slopes: &Slopes, sum: Option<f64>) -> Option<f64> {
        let (constraints, targets) = self.constraints;
        let unknowns = constraints + usize::from(sum.is_some());
        let mut step = [0.0; 3];
        for i in 0..unknowns {
            let target = if i < constraints {
                targets[i]
            } else {
                sum.unwrap_or(0.0)
            };
            step[i] = target - slopes.mean[i];
        }
        solve(&slopes.variance, unknowns, &mut step)?;
        let reach = step.iter().map(|x| x.abs()).sum::<f64>();
        let part = if reach > 0.5 {
            libm::log1p(reach) / reach
        } else {
            1.0
        };
        for (u, step) in point.u.iter_mut().zip(&step).take(constraints) {
            *u += part * step;
        }
        if sum.is_some() {
            point.v += part * step[constraints];
        }
        reach.is_finite().then_some(reach)
    }

    fn slopes(&self, at: Point) -> Slopes {
        let last = self.constraints.0;
        let mut slopes = Slopes::default();
        for (place, class) in self.classes.iter().enumerate() {
            let base = dot(class.features, at.u);
            // Σp, Σpb; Σpq, Σpqb, Σpqb².
            let mut sums = [0.0; 5];
            let (same, same_square) = share(base);
            for node in class.nodes {
                let (taken, square) = if at.v == 0.0 {
                    (same, same_square)
                } else {
                    share(base + at.v * node.value / self.scale)
                };
                let (taken, square) = (taken * node.items, square * node.items);
                let b = node.value / self.scale;
                sums[0] += taken;
                sums[1] += taken * b;
                sums[2] += square;
                sums[3] += square * b;
                sums[4] += square * b * b;
            }
            slopes.free[place] = sums[2];
            let f = class.features;
            for i in 0..last {
                slopes.mean[i] += f[i] * sums[0];
                for j in 0..=i {
                    slopes.variance[i][j] += f[i] * f[j] * sums[2];
                }
                slopes.variance[last][i] += f[i] * sums[3];
            }
            slopes.mean[last] += sums[1];
            slopes.variance[last][last] += sums[4];
        }
        slopes
    }

    /// Returns the square roots of the variance's pivots; their product is the root of its
    /// determinant.
    fn roots(&self, slopes: &Slopes) -> Option<[f64; 3]> {
        let lower = cholesky(&slopes.variance, self.constraints.0 + 1)?;
        Some([lower[0][0], lower[1][1], lower[2][2]])
    }

    /// Computes the cumulant function less the terms of the constraints and the sum.
    fn objective(&self, at: Point, sum: f64) -> f64 {
        let (count, targets) = self.constraints;
        let mut total = -at.v * sum;
        for (u, target) in at.u.iter().zip(&targets).take(count) {
            total -= u * target;
        }
        for class in self.classes {
            let base = dot(class.features, at.u);
            if at.v == 0.0 {
                total += class.items * softplus(base);
                continue;
            }
            for node in class.nodes {
                total += node.items * softplus(base + at.v * node.value / self.scale);
            }
        }
        total
    }
}

fn dot(a: [f64; 2], b: [f64; 2]) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Computes the probability p of these log odds, and p(1 − p).
pub(super) fn share(log_odds: f64) -> (f64, f64) {
    let small = libm::exp(-log_odds.abs());
    let rest = 1.0 / (1.0 + small);
    let p = if log_odds < 0.0 { small * rest } else { rest };
    (p, small * rest * rest)
}

/// Computes `ln(1 + eˣ)`.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-x.abs()))
}

/// Returns the lower triangle L with L·Lᵀ equal to the matrix's first rows; `None` if the matrix is
/// not positive.
fn cholesky(matrix: &[[f64; 3]; 3], rows: usize) -> Option<[[f64; 3]; 3]> {
    let mut lower = [[0.0; 3]; 3];
    for i in 0..rows {
        for j in 0..=i {
            let products = lower[i].iter().zip(&lower[j]).take(j);
            let rest = products.fold(matrix[i][j], |rest, (a, b)| rest - a * b);
            if i != j {
                lower[i][j] = rest / lower[j][j];
            } else if rest > 0.0 {
                lower[i][i] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(lower)
}

/// Replaces the right side by the solution.
fn solve(matrix: &[[f64; 3]; 3], rows: usize, x: &mut [f64; 3]) -> Option<()> {
    let lower = cholesky(matrix, rows)?;
    for i in 0..rows {
        for k in 0..i {
            x[i] -= lower[i][k] * x[k];
        }
        x[i] /= lower[i][i];
    }
    for i in (0..rows).rev() {
        for (k, row) in lower.iter().enumerate().take(rows).skip(i + 1) {
            x[i] -= row[i] * x[k];
        }
        x[i] /= lower[i][i];
    }
    Some(())
}
