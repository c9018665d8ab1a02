//! Effect sizes: how strongly an atom leans to true or to false calls, with 95 % intervals.

use super::table::Table2x2;

/// The 97.5 % quantile of the standard normal distribution: 95 % lie within it of the mean.
pub const Z_95: f64 = 1.959_963_984_540_054;

/// An estimate and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The interval's lower end.
    pub low: f64,
    /// The interval's upper end.
    pub high: f64,
}

/// Computes the log odds ratio `ln(a'd'/(b'c'))` with a' = a + ½ and so on: the Haldane–Anscombe
/// correction (Haldane, Ann. Hum. Genet. 20, 1956; Anscombe, Biometrika 43, 1956). It is always
/// added to all four cells, so that the result is finite for every table and 0 for an empty one.
/// The logarithm is natural, and positive if the atom leans to true calls.
///
/// The interval is Woolf's (Ann. Hum. Genet. 19, 1955) on the corrected cells:
/// ± 1.96·√(1/a' + 1/b' + 1/c' + 1/d').
///
/// statsmodels' `Table2x2(table, shift_zeros=True)` corrects only tables that have a zero, which
/// makes the estimate jump between neighbouring tables. On the corrected cells,
/// `Table2x2(table + 0.5).log_oddsratio` and `.log_oddsratio_confint()` agree with this.
pub fn log_odds_ratio(table: &Table2x2) -> Estimate {
    let cells = table.cells().map(|x| 2 * u128::from(x) + 1);
    let [agree, disagree] = [cells[0] * cells[3], cells[1] * cells[2]];
    // Near 1 the logarithm of a rounded ratio loses digits; the difference is exact.
    let difference = agree.abs_diff(disagree);
    let larger = agree.max(disagree) as f64;
    let magnitude = if 2 * difference < agree.min(disagree) {
        libm::log1p(difference as f64 / agree.min(disagree) as f64)
    } else {
        libm::log(larger / agree.min(disagree) as f64)
    };
    let value = if agree < disagree {
        -magnitude
    } else {
        magnitude
    };
    let [a, b, c, d] = cells.map(|twice| 2.0 / twice as f64);
    let half_width = Z_95 * (a + b + c + d).sqrt();
    Estimate {
        value,
        low: value - half_width,
        high: value + half_width,
    }
}

/// Computes P(TP | fires), the share of true calls among those on which the atom fires, with
/// Wilson's interval; `None` if it never fires.
pub fn precision_when_firing(table: &Table2x2) -> Option<Estimate> {
    wilson(table.tp_on, table.fires())
}

/// Computes the risk difference `P(TP | fires) − P(TP | silent)`, with Newcombe's hybrid score
/// interval (Statist. Med. 17, 1998, method 10: from the two Wilson intervals). The interval stays
/// within ±1 and covers well for small counts. It is statsmodels'
/// `confint_proportions_2indep(method="newcomb", compare="diff")`. Returns `None` if the atom fires
/// on no call, or on every one.
pub fn risk_difference(table: &Table2x2) -> Option<Estimate> {
    let fires = wilson(table.tp_on, table.fires())?;
    let silent = wilson(table.tp_off, table.silent())?;
    // (a·(c+d) − c·(a+b)) = ad − bc, exact.
    let margins = table.fires() as f64 * table.silent() as f64;
    let value = table.cross_difference() as f64 / margins;
    let down = length(fires.value - fires.low, silent.high - silent.value);
    let up = length(fires.high - fires.value, silent.value - silent.low);
    Some(Estimate {
        value,
        low: value - down,
        high: value + up,
    })
}

/// Computes a proportion with Wilson's score interval (J. Am. Statist. Assoc. 22, 1927):
/// statsmodels' `proportion_confint(method="wilson")`. Returns `None` if there are no trials.
pub fn wilson(successes: u64, trials: u64) -> Option<Estimate> {
    if trials == 0 {
        return None;
    }
    let (n, x) = (trials as f64, successes as f64);
    let square = Z_95 * Z_95;
    let root = (x * (n - x) / n + square / 4.0).sqrt();
    let high = if successes == trials {
        1.0
    } else {
        (x + square / 2.0 + Z_95 * root) / (n + square)
    };
    // The ends are the roots of one quadratic, whose product is x²/(n·(n + z²)); so the lower one
    // has no cancellation.
    let low = x / n * (x / (n + square)) / high;
    let value = x / n;
    Some(Estimate { value, low, high })
}

/// Computes `√(x² + y²)` for numbers of moderate size.
fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}
