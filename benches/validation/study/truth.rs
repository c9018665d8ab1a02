//! Every atom's parameters in a world.
//!
//! Atoms that are not planted fire independently of label and type exactly (`simulate` leaves them the
//! same number of places on every call), and so of anything that depends on these alone. Planted ones
//! fire at rates by label and type, so that within a type, and within any part of it, their odds ratio
//! is one and the same.

use atomscope::simulate::{PlantedAtom, Role, Truth};

use super::worlds::World;

/// What an atom is tied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// To nothing.
    Free,
    /// To SV types alone.
    Type,
    /// To the label.
    Label,
}

impl Kind {
    /// In words.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Free => "free atoms",
            Self::Type => "atoms tied to types",
            Self::Label => "atoms tied to the label",
        }
    }
}

/// An atom's parameters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters {
    /// What it is tied to.
    pub(crate) kind: Kind,
    /// The log odds ratio of firing and label over all calls.
    pub(crate) log_odds: f64,
    /// Within strata.
    pub(crate) log_odds_within: f64,
    /// P(TP | fires).
    pub(crate) precision: f64,
    /// P(TP | fires) − P(TP | silent).
    pub(crate) risk_difference: f64,
}

/// Of an atom that is tied to nothing, where nothing else is asked.
pub(crate) fn free() -> Parameters {
    Parameters {
        kind: Kind::Free,
        log_odds: 0.0,
        log_odds_within: 0.0,
        precision: f64::NAN,
        risk_difference: 0.0,
    }
}

/// The parameters of all atoms.
pub(crate) fn parameters(world: World, truth: &Truth, features: usize) -> Vec<Parameters> {
    let share = |label: &str| -> f64 {
        let strata = truth.strata.iter().filter(|stratum| stratum.label == label);
        strata.map(|stratum| stratum.share).sum()
    };
    let free = Parameters {
        kind: Kind::Free,
        log_odds: 0.0,
        log_odds_within: 0.0,
        precision: share("TP"),
        risk_difference: 0.0,
    };
    let mut all = vec![free; features];
    for planted in &truth.planted {
        // Dealt out anew, labels have to do with nothing.
        if !world.is_null() {
            all[planted.atom as usize] = of_planted(planted, truth);
        }
    }
    all
}

fn of_planted(planted: &PlantedAtom, truth: &Truth) -> Parameters {
    // Shares of all calls, by whether the atom fires, of true calls and of all.
    let (mut fires, mut silent) = ([0.0; 2], [0.0; 2]);
    for (stratum, rate) in truth.strata.iter().zip(&planted.rates) {
        let is_tp = f64::from(u8::from(stratum.label == "TP"));
        for (of, share) in [
            (&mut fires, stratum.share * rate),
            (&mut silent, stratum.share * (1.0 - rate)),
        ] {
            of[0] += is_tp * share;
            of[1] += share;
        }
    }
    let precision = fires[0] / fires[1];
    Parameters {
        kind: match planted.role {
            Role::InsTied | Role::DelTied => Kind::Type,
            // Those of cohorts with a benchmark, which the study does not simulate, lean to a label too.
            _ => Kind::Label,
        },
        log_odds: planted.odds.ln(),
        log_odds_within: planted.odds_within_type.ln(),
        precision,
        risk_difference: precision - silent[0] / silent[1],
    }
}
