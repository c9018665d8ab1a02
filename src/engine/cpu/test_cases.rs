//! The material that the tests of this engine make their cases of.

use crate::sae::{Activation, Sae, SaeParts, whitening};

/// A small generator of its own: the numbers of these tests need to be varied, not good. The upper
/// bits are the better ones.
pub(in crate::engine::cpu) struct Random(pub(in crate::engine::cpu) u64);

impl Random {
    pub(in crate::engine::cpu) fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0
    }

    /// 31 bits.
    pub(in crate::engine::cpu) fn next_u32(&mut self) -> u32 {
        (self.next() >> 33) as u32
    }
}

/// A model whose whitening divides by one, with weights \[F, D\] and as many biases as atoms.
pub(in crate::engine::cpu) fn plain_sae(k: usize, weight: Vec<f32>, bias: Vec<f32>) -> Sae {
    let (features, dim) = (bias.len(), weight.len() / bias.len());
    Sae::new(SaeParts {
        name: "case".into(),
        input_dim: dim,
        feature_dim: features,
        activation: Activation::TopK { k, relu: false },
        weight,
        bias,
        input: whitening(vec![0.0; dim], &vec![1.0; dim]),
        ..SaeParts::default()
    })
    .expect("finite numbers")
}
