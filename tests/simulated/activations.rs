//! Simulated SAEs of every activation: what is planted is there, and the files compute it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use atomscope::analysis::Counted;
use atomscope::control::Control;
use atomscope::rows::SliceRows;
use atomscope::simulate::{
    CONFIG, MODEL, ReportedAtom, Role, SimulateOptions, Simulated, SimulatedActivation, TRUTH,
    WEIGHTS, simulate, simulate_in_memory,
};
use atomscope::stats::notebook::BiasTable;
use serde_json::Value;

type Outcome = Result<(), Box<dyn Error>>;

fn options(activation: SimulatedActivation) -> SimulateOptions {
    SimulateOptions {
        activation,
        ..SimulateOptions::new(3000, 48, 260, 9, 11)
    }
}

/// The firing set of each call, as the library encodes them.
fn counted(cohort: &Simulated) -> Result<Counted, Box<dyn Error>> {
    let rows = SliceRows::new(&cohort.embeddings, 48)?;
    let (calls, control) = (&cohort.calls, Control::default());
    let options = &atomscope::analysis::CountOptions::default();
    Ok(Counted::of_rows(
        &cohort.sae,
        &rows,
        calls,
        options,
        &control,
    )?)
}

#[test]
fn planted_atoms_fire_at_their_rates_by_every_activation() -> Outcome {
    for activation in SimulatedActivation::all() {
        let cohort = simulate_in_memory(&options(activation))?;
        let found = counted(&cohort)?;
        let sets = found.firings.as_ref().and_then(|f| f.sets()).expect("sets");
        let per_call = sets.firings() as f64 / 3000.0;
        assert!(
            (5.0..14.0).contains(&per_call),
            "{activation}: {per_call} a call"
        );
        // Calls and firings of each label and type, counted naively.
        let mut calls: BTreeMap<(String, String), u32> = BTreeMap::new();
        let mut fires: BTreeMap<(String, String, u32), u32> = BTreeMap::new();
        for (row, atoms) in sets.iter() {
            let class = cohort.calls.truvari_class.get(row).unwrap_or_default();
            let label = if class == "FP" { "FP" } else { "TP" }.to_owned();
            let svtype = cohort.calls.svtype.get(row).unwrap_or_default().to_owned();
            for &atom in atoms {
                *fires
                    .entry((label.clone(), svtype.clone(), atom))
                    .or_default() += 1;
            }
            *calls.entry((label, svtype)).or_default() += 1;
        }
        for planted in &cohort.truth.planted {
            for (stratum, &rate) in cohort.truth.strata.iter().zip(&planted.rates) {
                let (label, svtype) = (stratum.label.clone(), stratum.svtype.clone());
                let n = f64::from(
                    calls
                        .get(&(label.clone(), svtype.clone()))
                        .copied()
                        .unwrap_or(0),
                );
                let met = fires
                    .get(&(label, svtype, planted.atom))
                    .copied()
                    .unwrap_or(0);
                let error = (rate * (1.0 - rate) * n).sqrt().max(1.0);
                let off = (f64::from(met) - rate * n).abs() / error;
                assert!(
                    off < 5.0,
                    "{activation}: {planted:?}: {met} of {n} {stratum:?}"
                );
            }
        }
        let bias = BiasTable::of(&found.cohort.tally, 5);
        let recovery = cohort
            .truth
            .recovery(bias.atoms.iter().map(|atom| ReportedAtom {
                atom: atom.atom,
                significant: atom.significant,
                odds: atom.odds,
            }));
        assert!(
            recovery.planted >= 6 && recovery.reversed == 0,
            "{activation}: {recovery:?}"
        );
        assert!(
            recovery.found + 1 >= recovery.planted,
            "{activation}: {recovery:?}"
        );
        assert!(recovery.others_called <= 3, "{activation}: {recovery:?}");
    }
    Ok(())
}

#[test]
fn half_of_the_planted_atoms_fire_below_zero_by_magnitude() -> Outcome {
    let cohort = simulate_in_memory(&options(SimulatedActivation::AbsTopK))?;
    let rows = SliceRows::new(&cohort.embeddings, 48)?;
    let mut options = atomscope::analysis::CountOptions::default();
    options.engine.scores = true;
    let control = Control::default();
    let found = Counted::of_rows(&cohort.sae, &rows, &cohort.calls, &options, &control)?;
    let sets = found.firings.as_ref().and_then(|f| f.sets()).expect("sets");
    let scores = sets.scores().expect("asked for");
    for planted in &cohort.truth.planted {
        let of_atom = sets.atoms().iter().zip(scores);
        let signs: Vec<bool> = of_atom
            .filter(|(atom, _)| **atom == planted.atom)
            .map(|(_, score)| *score < 0.0)
            .collect();
        let second = matches!(planted.role, Role::FpBiased | Role::DelTied);
        assert!(!signs.is_empty() && signs.iter().all(|&below| below == second));
    }
    Ok(())
}

/// Shapes and numbers of tensors, by their names.
type Tensors = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// The tensors of a file of safetensors, of binary32 numbers.
fn tensors(path: &Path) -> Result<Tensors, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let length = u64::from_le_bytes(bytes[..8].try_into()?) as usize;
    let header: BTreeMap<String, Value> = serde_json::from_slice(&bytes[8..8 + length])?;
    let mut found = BTreeMap::new();
    for (name, entry) in header {
        assert_eq!(entry["dtype"], "F32");
        let shape: Vec<usize> = serde_json::from_value(entry["shape"].clone())?;
        let [start, end]: [usize; 2] = serde_json::from_value(entry["data_offsets"].clone())?;
        let data = &bytes[8 + length + start..8 + length + end];
        let numbers: Vec<f32> = data
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        assert_eq!(numbers.len(), shape.iter().product::<usize>());
        found.insert(name, (shape, numbers));
    }
    Ok(found)
}

/// The places of the `k` largest numbers that are above `least`.
fn largest(numbers: &[f64], k: usize, least: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&a, &b| numbers[b].total_cmp(&numbers[a]));
    order.truncate(k);
    order.retain(|&i| numbers[i] > least);
    order.sort_unstable();
    order
}

/// What fires on each row by the formulas of the format, in binary64.
fn fires_by_file(folder: &Path, embeddings: &[f32]) -> Result<Vec<Vec<usize>>, Box<dyn Error>> {
    let config: Value = serde_json::from_slice(&fs::read(folder.join(CONFIG))?)?;
    let tensors = tensors(&folder.join(WEIGHTS))?;
    let number = |key: &str| config[key].as_u64().expect(key) as usize;
    let (dim, features) = (number("d_in"), number("d_sae"));
    let named = |name: &str| &tensors[name].1;
    assert_eq!(tensors["W_enc"].0, [dim, features]);
    assert_eq!(tensors["W_dec"].0, [features, dim]);
    let architecture = config["architecture"].as_str().expect("text");
    let mut all = Vec::new();
    for row in embeddings.chunks(dim) {
        let mut scores = vec![0.0f64; features];
        for (i, (x, b)) in row.iter().zip(named("b_dec")).enumerate() {
            let weights = &named("W_enc")[i * features..(i + 1) * features];
            for (score, w) in scores.iter_mut().zip(weights) {
                *score += f64::from(x - b) * f64::from(*w);
            }
        }
        if architecture != "gated" {
            for (score, b) in scores.iter_mut().zip(named("b_enc")) {
                *score += f64::from(*b);
            }
        }
        all.push(scores);
    }
    let each = |f: &dyn Fn(&[f64]) -> Vec<usize>| all.iter().map(|scores| f(scores)).collect();
    let at = |name: &str, f: usize| f64::from(named(name)[f]);
    Ok(match architecture {
        "topk" => each(&|scores| largest(scores, number("k"), 0.0)),
        "abstopk" => each(&|scores| {
            let sizes: Vec<f64> = scores.iter().map(|score| score.abs()).collect();
            largest(&sizes, number("k"), 0.0)
        }),
        "standard" => each(&|scores| largest(scores, features, 0.0)),
        "jumprelu" => each(&|scores| {
            let fires = |&f: &usize| scores[f] > at("threshold", f) && scores[f] > 0.0;
            (0..features).filter(fires).collect()
        }),
        "gated" => each(&|scores| {
            let value = |f: usize| scores[f] * at("r_mag", f).exp() + at("b_mag", f);
            let fires = |&f: &usize| scores[f] + at("b_gate", f) > 0.0 && value(f) > 0.0;
            (0..features).filter(fires).collect()
        }),
        "batchtopk" => {
            let largest = largest(&all.concat(), number("k") * all.len(), 0.0);
            let of_row = |row| largest.iter().filter(move |&&i| i / features == row);
            (0..all.len())
                .map(|row| of_row(row).map(|i| i % features).collect())
                .collect()
        }
        other => panic!("{other}"),
    })
}

#[test]
fn files_compute_what_the_model_in_memory_does() -> Outcome {
    for activation in SimulatedActivation::all().skip(1) {
        let options = SimulateOptions {
            rows: 150,
            ..options(activation)
        };
        let folder = tempfile::tempdir()?;
        let truth = simulate(folder.path(), &options, &Control::default())?;
        assert!(!folder.path().join(MODEL).exists());
        let cohort = simulate_in_memory(&options)?;
        assert_eq!(truth, cohort.truth);
        let json: Value = serde_json::from_slice(&fs::read(folder.path().join(TRUTH))?)?;
        assert_eq!(json["options"]["activation"], activation.to_string());
        let found = counted(&cohort)?;
        let sets = found.firings.as_ref().and_then(|f| f.sets()).expect("sets");
        let expected = fires_by_file(folder.path(), &cohort.embeddings)?;
        for (row, atoms) in sets.iter() {
            let atoms: Vec<usize> = atoms.iter().map(|&atom| atom as usize).collect();
            assert_eq!(atoms, expected[row], "{activation}, row {row}");
        }
    }
    Ok(())
}

#[test]
fn model_of_an_earlier_activation_does_not_stay() -> Outcome {
    let folder = tempfile::tempdir()?;
    let names = |folder: &Path| -> Result<Vec<String>, Box<dyn Error>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(folder)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    };
    let notebooks = ["embeddings.pt", "sae.pt", "truth.json"];
    let lens = [
        "cfg.json",
        "embeddings.pt",
        "sae_weights.safetensors",
        "truth.json",
    ];
    for (activation, expected) in [
        (SimulatedActivation::TopK, &notebooks[..]),
        (SimulatedActivation::JumpRelu, &lens),
        (SimulatedActivation::TopK, &notebooks),
    ] {
        let options = SimulateOptions {
            activation,
            ..SimulateOptions::new(20, 8, 24, 3, 1)
        };
        simulate(folder.path(), &options, &Control::default())?;
        assert_eq!(names(folder.path())?, expected);
    }
    Ok(())
}

#[test]
fn shapes_at_the_edge_are_simulated_by_every_activation() -> Outcome {
    for activation in SimulatedActivation::all() {
        for (rows, dim, features, k) in [
            (1, 1, 1, 1),
            (5, 16, 24, 24),
            (7, 4, 3, 1),
            (4, 100, 77, 13),
        ] {
            let options = SimulateOptions {
                activation,
                ..SimulateOptions::new(rows, dim, features, k, 3)
            };
            let cohort = simulate_in_memory(&options)?;
            assert!(cohort.embeddings.iter().all(|x| x.is_finite()));
            assert_eq!(cohort.sae.feature_dim(), features);
        }
    }
    Ok(())
}
