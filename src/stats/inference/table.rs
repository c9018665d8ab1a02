//! The 2×2 table of firing and label.

/// A 2×2 table: the calls of either label on which an atom fires, and on which it does not.
///
/// The letters are those of textbooks, with firing in the rows and the label in the columns:
///
/// ```text
///            true       false
/// fires      tp_on = a  fp_on = b  | fires
/// is silent  tp_off = c fp_off = d | silent
///            tp         fp         | n
/// ```
///
/// Any other indicator of calls may stand for firing, and any other two classes for the label.
/// Counts are exact up to 2⁵³ calls in all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Table2x2 {
    /// True calls on which the atom fires.
    pub tp_on: u64,
    /// False calls on which the atom fires.
    pub fp_on: u64,
    /// True calls on which the atom does not fire.
    pub tp_off: u64,
    /// False calls on which the atom does not fire.
    pub fp_off: u64,
}

impl Table2x2 {
    /// Makes the table of an atom that fires on `tp_on` of `tp` true calls and on `fp_on` of `fp`
    /// false ones; `None` if it fires on more calls than there are.
    pub fn of_totals(tp_on: u64, fp_on: u64, tp: u64, fp: u64) -> Option<Self> {
        Some(Self {
            tp_on,
            fp_on,
            tp_off: tp.checked_sub(tp_on)?,
            fp_off: fp.checked_sub(fp_on)?,
        })
    }

    /// Counts the calls on which the atom fires, the first row's sum.
    pub fn fires(&self) -> u64 {
        self.tp_on + self.fp_on
    }

    /// Counts the calls on which the atom does not fire.
    pub fn silent(&self) -> u64 {
        self.tp_off + self.fp_off
    }

    /// Counts the true calls, the first column's sum.
    pub fn tp(&self) -> u64 {
        self.tp_on + self.tp_off
    }

    /// Counts the false calls.
    pub fn fp(&self) -> u64 {
        self.fp_on + self.fp_off
    }

    /// Counts all calls.
    pub fn n(&self) -> u64 {
        self.fires() + self.silent()
    }

    /// Says whether a margin is zero. Then there is only one table with these margins, and it says
    /// nothing about an association.
    pub fn is_degenerate(&self) -> bool {
        [self.fires(), self.silent(), self.tp(), self.fp()].contains(&0)
    }

    /// Computes `ad − bc`, exact and positive if the atom leans to true calls. Divided by n it is
    /// the difference of each cell from its expectation under independence.
    pub fn cross_difference(&self) -> i128 {
        let product = |x: u64, y: u64| i128::from(x) * i128::from(y);
        product(self.tp_on, self.fp_off) - product(self.fp_on, self.tp_off)
    }

    /// Returns the cells in row-major order: a, b, c, d.
    pub(crate) fn cells(&self) -> [u64; 4] {
        [self.tp_on, self.fp_on, self.tp_off, self.fp_off]
    }

    /// Returns the expected cells under independence, row margin · column margin / n, in the order
    /// of [`cells`](Self::cells). The table must not be empty.
    pub(crate) fn expected(&self) -> [f64; 4] {
        let n = self.n() as f64;
        let [fires, silent] = [self.fires() as f64, self.silent() as f64];
        let [tp, fp] = [self.tp() as f64, self.fp() as f64];
        [(fires, tp), (fires, fp), (silent, tp), (silent, fp)].map(|(row, column)| row * column / n)
    }
}

impl std::ops::Add for Table2x2 {
    type Output = Self;

    /// Adds the calls of both tables.
    fn add(self, other: Self) -> Self {
        Self {
            tp_on: self.tp_on + other.tp_on,
            fp_on: self.fp_on + other.fp_on,
            tp_off: self.tp_off + other.tp_off,
            fp_off: self.fp_off + other.fp_off,
        }
    }
}
