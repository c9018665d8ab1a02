//! Which atoms fire, by the definition (docs/DEFINITION.md) read literally, from the scores of all
//! atoms. It shares no code with any engine.

use atomscope::engine::Cut;
use atomscope::sae::Activation;

/// Atoms with their keys, the largest first, of equal ones the lowest.
fn ranked(keys: impl Iterator<Item = f64>) -> Vec<(f64, u32)> {
    let mut all: Vec<(f64, u32)> = keys.zip(0..).collect();
    // The sort is stable.
    all.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("scores are numbers"));
    all
}

/// The atoms that fire on a row with these scores, ascending, by any rule but that of batches.
pub(crate) fn fires(activation: &Activation, scores: &[f64]) -> Vec<u32> {
    let by_score = || ranked(scores.iter().copied());
    let all = scores.iter().zip(0u32..);
    let mut fires: Vec<u32> = match activation {
        Activation::TopK { k, relu } => {
            let first = by_score().into_iter().take(*k);
            first
                .filter(|&(s, _)| !relu || s > 0.0)
                .map(|(_, f)| f)
                .collect()
        }
        Activation::TopKWithTies { k } => {
            let last = by_score()[k - 1].0;
            all.filter(|&(&s, _)| s >= last).map(|(_, f)| f).collect()
        }
        Activation::AbsTopK { k } => {
            let first = ranked(scores.iter().map(|s| s.abs())).into_iter().take(*k);
            first
                .filter(|&(size, _)| size != 0.0)
                .map(|(_, f)| f)
                .collect()
        }
        Activation::GroupMax { groups } => {
            let size = scores.len() / groups;
            let largest = |group: usize| {
                let (place, score) = (group * size..(group + 1) * size)
                    .map(|f| (f, scores[f]))
                    .reduce(|best, other| if other.1 > best.1 { other } else { best })?;
                (score > 0.0).then_some(place as u32)
            };
            (0..*groups).filter_map(largest).collect()
        }
        Activation::Threshold { thresholds } => all
            .filter(|&(&s, f)| s > thresholds[f as usize])
            .map(|(_, f)| f)
            .collect(),
        _ => panic!("a batch decides together"),
    };
    fires.sort_unstable();
    fires
}

/// The atoms that fire on each row of a batch, and the batch's cut; its first row has the number
/// `first`.
pub(crate) fn batch_fires(k: usize, first: u64, scores: &[Vec<f64>]) -> (Vec<Vec<u32>>, Cut) {
    let mut all = Vec::new();
    for (row, scores) in scores.iter().enumerate() {
        all.extend(scores.iter().zip(0u32..).map(|(&s, f)| (s, row, f)));
    }
    all.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("scores are numbers"));
    all.truncate(k * scores.len());
    all.retain(|&(s, _, _)| s > 0.0);
    let mut fires = vec![Vec::new(); scores.len()];
    for &(_, row, atom) in &all {
        fires[row].push(atom);
    }
    for set in &mut fires {
        set.sort_unstable();
    }
    let cut = all.last().filter(|_| all.len() == k * scores.len());
    let cut = cut.map_or(Cut::ZERO, |&(score, row, atom)| Cut {
        score,
        row: first + row as u64,
        atom,
    });
    (fires, cut)
}
