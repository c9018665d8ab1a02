//! The model with all that is prepared from it once.

use super::options::CpuScreen;
use super::screen::{Scaling, Screen};
use super::screens::{Choice, Screens};
use super::select::Policy;
use super::tile::ROW_LANES;
use crate::engine::bound;
use crate::engine::simd::Simd;
use crate::error::Result;
use crate::sae::{Sae, Steps};

/// A block's whitened numbers take at most so many bytes, of which there are some per thread: the
/// more rows there are, the more of them share an atom's weights when open pairs are resolved.
const MOST_BYTES: usize = 16 << 20;
/// The most rows of a block, however short they are.
const MOST_ROWS: usize = 4096;
/// The most numbers that the group maxima of a product's rows take.
const MOST_MAXIMA: usize = 1 << 21;

/// The model with all that is prepared from it once.
pub(super) struct Model {
    sae: Sae,
    pub(super) scaling: Scaling,
    /// The screens; `None` where nothing is screened.
    pub(super) screens: Option<Screens>,
    /// The steps before the product.
    pub(super) input: Steps,
    simd: Simd,
}

impl Model {
    /// # Errors
    /// A screen that this CPU cannot do, or that finds no memory.
    pub(super) fn new(sae: &Sae, simd: Simd, screen: CpuScreen) -> Result<Self> {
        // Whether or not anything is screened: what is asked for by name must be there.
        let choice = Choice::new(screen, simd)?;
        let scaling = Scaling::new(sae, simd);
        // The bound does not hold for longer rows.
        let is_screened = Policy::of(sae).is_screened();
        let screens = (is_screened && sae.input_dim() <= bound::LARGEST_DIM)
            .then(|| Screens::new(sae, &scaling, simd, choice))
            .transpose()?;
        Ok(Self {
            sae: sae.clone(),
            scaling,
            screens,
            input: Steps::new(sae.input(), sae.input_dim()),
            simd,
        })
    }

    pub(super) fn sae(&self) -> &Sae {
        &self.sae
    }

    /// Returns the rule by which atoms of a row fire.
    pub(super) fn policy(&self) -> Policy<'_> {
        Policy::of(&self.sae)
    }

    pub(super) fn simd(&self) -> Simd {
        self.simd
    }

    pub(super) fn code_path(&self) -> String {
        match &self.screens {
            Some(screens) => format!("{}, {}", self.simd, screens.describe()),
            None => format!("{}, no screen: every atom is scored in full", self.simd),
        }
    }

    /// The most rows that a block may have.
    pub(super) fn most_rows(&self) -> usize {
        let row = self.sae.input_dim() * size_of::<f32>();
        (MOST_BYTES / row).clamp(ROW_LANES, MOST_ROWS)
    }

    /// An upper bound of the norm of a feature's weights, where these are unscaled.
    pub(super) fn norm(&self, feature: usize) -> f32 {
        self.scaling.norms[feature]
    }

    /// Says whether weights are screened without scaling.
    pub(super) fn weights_are_unscaled(&self) -> bool {
        self.scaling.exponent == 0
    }

    /// Returns the number of rows, of `count`, that go through a screen's product at once.
    pub(super) fn rows_per_product(&self, screen: &Screen, count: usize) -> usize {
        let maxima = self.policy().maxima(self.sae.feature_dim());
        let most = screen.shape().rows.min(MOST_MAXIMA / maxima).max(ROW_LANES);
        count
            .div_ceil(count.div_ceil(most))
            .next_multiple_of(ROW_LANES)
    }
}
