//! Selection by the canonical scores of all atoms: for rows that too many candidates were found of,
//! and for models that no bound holds for.

use crate::engine::canonical::canonical_score;
use crate::engine::choose::{RowCut, choose};
use crate::engine::simd::Simd;
use crate::sae::Sae;

/// Buffers, reused from row to row.
#[derive(Default)]
pub(in crate::engine::cpu) struct InFull {
    scores: Vec<f64>,
    order: Vec<u32>,
    atoms: Vec<u32>,
}

impl InFull {
    /// Returns the atoms that fire on row `x`, \[D\], ascending.
    pub(in crate::engine::cpu) fn row(
        &mut self,
        sae: &Sae,
        simd: Simd,
        x: &[f32],
        cut: RowCut,
    ) -> &[u32] {
        let rows = sae.weight().chunks_exact(sae.input_dim());
        let score = |(weight, &bias): (&[f32], &f32)| canonical_score(simd, x, weight, bias);
        self.scores.clear();
        self.scores.extend(rows.zip(sae.bias()).map(score));
        let (order, atoms) = (&mut self.order, &mut self.atoms);
        choose(sae.activation(), &self.scores, cut, order, atoms);
        atoms
    }
}
