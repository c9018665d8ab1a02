//! The planted atoms, and how often each fires on which calls.
//!
//! Planted atoms come in pairs. On a call at most one of a pair fires, and the probability that one
//! does is the same for every label and type; only *which* one depends on the call. So the number
//! of planted atoms that fire, and the number of places left to the others, has the same
//! distribution on every call. Atoms that are not planted are therefore exactly independent of
//! label and type.

use super::SimulateOptions;
use super::benchmark::{Counts, Miss};
use super::calls::{Caller, DEL, Draw, INS, KINDS, TYPES};
use super::random::{Purpose, Stream};
use super::truth::{PlantedAtom, Role, StratumShare, Tie, Truth};
use crate::cohort::Label;

/// The planted odds ratios, in turn, of the first atom of a pair. The second has the inverse.
const ODDS: [f64; 6] = [20.0, 6.0, 3.0, 10.0, 2.0, 1.5];
/// The range from which the lower of a pair's two firing probabilities is drawn.
const LOW_RATE: (f64, f64) = (0.03, 0.08);
/// The firing probabilities of an atom that is tied to a type: on that type, on the type of the
/// pair's other atom, on the rest.
const TIED_RATES: (f64, f64, f64) = (0.35, 0.03, 0.19);
/// The firing probabilities of a one-sided atom: on true calls, on false ones.
const ONE_SIDED_RATES: (f64, f64) = (0.9, 0.1);
/// The firing probabilities of an atom that is tied to some false calls: on these, on all others.
const FALSE_CALL_RATES: (f64, f64) = (0.5, 0.05);
/// The number of pairs of which one is tied to types.
const TIED_EVERY: usize = 4;
/// The places, among so many pairs, of one that is tied to false calls in regions, and of one that is tied
/// to false calls without a candidate. Only a cohort with a benchmark has them.
const FALSE_CALLS_EVERY: usize = 8;
const IN_REGION_AT: usize = 1;
const NO_CANDIDATE_AT: usize = 5;

const LABELS: [Label; 2] = [Label::Tp, Label::Fp];

/// A pair of atoms of which at most one fires.
pub(super) struct Pair {
    pub(super) atoms: [u32; 2],
    to: TiedTo,
    /// The probability that the first fires, by label (TP, FP) and type; where it is tied to some false
    /// calls, on all others.
    first: [[f64; KINDS]; 2],
    /// The probability that the first fires on the false calls that it is tied to.
    there: f64,
    /// The probability that either fires. With `None`, both fire independently with the first's
    /// probability.
    either: Option<f64>,
}

/// The property of calls that a pair is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TiedTo {
    Label,
    Type,
    FalseInRegion,
    FalseWithoutCandidate,
}

/// What decides which of a pair fires on a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Properties {
    pub(super) label: Label,
    pub(super) kind: usize,
    in_region: bool,
    miss: Option<Miss>,
}

impl Properties {
    pub(super) fn of(draw: &Draw) -> Self {
        Self {
            label: draw.label,
            kind: draw.kind,
            in_region: draw.verdict.in_region,
            miss: draw.verdict.miss,
        }
    }
}

impl Pair {
    fn by_label(atoms: [u32; 2], odds: f64, low: f64) -> Self {
        let high = odds * low / (1.0 - low + odds * low);
        Self {
            atoms,
            to: TiedTo::Label,
            first: [[high; KINDS], [low; KINDS]],
            there: 0.0,
            either: Some(high + low),
        }
    }

    fn by_type(atoms: [u32; 2]) -> Self {
        let (own, other, rest) = TIED_RATES;
        let mut rates = [rest; KINDS];
        rates[INS] = own;
        rates[DEL] = other;
        Self {
            atoms,
            to: TiedTo::Type,
            first: [rates; 2],
            there: 0.0,
            either: Some(own + other),
        }
    }

    fn by_false_calls(atoms: [u32; 2], to: TiedTo) -> Self {
        let (there, elsewhere) = FALSE_CALL_RATES;
        Self {
            atoms,
            to,
            first: [[elsewhere; KINDS]; 2],
            there,
            either: Some(there + elsewhere),
        }
    }

    /// Makes a pair whose atoms both fire more often on true calls, so that others have fewer
    /// places there.
    fn one_sided(atoms: [u32; 2]) -> Self {
        let (high, low) = ONE_SIDED_RATES;
        Self {
            atoms,
            to: TiedTo::Label,
            first: [[high; KINDS], [low; KINDS]],
            there: 0.0,
            either: None,
        }
    }

    /// Returns which of the pair fire on a call, from a uniform draw.
    pub(super) fn fires(&self, call: Properties, unit: f64) -> [bool; 2] {
        let is_false = call.label == Label::Fp;
        let is_there = is_false
            && match self.to {
                TiedTo::Label | TiedTo::Type => false,
                TiedTo::FalseInRegion => call.in_region,
                TiedTo::FalseWithoutCandidate => call.miss == Some(Miss::NoCandidate),
            };
        let first = if is_there {
            self.there
        } else {
            self.first[usize::from(is_false)][call.kind]
        };
        let is_first = unit < first;
        let Some(either) = self.either else {
            // The rest of the draw is uniform too, whether or not the first fires.
            let left = if is_first {
                unit / first
            } else {
                (unit - first) / (1.0 - first)
            };
            return [is_first, left < first];
        };
        [is_first, !is_first && unit < either]
    }

    /// Returns the most atoms of the pair that can fire on a call.
    pub(super) fn most(&self) -> usize {
        if self.either.is_some() { 1 } else { 2 }
    }

    /// Returns the probability that one of the two fires, in the order of the truth's strata.
    fn rates(&self, which: usize, counts: Option<&Counts>) -> Vec<f64> {
        let rate = |(stratum, &first): (usize, &f64)| {
            let there = counts.map_or(0.0, |counts| self.share_there(stratum, counts));
            self.rate(which, first + (self.there - first) * there)
        };
        self.first.iter().flatten().enumerate().map(rate).collect()
    }

    /// Returns the probability that one of the two fires, from the first's.
    fn rate(&self, which: usize, first: f64) -> f64 {
        match self.either {
            Some(either) if which == 1 => either - first,
            _ => first,
        }
    }

    /// Returns the share of a stratum's calls that the pair is tied to; 0 of a pair that is tied to a label
    /// or to types.
    fn share_there(&self, stratum: usize, counts: &Counts) -> f64 {
        let Some(kind) = stratum.checked_sub(KINDS) else {
            return 0.0;
        };
        let there = match self.to {
            TiedTo::Label | TiedTo::Type => 0,
            TiedTo::FalseInRegion => counts.in_region[1][kind],
            TiedTo::FalseWithoutCandidate => counts.misses[Miss::NoCandidate as usize][kind],
        };
        there as f64 / (counts.all[1][kind] as f64).max(1.0)
    }

    fn tie(&self, which: usize) -> Option<Tie> {
        let is_tied = !matches!(self.to, TiedTo::Label | TiedTo::Type);
        is_tied.then(|| Tie {
            there: self.rate(which, self.there),
            elsewhere: self.rate(which, self.first[0][0]),
        })
    }

    fn role(&self, which: usize) -> Role {
        match (self.to, which) {
            (TiedTo::Label, 0) => Role::TpBiased,
            (TiedTo::Label, _) if self.either.is_none() => Role::TpBiased,
            (TiedTo::Label, _) => Role::FpBiased,
            (TiedTo::Type, 0) => Role::InsTied,
            (TiedTo::Type, _) => Role::DelTied,
            (TiedTo::FalseInRegion, 0) => Role::RegionTied,
            (TiedTo::FalseInRegion, _) => Role::RegionAverse,
            (TiedTo::FalseWithoutCandidate, 0) => Role::NoCandidateTied,
            (TiedTo::FalseWithoutCandidate, _) => Role::NoCandidateAverse,
        }
    }
}

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

    #[test]
    fn rates_have_the_planted_odds_ratio_and_a_constant_sum() {
        let pair = Pair::by_label([0, 1], 20.0, 0.05);
        let rates = pair.rates(0, None);
        assert!((odds_ratio(rates[0], rates[KINDS]) - 20.0).abs() < 1e-12);
        for pair in [pair, Pair::by_type([0, 1])] {
            for (first, second) in pair.rates(0, None).iter().zip(pair.rates(1, None)) {
                let either = pair.either.expect("at most one fires");
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
