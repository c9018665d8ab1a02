//! A block's rows, whitened.

use std::ops::Range;

use super::model::Model;
use super::screen::WhiteRows;
use super::whiten::{self, RowFacts};
use crate::rows::ElementType;

/// Whitened rows without those that are not finite.
#[derive(Default)]
pub(super) struct White {
    /// \[kept, D\].
    pub(super) numbers: Vec<f32>,
    pub(super) facts: Vec<RowFacts>,
    pub(super) exponents: Vec<i32>,
    /// Their places in the block.
    pub(super) kept: Vec<usize>,
}

impl White {
    /// Some of them.
    pub(super) fn part(&self, rows: Range<usize>) -> WhiteRows<'_> {
        let dim = self.numbers.len() / self.facts.len();
        WhiteRows {
            numbers: &self.numbers[rows.start * dim..rows.end * dim],
            facts: &self.facts[rows.clone()],
            exponents: &self.exponents[rows],
        }
    }

    /// Whitens rows as they are `stored`; returns the places of those with a NaN or an infinity.
    pub(super) fn load(
        &mut self,
        model: &Model,
        stored: &[u8],
        element: ElementType,
    ) -> Vec<usize> {
        let dim = model.sae().input_dim();
        let rows = stored.chunks_exact(dim * element.bytes());
        self.numbers.resize(rows.len() * dim, 0.0);
        self.facts.clear();
        self.exponents.clear();
        self.kept.clear();
        let mut bad = Vec::new();
        for (r, stored) in rows.enumerate() {
            // A row that is not kept is overwritten by the next.
            let out = &mut self.numbers[self.kept.len() * dim..][..dim];
            model.input.take_row(model.simd(), stored, element, out);
            let facts = whiten::row_facts(model.simd(), out);
            if facts.finite {
                self.kept.push(r);
                self.facts.push(facts);
                let exponent = model.scaling.row_exponent(facts.largest);
                self.exponents.push(exponent);
            } else {
                bad.push(r);
            }
        }
        self.numbers.truncate(self.kept.len() * dim);
        bad
    }
}
