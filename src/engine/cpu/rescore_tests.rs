//! The second screen's bound as a property, and that it leaves little to the canonical score.

use proptest::prelude::*;

use super::block::Block;
use super::context::Context;
use super::model::Model;
use super::options::CpuScreen;
use super::products::{SLICE, SliceOfRows, add_products};
use super::second::second_margin;
use super::test_cases::{Random, plain_sae};
use super::whiten::row_facts;
use crate::control::Control;
use crate::engine::bound;
use crate::engine::canonical::canonical_score;
use crate::engine::simd::Simd;
use crate::engine::sink::{Places, Slot};
use crate::rows::ElementType;

/// Numbers of one sign or both, of like or of very different magnitudes, all below 2²⁰.
fn numbers(n: usize, seed: u64, kind: usize) -> Vec<f32> {
    let mut random = Random(seed);
    let mut next = || random.next_u32();
    let number = |i| {
        let mantissa = next() % (1 << 23);
        let (sign, exponent) = match kind {
            0 => (0, 127),
            1 => (next() % 2, 127),
            2 => (next() % 2, 60 + next() % 80),
            3 => (i as u32 % 2, 127),
            _ => (0, 0),
        };
        f32::from_bits(sign << 31 | exponent << 23 | mantissa)
    };
    (0..n).map(number).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_product_lies_outside_its_margin(
        seed in any::<u64>(),
        d in prop_oneof![1usize..70, 250usize..260, Just(1024), Just(1100)],
        of_row in 0usize..5,
        of_atom in 0usize..5,
        bias in -4f32..4.0,
    ) {
        let x = numbers(d, seed, of_row);
        let w = numbers(d, seed ^ 0x5555, of_atom);
        for simd in Simd::all() {
            let mut sum = [0.0f64];
            for from in (0..d).step_by(SLICE) {
                let slice = from..(from + SLICE).min(d);
                let rows = SliceOfRows { numbers: &x[slice.clone()], width: slice.len() };
                add_products(simd, rows, &w[slice], &[0], &mut sum);
            }
            let norm = |v: &[f32]| bound::scaled_norm(row_facts(simd, v).squares, 0);
            let margin = second_margin(d, norm(&x), norm(&w), f64::from(bias.abs()));
            let exact = canonical_score(simd, &x, &w, bias);
            let found = sum[0] + f64::from(bias);
            prop_assert!((found - exact).abs() <= margin, "{simd}: {found:e} {exact:e} {margin:e}");
        }
    }
}

#[test]
fn the_second_screen_leaves_little_open() {
    let (rows, d, f, k) = (300, 700, 900, 20);
    let sae = plain_sae(k, numbers(f * d, 1, 1), numbers(f, 2, 1));
    let model = Model::new(&sae, Simd::detect(), CpuScreen::Bfloat16Plain).expect("any machine");
    let stored = numbers(rows * d, 3, 1);
    let mut block = Block::default();
    let bad = block.load(&model, bytemuck::cast_slice(&stored), ElementType::F32);
    assert!(bad.is_empty());
    let mut atoms = vec![0; rows * k];
    let control = Control::default();
    let context = Context {
        cuts: None,
        first: 0,
        control: &control,
        threads: 1,
    };
    let places = Places {
        width: k,
        atoms: &mut atoms,
        scores: &mut [],
    };
    block
        .encode(&model, context, Slot::InPlace(places))
        .expect("nobody cancels");
    let (certificate, _) = block.finish();
    assert!(certificate.ambiguous_atoms > 1000, "{certificate:?}");
    assert!(
        certificate.canonical_scores * 20 < certificate.ambiguous_atoms,
        "{certificate:?}"
    );
}
