//! Selection by the canonical scores of all atoms, for rules that are not screened.

use crate::engine::canonical::canonical_score;
use crate::engine::choose::{RowCut, choose};
use crate::engine::simd::Simd;
use crate::sae::Sae;

/// Buffers, reused from row to row.
#[derive(Default)]
pub(in crate::engine::cpu) struct InFull {
    scores: Vec<f64>,
    order: Vec<u32>,
    /// The atoms that fire on the row, ascending.
    pub(in crate::engine::cpu) atoms: Vec<u32>,
    /// Their scores.
    pub(in crate::engine::cpu) fired: Vec<f64>,
}

impl InFull {
    /// Selects the atoms of row `x`, \[D\].
    pub(in crate::engine::cpu) fn row(&mut self, sae: &Sae, simd: Simd, x: &[f32], cut: RowCut) {
        let rows = sae.weight().chunks_exact(sae.input_dim());
        let score = |(weight, &bias): (&[f32], &f32)| canonical_score(simd, x, weight, bias);
        self.scores.clear();
        self.scores.extend(rows.zip(sae.bias()).map(score));
        let (order, atoms) = (&mut self.order, &mut self.atoms);
        choose(sae.activation(), &self.scores, cut, order, atoms);
        self.fired.clear();
        let fired = self.atoms.iter().map(|&atom| self.scores[atom as usize]);
        self.fired.extend(fired);
    }
}
