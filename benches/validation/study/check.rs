//! What must hold, up to what chance explains: three standard errors, which a true value exceeds once in
//! some 700 checks; where atoms are rare two, which is what was promised there, and one check in 44 exceeds
//! by chance if its procedure is at the level itself.

use super::errors::Errors;
use super::seed::{SPARSE, STRONGEST};
use super::worlds::World;
use super::{LEVEL, Study};

/// Standard errors that are chance's.
const ERRORS: f64 = 3.0;
/// What a 95 % interval may cover.
const COVERAGE: (f64, f64) = (0.93, 0.97);

/// Something that must hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Check {
    /// Of what.
    pub(crate) what: String,
    /// What was found.
    pub(crate) found: f64,
    /// Its standard error.
    pub(crate) error: f64,
    /// What it must be.
    pub(crate) expected: String,
    /// Whether it is.
    pub(crate) holds: bool,
}

/// Procedures that hold the chance of any false discovery.
const FAMILY_WISE: [&str; 5] = [
    "Fisher, Holm",
    "CMH, Holm",
    "max-T, calls",
    "max-T, loci",
    "max-T, samples",
];

/// All that must hold in a world.
pub(crate) fn checks(world: World, study: &Study) -> Vec<Check> {
    let mut checks = Vec::new();
    for (&name, errors) in &study.errors {
        checks.extend(of_procedure(world, name, errors));
    }
    for (&(interval, atoms), coverage) in &study.coverage {
        let is_asked = coverage.trials() > 0
            && match world {
                World::Plain | World::Confounded | World::Null => {
                    ![SPARSE, STRONGEST].contains(&atoms)
                }
                World::Repeated => interval == "bootstrap",
                _ => false,
            };
        if is_asked {
            let (found, error) = coverage.share();
            let within =
                found + ERRORS * error >= COVERAGE.0 && found - ERRORS * error <= COVERAGE.1;
            checks.push(Check {
                what: format!("coverage of {interval}, {atoms}"),
                found,
                error,
                expected: format!("{} to {}", COVERAGE.0, COVERAGE.1),
                holds: within,
            });
        }
    }
    checks
}

/// Whether a procedure keeps its promise in a world, does not, or nobody says.
fn promise(world: World, name: &str) -> Option<bool> {
    let is_crude = name.starts_with("Fisher") || name.starts_with("Mann");
    match world {
        World::Plain | World::Null => Some(true),
        World::Confounded => match name {
            "Fisher, Benjamini-Hochberg" => Some(false),
            _ => (!is_crude).then_some(true),
        },
        World::Repeated => match name {
            "max-T, loci" => Some(true),
            "max-T, calls" | "Fisher, Benjamini-Hochberg" => Some(false),
            _ => None,
        },
        // What they replace, and pairs that hold together as sampling without replacement has it: for
        // comparison alone.
        _ if name.starts_with("CMH by chi-square") || name == "pairs, Benjamini-Hochberg" => None,
        _ if world.is_confounded_by_type() && is_crude => None,
        _ => Some(true),
    }
}

fn of_procedure(world: World, name: &'static str, errors: &Errors) -> Vec<Check> {
    let Some(keeps) = promise(world, name) else {
        return Vec::new();
    };
    let errors_of_chance = if world.rare().is_some() { 2.0 } else { ERRORS };
    let check = |what: &str, (found, error): (f64, f64)| {
        // By chance at the level itself, so that none at all is not taken for certain.
        let n = errors.cohorts as f64;
        let least = if what == "any false" {
            (LEVEL * (1.0 - LEVEL) / n).sqrt()
        } else {
            0.0
        };
        let exceeds = found - errors_of_chance * error.max(least) > LEVEL;
        Check {
            what: format!("{what}, {name}"),
            found,
            error,
            expected: if keeps {
                format!("at most {LEVEL}")
            } else {
                format!("above {LEVEL}: it does not hold here")
            },
            holds: exceeds != keeps,
        }
    };
    let mut checks = vec![check("false discovery rate", errors.false_discovery_rate())];
    if keeps && FAMILY_WISE.contains(&name) {
        checks.push(check("any false", errors.family_wise()));
    }
    checks
}
