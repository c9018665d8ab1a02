//! The planted atoms, and how often each fires on which calls.
//!
//! Planted atoms come in pairs. On a call at most one of a pair fires, and the probability that one
//! does is the same for every label and type; only *which* one depends on the call. So the number
//! of planted atoms that fire, and the number of places left to the others, has the same
//! distribution on every call. Atoms that are not planted are therefore exactly independent of
//! label and type.

use super::SimulateOptions;
use super::benchmark::Counts;
use super::calls::{Caller, KINDS, TYPES};
use super::pair::{Pair, TiedTo};
use super::random::{Purpose, Stream};
use super::truth::{PlantedAtom, StratumShare, Truth};
use crate::cohort::Label;

/// The planted odds ratios, in turn, of the first atom of a pair. The second has the inverse.
const ODDS: [f64; 6] = [20.0, 6.0, 3.0, 10.0, 2.0, 1.5];
/// The range from which the lower of a pair's two firing probabilities is drawn.
const LOW_RATE: (f64, f64) = (0.03, 0.08);
/// The number of pairs of which one is tied to types.
const TIED_EVERY: usize = 4;
/// The places, among so many pairs, of one that is tied to false calls in regions, and of one that is tied
/// to false calls without a candidate. Only a cohort with a benchmark has them.
const FALSE_CALLS_EVERY: usize = 8;
const IN_REGION_AT: usize = 1;
const NO_CANDIDATE_AT: usize = 5;

const LABELS: [Label; 2] = [Label::Tp, Label::Fp];

/// The pairs, and the other atoms in random order.
pub(super) struct Plan {
    pub(super) pairs: Vec<Pair>,
    pub(super) null: Vec<u32>,
}

impl Plan {
    pub(super) fn new(options: &SimulateOptions) -> Self {
        let mut stream = Stream::new(options.seed, Purpose::Plan, 0);
        let mut atoms: Vec<u32> = (0..options.features as u32).collect();
        stream.shuffle(&mut atoms);
        let null = atoms.split_off(2 * pair_count(options));
        let pairs = atoms.chunks_exact(2).enumerate().map(|(i, atoms)| {
            let atoms = [atoms[0], atoms[1]];
            if options.one_sided > 0 {
                return Pair::one_sided(atoms);
            }
            if i % TIED_EVERY == TIED_EVERY - 1 {
                return Pair::by_type(atoms);
            }
            match i % FALSE_CALLS_EVERY {
                IN_REGION_AT if options.vcf => {
                    return Pair::by_false_calls(atoms, TiedTo::FalseInRegion);
                }
                NO_CANDIDATE_AT if options.vcf => {
                    return Pair::by_false_calls(atoms, TiedTo::FalseWithoutCandidate);
                }
                _ => {}
            }
            let (from, to) = LOW_RATE;
            let low = from + (to - from) * stream.unit();
            Pair::by_label(atoms, ODDS[(i - i / TIED_EVERY) % ODDS.len()], low)
        });
        Self {
            pairs: pairs.collect(),
            null,
        }
    }

    /// Describes the plan as the truth file has it.
    pub(super) fn truth(
        &self,
        options: &SimulateOptions,
        caller: &Caller,
        counts: Option<&Counts>,
    ) -> Truth {
        let strata: Vec<StratumShare> = LABELS
            .into_iter()
            .flat_map(|label| (0..KINDS).map(move |kind| (label, kind)))
            .map(|(label, kind)| StratumShare {
                label: label.as_str().to_owned(),
                svtype: TYPES[kind].name.to_owned(),
                share: caller.stratum_share(label, kind),
            })
            .collect();
        let mut planted: Vec<PlantedAtom> = self
            .pairs
            .iter()
            .flat_map(|pair| [(pair, 0), (pair, 1)])
            .map(|(pair, which)| {
                let rates = pair.rates(which, counts);
                PlantedAtom {
                    atom: pair.atoms[which],
                    role: pair.role(which),
                    odds: odds_ratio(mean(&strata, &rates, 0), mean(&strata, &rates, 1)),
                    odds_within_type: odds_ratio(rates[0], rates[KINDS]),
                    rates,
                    tie: pair.tie(which),
                }
            })
            .collect();
        planted.sort_by_key(|planted| planted.atom);
        Truth {
            options: options.clone(),
            strata,
            planted,
            null_atoms: self.null.len(),
            benchmark: counts.map(Counts::summed),
        }
    }
}

/// Returns the mean firing probability over a label's strata.
fn mean(strata: &[StratumShare], rates: &[f64], label: usize) -> f64 {
    let range = label * KINDS..(label + 1) * KINDS;
    let share: f64 = strata[range.clone()].iter().map(|s| s.share).sum();
    let fires: f64 = range.map(|i| strata[i].share * rates[i]).sum();
    fires / share
}

fn odds_ratio(p: f64, q: f64) -> f64 {
    p * (1.0 - q) / (q * (1.0 - p))
}

/// Returns the number of pairs. A 64th of the atoms is planted, and at least eight, within what the
/// shapes allow: half of the places that fire go to others, these can fill all places, and the
/// dimensions suffice for planted atoms orthogonal to the rest.
fn pair_count(options: &SimulateOptions) -> usize {
    if options.one_sided > 0 {
        return options.one_sided / 2;
    }
    (options.features / 128).max(4).min(most_pairs(options))
}

/// Returns the most one-sided atoms for which there is room.
pub(super) fn most_one_sided(options: &SimulateOptions) -> usize {
    (2 * most_pairs(options)).min(options.k / 2 * 2)
}

/// Returns the most pairs for which there is room.
fn most_pairs(options: &SimulateOptions) -> usize {
    let others = (options.features - options.k) / 2;
    (options.k.div_ceil(2))
        .min(others)
        .min(options.input_dim / 4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::pair::Properties;
    use crate::simulate::truth::Role;

    #[test]
    fn rates_have_the_planted_odds_ratio_and_a_constant_sum() {
        let pair = Pair::by_label([0, 1], 20.0, 0.05);
        let rates = pair.rates(0, None);
        assert!((odds_ratio(rates[0], rates[KINDS]) - 20.0).abs() < 1e-12);
        for pair in [pair, Pair::by_type([0, 1])] {
            for (first, second) in pair.rates(0, None).iter().zip(pair.rates(1, None)) {
                let either = pair.either().expect("at most one fires");
                assert!((first + second - either).abs() < 1e-12);
                assert!(*first > 0.0 && second > 0.0 && either < 1.0);
            }
        }
    }

    #[test]
    fn one_sided_atoms_all_lean_to_true_calls() {
        let mut options = SimulateOptions::new(1, 64, 512, 16, 1);
        options.one_sided = 4;
        let plan = Plan::new(&options);
        assert_eq!((plan.pairs.len(), plan.null.len()), (2, 508));
        for pair in &plan.pairs {
            for which in 0..2 {
                let rates = pair.rates(which, None);
                assert_eq!((rates[0], rates[KINDS]), (0.9, 0.1));
                assert_eq!(pair.role(which), Role::TpBiased);
            }
            // Both, one, the other, neither: as often as for two independent atoms.
            let mut met = [0; 4];
            for i in 0..1000 {
                let call = Properties {
                    label: Label::Tp,
                    kind: 0,
                    in_region: true,
                    miss: None,
                };
                let [a, b] = pair.fires(call, (f64::from(i) + 0.5) / 1000.0);
                met[usize::from(a) + 2 * usize::from(b)] += 1;
            }
            assert_eq!(met, [10, 90, 90, 810]);
        }
        options.one_sided = 3;
        assert!(options.check().is_err(), "an odd number");
        options.one_sided = 18;
        assert!(options.check().is_err(), "more than there are places");
    }

    #[test]
    fn plan_for_small_shapes_leaves_room_for_other_atoms() {
        for (input_dim, features, k) in [(1, 1, 1), (64, 1, 1), (64, 8, 8), (64, 9, 8), (4, 3, 1)] {
            let options = SimulateOptions::new(1, input_dim, features, k, 1);
            let plan = Plan::new(&options);
            assert!(plan.null.len() >= k && 2 * plan.pairs.len() <= input_dim);
            assert_eq!(plan.null.len() + 2 * plan.pairs.len(), features);
        }
        let usual = Plan::new(&SimulateOptions::new(1, 4096, 4096, 64, 1));
        assert_eq!(usual.pairs.len(), 32);
    }
}
