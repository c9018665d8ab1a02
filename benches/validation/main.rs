//! Statistics against a truth that is known, over many simulated cohorts:
//!
//! ```sh
//! cargo bench --bench validation -- --seeds 400 --out benches/record/validation-DATE-NAME.json
//! ```
//!
//! Prints what each procedure and interval does in each world, and what of it should not be; exit code 1
//! if anything should not. `tests/statistics/validation.rs` is a small version of it.

mod study;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use serde_json::{Value, json};

use study::check::{Check, checks};
use study::coverage::Coverage;
use study::errors::Errors;
use study::world::{CALLS, CONFOUNDED_CALLS, COPIES, FEATURES, INPUT_DIM, K};
use study::worlds::World;
use study::{Judgement, Study};

/// How far statistics keep their promises on simulated cohorts.
#[derive(Debug, Parser)]
struct Options {
    /// Cohorts of each world
    #[arg(long, default_value_t = 400)]
    seeds: u64,

    /// The first seed
    #[arg(long, default_value_t = 1)]
    first: u64,

    /// Only worlds whose names contain this
    #[arg(long)]
    world: Option<String>,

    /// Where the record goes
    #[arg(long)]
    out: Option<PathBuf>,

    /// What cargo says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut worlds = serde_json::Map::new();
    let mut failed = 0;
    let is_wanted = |world: &World| {
        let wanted = options.world.as_deref();
        wanted.is_none_or(|wanted| world.name().contains(wanted))
    };
    for world in World::ALL.into_iter().filter(is_wanted) {
        let began = Instant::now();
        let study = Study::run(world, options.first, options.seeds, Judgement::default());
        let checks = checks(world, &study);
        let seconds = began.elapsed().as_secs_f64();
        print(world, &study, &checks, seconds);
        failed += checks.iter().filter(|check| !check.holds).count();
        worlds.insert(
            world.name().to_owned(),
            record(world, &study, &checks, seconds),
        );
    }
    let command = format!(
        "cargo bench --bench validation -- --seeds {} --first {}",
        options.seeds, options.first
    );
    let record = json!({
        "command": command,
        "cohorts_of_each_world": options.seeds,
        "first_seed": options.first,
        "shape": {"calls": CALLS, "calls_where_confounded": CONFOUNDED_CALLS, "input_dim": INPUT_DIM, "features": FEATURES, "k": K, "copies": COPIES},
        "threads": rayon::current_num_threads(),
        "worlds": worlds,
    });
    if let Some(path) = options.out {
        let text = serde_json::to_string_pretty(&record).unwrap_or_default() + "\n";
        if let Err(error) = std::fs::write(&path, text) {
            eprintln!("{}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    println!("{failed} checks failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn print(world: World, study: &Study, checks: &[Check], seconds: f64) {
    println!("\n{} ({seconds:.0} s)", world.name());
    println!(
        "  {:<39} {:>16} {:>16} {:>7} {:>7}",
        "procedure, at 5 %", "false discovery", "any false", "power", "tied"
    );
    for (name, errors) in &study.errors {
        let ((rate, error), (any, any_error)) =
            (errors.false_discovery_rate(), errors.family_wise());
        let or_none =
            |share: Option<f64>| share.map_or_else(|| "-".to_owned(), |it| format!("{it:.3}"));
        let [power, tied] = [errors.power(), errors.tied_called()].map(or_none);
        let rates = format!("{rate:>7.4} ± {error:.4} {any:>7.4} ± {any_error:.4}");
        println!("  {name:<39} {rates} {power:>7} {tied:>7}");
    }
    for ((interval, atoms), coverage) in met(&study.coverage) {
        print_share(&format!("{interval}, {atoms}"), "covers", coverage);
    }
    for ((strata, atoms), coverage) in met(&study.homogeneity) {
        print_share(
            &format!("Breslow-Day-Tarone by {strata}, {atoms}"),
            "rejects",
            coverage,
        );
    }
    for check in checks.iter().filter(|check| !check.holds) {
        let Check {
            what,
            found,
            error,
            expected,
            ..
        } = check;
        println!("  FAILED: {what}: found {found:.4} ± {error:.4}, expected {expected}");
    }
}

type Shares = BTreeMap<(&'static str, &'static str), Coverage>;

/// Those of atoms that there are.
fn met(shares: &Shares) -> impl Iterator<Item = (&(&'static str, &'static str), &Coverage)> {
    shares.iter().filter(|(_, of)| of.trials() > 0)
}

fn print_share(what: &str, verb: &str, coverage: &Coverage) {
    let (share, error) = coverage.share();
    println!(
        "  {what:<58} {verb} {share:.4} ± {error:.4} of {}",
        coverage.trials()
    );
}

fn record(world: World, study: &Study, checks: &[Check], seconds: f64) -> Value {
    let pair = |(found, error): (f64, f64)| json!({"found": found, "standard_error": error});
    let procedure = |errors: &Errors| {
        json!({
            "false_discovery_rate": pair(errors.false_discovery_rate()),
            "any_false": pair(errors.family_wise()),
            "power": errors.power(),
            "power_by_odds_ratio": errors.power_by_odds().map(|(odds, power)| (odds.to_string(), json!(power))).collect::<serde_json::Map<_, _>>(),
            "type_tied_atoms_called": errors.tied_called(),
        })
    };
    let share = |coverage: &Coverage| {
        let (found, error) = coverage.share();
        json!({"found": found, "standard_error": error, "trials": coverage.trials()})
    };
    let procedures = study
        .errors
        .iter()
        .map(|(name, errors)| ((*name).to_owned(), procedure(errors)));
    let coverage = met(&study.coverage)
        .map(|((interval, atoms), of)| (format!("{interval}, {atoms}"), share(of)));
    let homogeneity = met(&study.homogeneity)
        .map(|((strata, atoms), of)| (format!("{strata}, {atoms}"), share(of)));
    let check = |check: &Check| json!({"what": check.what, "found": check.found, "expected": check.expected, "holds": check.holds});
    let shape = world.rare().map(|it| {
        json!({"calls": it.calls, "features": it.features, "k": it.k, "share_of_true_calls": it.share, "planted": it.planted})
    });
    json!({
        "seconds": seconds,
        "shape": shape,
        "procedures": procedures.collect::<serde_json::Map<_, _>>(),
        "coverage": coverage.collect::<serde_json::Map<_, _>>(),
        "homogeneity_rejected": homogeneity.collect::<serde_json::Map<_, _>>(),
        "checks": checks.iter().map(check).collect::<Vec<_>>(),
    })
}
