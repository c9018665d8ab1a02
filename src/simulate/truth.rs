//! The planted atoms of a simulated cohort, and how many of them an analysis found.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::SimulateOptions;

/// The truth of a simulated cohort.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The options of the simulation.
    pub options: SimulateOptions,
    /// The strata, label × SV type, with the share of all calls in each.
    pub strata: Vec<StratumShare>,
    /// The planted atoms, ascending by atom.
    pub planted: Vec<PlantedAtom>,
    /// The number of atoms that fire independently of the call's label and type.
    pub null_atoms: usize,
    /// The numbers of calls of a cohort that has a benchmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub benchmark: Option<BenchmarkCounts>,
}

/// The calls of a simulated benchmark by label, region and reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchmarkCounts {
    /// True calls.
    pub true_calls: u64,
    /// False calls.
    pub false_calls: u64,
    /// True calls that lie in the regions with both ends.
    pub true_calls_in_regions: u64,
    /// False calls that lie in the regions with both ends.
    pub false_calls_in_regions: u64,
    /// False calls without a truth call near by.
    pub no_candidate: u64,
    /// False calls whose truth call is taken by another call.
    pub multi: u64,
    /// False calls whose size, or breakends whose position, is too unlike.
    pub unlike: u64,
}

/// The share of all calls that have a label and a type, in expectation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StratumShare {
    /// `TP` or `FP`.
    pub label: String,
    /// SV type.
    pub svtype: String,
    /// The share, between 0 and 1.
    pub share: f64,
}

/// An atom that fires more often on some calls than on others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlantedAtom {
    /// The atom.
    pub atom: u32,
    /// The property of calls that the atom is tied to.
    pub role: Role,
    /// The odds ratio of firing, true against false calls, over all types together. An atom tied to
    /// a type has one other than 1 if the types differ in their share of true calls.
    pub odds: f64,
    /// The odds ratio of firing, true against false calls of the same type.
    pub odds_within_type: f64,
    /// The probability that it fires on a call, for each of the truth's strata.
    pub rates: Vec<f64>,
    /// The false calls that the atom is tied to; `None` if it is tied to a label or a type alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tie: Option<Tie>,
}

/// Rates of an atom on some false calls, and on all other calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tie {
    /// The probability that the atom fires on a false call in the regions, or without a candidate.
    pub there: f64,
    /// The probability that it fires on any other call.
    pub elsewhere: f64,
}

/// The property of calls that a planted atom is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The atom fires more often on true calls.
    TpBiased,
    /// The atom fires more often on false calls.
    FpBiased,
    /// The atom fires more often on insertions, whatever the label.
    InsTied,
    /// The atom fires more often on deletions, whatever the label.
    DelTied,
    /// The atom fires more often on false calls in the regions.
    RegionTied,
    /// The atom fires less often on false calls in the regions.
    RegionAverse,
    /// The atom fires more often on false calls without a candidate.
    NoCandidateTied,
    /// The atom fires less often on false calls without a candidate.
    NoCandidateAverse,
}

/// An atom as an analysis reports it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReportedAtom {
    /// The atom.
    pub atom: u32,
    /// True if it is called biased, at a false discovery rate of 5 %.
    pub significant: bool,
    /// Its odds ratio, true against false calls.
    pub odds: f64,
}

/// A comparison of an analysis with the truth. Its text is three lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Recovery {
    /// The number of planted atoms with a bias by label.
    pub planted: usize,
    /// The number of them that are called, in the planted direction.
    pub found: usize,
    /// The number of them that are called, in the other direction.
    pub reversed: usize,
    /// The number of atoms tied to an SV type, whatever the label.
    pub tied: usize,
    /// The number of them that are called.
    pub tied_called: usize,
    /// The number of atoms with no tie.
    pub null_atoms: usize,
    /// The number of them that are called: false discoveries.
    pub others_called: usize,
}

impl Truth {
    /// Compares an analysis with the truth. Atoms that are not reported are not called.
    pub fn recovery(&self, reported: impl IntoIterator<Item = ReportedAtom>) -> Recovery {
        let label_biased = |p: &&PlantedAtom| matches!(p.role, Role::TpBiased | Role::FpBiased);
        let planted = self.planted.iter().filter(label_biased).count();
        let tied = |p: &&PlantedAtom| matches!(p.role, Role::InsTied | Role::DelTied);
        let mut recovery = Recovery {
            planted,
            tied: self.planted.iter().filter(tied).count(),
            null_atoms: self.null_atoms,
            ..Recovery::default()
        };
        for atom in reported.into_iter().filter(|atom| atom.significant) {
            let planted = self
                .planted
                .binary_search_by_key(&atom.atom, |planted| planted.atom)
                .map(|i| self.planted[i].role);
            let right = match planted {
                Ok(Role::TpBiased) => atom.odds > 1.0,
                Ok(Role::FpBiased) => atom.odds < 1.0,
                Ok(Role::InsTied | Role::DelTied) => {
                    recovery.tied_called += 1;
                    continue;
                }
                // Such an atom leans to true or to false calls as well, and less.
                Ok(_) => continue,
                Err(_) => {
                    recovery.others_called += 1;
                    continue;
                }
            };
            if right {
                recovery.found += 1;
            } else {
                recovery.reversed += 1;
            }
        }
        recovery
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missed = self.planted - self.found - self.reversed;
        writeln!(
            f,
            "Planted atoms biased towards true or false calls: {} of {} found, {missed} missed, \
             {} in the wrong direction",
            self.found, self.planted, self.reversed
        )?;
        writeln!(
            f,
            "Planted atoms tied to an SV type alone: {} of {} called, since types differ in their \
             share of true calls",
            self.tied_called, self.tied
        )?;
        write!(
            f,
            "Other atoms, with no bias: {} of {} called; by chance, at a false discovery rate of 5 %, \
             about {:.0} would be",
            self.others_called,
            self.null_atoms,
            0.05 * (self.found + self.reversed + self.tied_called + self.others_called) as f64
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recovery_counts_found_missed_reversed_tied_and_false_calls() {
        let planted = |atom, role| PlantedAtom {
            atom,
            role,
            odds: 1.0,
            odds_within_type: 1.0,
            rates: vec![],
            tie: None,
        };
        let truth = Truth {
            options: SimulateOptions::default(),
            strata: vec![],
            planted: vec![
                planted(2, Role::TpBiased),
                planted(3, Role::FpBiased),
                planted(5, Role::TpBiased),
                planted(8, Role::InsTied),
                planted(9, Role::DelTied),
            ],
            null_atoms: 11,
            benchmark: None,
        };
        let reported = |atom, significant, odds| ReportedAtom {
            atom,
            significant,
            odds,
        };
        let recovery = truth.recovery([
            reported(2, true, 3.0),
            reported(3, true, 3.0),
            reported(5, false, 3.0),
            reported(8, true, 0.5),
            reported(0, true, 2.0),
            reported(1, false, 2.0),
        ]);
        let expected = Recovery {
            planted: 3,
            found: 1,
            reversed: 1,
            tied: 2,
            tied_called: 1,
            null_atoms: 11,
            others_called: 1,
        };
        assert_eq!(recovery, expected);
        let text = recovery.to_string();
        assert_eq!(text.lines().count(), 3);
        assert!(text.contains("1 of 3 found, 1 missed, 1 in the wrong direction"));
    }
}
