//! The bound of certified selection for the screens of a GPU: how far a screened score can be from
//! the canonical one. (`engine::bound` has the CPU's, whose operands need no rounding.)
//!
//! # What is screened
//! Row `n` and the weights are multiplied by powers of two, `2^−a` and `2^−B`, so that the largest
//! number of the row, and of all weights, lies in `[2^14, 2^15)`: `x' = x·2^−a`, `w' = w·2^−B` as
//! real numbers. The screen multiplies `x̃`, `w̃`:
//!
//! - *half*: each number rounded to binary16. None overflows (65504); below 2⁻¹⁴ relative accuracy
//!   is lost, and norms of what was lost are part of the bound, so that nothing rests on it;
//! - *split*: `x̃ = x_h + x_l`, two binary16 numbers; the operands are `[x_h | x_h | x_l]` and
//!   `[w_h | w_l | w_h]`, so that one product of depth 3D gives all but `x_l·w_l`;
//! - *single*: binary32, which is exact but for underflow.
//!
//! The estimate is `q = fl(ŝ + fl(β·t))`, where `β = bias·2^−c` and `t = 2^(c−a−B)`: all in units
//! in which the canonical score is `s' = s·2^−(a+B)`, exactly.
//!
//! # What is proved
//! With 2-norms rounded up, `u = 2⁻²⁴`, and for feature `f`
//!
//! ```text
//! P = ‖w'‖·(1 + 2⁻¹⁷)
//! V = (‖w'−w̃‖ + γ·‖ŵ‖ + (γ64 + 4u)·(‖w'‖ + ‖ŵ‖))·(1 + 2⁻¹⁷)
//! ```
//!
//! and for row `n`, with `E = ‖x'−x̃‖ + ‖x_l‖·max_f(‖w_l‖/‖w'‖)`, `X = max(‖x̃‖, ‖x̂‖)`,
//! `A = (4u·|β·t|max + D·2⁻¹²⁶)·(1 + 2⁻¹⁷)` (`x̂`, `ŵ` are the operands as the product sees them),
//! the canonical score lies within `m = E·P + X·V + A` of `q`, and in `[fl(q−m), fl(q+m)]`.
//!
//! 1. *Rounding of operands.* `x'·w' − x̃·w̃ = (x'−x̃)·w' + x̃·(w'−w̃)`: at most
//!    `‖x'−x̃‖·‖w'‖ + ‖x̃‖·‖w'−w̃‖` (Cauchy–Schwarz). The split leaves out `x_l·w_l`, at most
//!    `‖x_l‖·‖w_l‖ ≤ ‖x_l‖·max(‖w_l‖/‖w'‖)·‖w'‖`.
//! 2. *Accumulation.* `|ŝ − x̂·ŵ| ≤ γ·Σ|x̂_i·ŵ_i| ≤ γ·‖x̂‖·‖ŵ‖`; see [`accumulation`].
//! 3. *The canonical sum* errs by `γ64·‖x'‖·‖w'‖`, `γ64 = (⌈D/32⌉ + 6)·2·2⁻⁵³` (as in
//!    `engine::bound`), and `‖x'‖ ≤ X + E`: X times it is in V, E times it within P's 2⁻¹⁷.
//! 4. *The estimate and the interval* round quantities below `X·‖ŵ‖·(1+γ) + |β·t| + m` by u each:
//!    the 4u of V and of A; roundings of m itself, and of `q ± m`, are within 2⁻¹⁷ = 128u.
//! 5. *Underflow*: of the single operand, and of `β·t` (as in `engine::bound`), below `D·2⁻¹²⁶`.
//!    Products of binary16 numbers are at least 2⁻⁴⁸: none underflows.
//!
//! # Thresholds
//! Where an atom fires whose score is above its own threshold θ, the bias gives way to the shift
//! `σ = fl64(bias − θ)`, and the interval of `(s − θ)·2^−(a+B)` is compared with 0: what the CPU does, and
//! [`shifts`](crate::engine::bound::Shifts) proves, with `β·t = fl32(σ·2^−c)·2^(c−a−B)` in the place of
//! the bias. With `|β·t|max = 0` in A, and the shift's own `M`, `m = E·P + X·V + A + M·t`:
//!
//! 6. *The canonical score* errs by `v·|bias|` more than point 3 has, and σ by `v·|σ|`: M holds
//!    `4v·|bias|` and `4u·|σ|`. Of the latter, point 4 needs `2u`, and the rounding of β `u`.
//! 7. *Roundings of m*: M's own, and its addition, are within the factor `1 + 2⁻¹⁸` that it has.
//! 8. *Underflow* of `fl32(σ·2^−c)` is in M; t is exact, as a row with `t < 2⁻¹²⁶` is scored in full.
//! 9. *Infinities*: a shift is taken for infinite where `|σ|·2^−c ≥ 2⁶⁰`; the row is scored in full unless
//!    `2⁶⁰·t > 4·‖x'‖·max_f P`, so that no sum of products reaches a quarter of such a shift. Other
//!    shifts stay below 2¹²⁰ in the row's units, by its least exponent.
//!
//! Where rows have a cut, θ is the row's: the interval of s' stays as it is, and is compared with
//! `θ·2^−(a+B)`, computed in binary64 and rounded down, and up, to binary32.

use super::whiten::RowFacts;
use crate::engine::cuda_options::Format;

/// Unit roundoff of binary32.
const U: f64 = 1.0 / (1u64 << 24) as f64;
/// Unit roundoff of binary64.
const V: f64 = f64::EPSILON / 2.0;
/// Covers the roundings of the margin's own arithmetic.
const INFLATE: f64 = 1.0 + 1.0 / (1u64 << 17) as f64;

/// γ of a product of operands of `depth` numbers whose sums begin anew every `block` of them:
/// its accumulated rounding, relative to `‖x̂‖·‖ŵ‖`.
///
/// *Binary32* (fused multiply-adds, rounded to nearest, in any order): `t = block·u` a block.
///
/// *Tensor cores* do not round to nearest. As measured on Volta to Hopper (Fasi, Higham, Mikaitis,
/// Pranesh, *Numerical behavior of NVIDIA tensor cores*, Peer J. Computer Science 7, 2021; Khattak,
/// Mikaitis, *Generalized methodology for determining numerical features of hardware*, 2025), one
/// step adds `K` exact products to an accumulator: all addends are aligned to the largest, keep at
/// least 24 bits of it, and are truncated; the sum is truncated to binary32. With `M` the largest
/// addend each of `K + 1` addends loses less than `2⁻²³·M`, and the sum less than `2⁻²³` of
/// itself; both are below `2⁻²³·Σ|products|` so far. `n/K` steps lose `n·(1 + 2/K)·2⁻²³`:
/// `K` is 4 on Turing (1.5), 8 on Ampere and Ada, 16 on Hopper (1.25 for all three); Blackwell and
/// later are taken to be no worse than Turing. This is a model of undocumented hardware: the bound
/// is proven given the model. What splits of the depth over multiprocessors add in binary32 is
/// below `64·2⁻²³`. `scripts/gpu-check` tests this on the device where truncation errs most.
///
/// *Blocks* err by `γ_b·‖x̂_b‖·‖ŵ_b‖` each, which add up to at most `γ_b·‖x̂‖·‖ŵ‖` (Cauchy–Schwarz
/// over blocks): a quarter of the depth has a quarter of the error. Adding a block's sum to those
/// before errs by `2⁻²³` of either, at most `2⁻²³·‖x̂‖·‖ŵ‖·(1 + γ)` each time. That a product is
/// summed up from zero and then added to what C holds, in binary32, is how cuBLAS describes
/// `alpha·AB + beta·C`; it is part of the model, and of what `gpu-check` tests.
pub fn accumulation(format: Format, depth: usize, block: usize, architecture: u32) -> f64 {
    let block = block.clamp(1, depth.max(1));
    let joins = (depth.div_ceil(block) - 1) as f64;
    let t = match format {
        Format::Single => block as f64 * U,
        Format::Half | Format::Split => {
            // Turing, and what nobody has measured: the worst that is known.
            let known = (80..100).contains(&architecture);
            let addends = if known { 1.25 } else { 1.5 };
            (block as f64 * addends + 64.0) * 2.0 * U
        }
    };
    let growth = |t: f64| {
        if t < 1.0 {
            t / (1.0 - t)
        } else {
            f64::INFINITY
        }
    };
    let (of_block, of_joins) = (growth(t), growth(joins * 2.0 * U));
    of_block + of_joins * (1.0 + of_block)
}

/// `P` and `V` of a feature, from the facts of its row of weights.
pub fn feature_margin(facts: &RowFacts, dim: usize, gamma: f64) -> [f32; 2] {
    let [error, norm, whole] = [facts.error, facts.norm, facts.whole].map(f64::from);
    let gamma64 = (dim.div_ceil(32) + 6) as f64 * 2.0 * V;
    let spread = error + gamma * norm + (gamma64 + 4.0 * U) * (whole + norm);
    [
        crate::engine::bound::round_up(whole * INFLATE),
        crate::engine::bound::round_up(spread * INFLATE),
    ]
}
