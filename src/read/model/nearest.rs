//! The family whose tensors' names are most like those of a file that is of none.

use std::collections::BTreeSet;

use super::families::{FAMILIES, Family, PLAIN};
use super::weights::Weights;

/// Names of a module of one's own, whose words in the table of families say less.
const PLAIN_NAMES: [&str; 8] = [
    "encoder.weight",
    "encoder.bias",
    "decoder.weight",
    "decoder.bias",
    "W_enc",
    "b_enc",
    "W_dec",
    "b_dec",
];

/// The family that most of a file's names are like those of; `None` where no name is like any.
pub(super) fn nearest(weights: &Weights) -> Option<&'static Family> {
    const LOOKED_AT: usize = 256;
    let names: Vec<_> = weights.names().take(LOOKED_AT).map(parts).collect();
    let mut best = (0, None);
    for family in [PLAIN].into_iter().chain(FAMILIES) {
        let known = names_of(family);
        let alike = names.iter().filter(|name| known.contains(*name)).count();
        if alike > best.0 {
            best = (alike, Some(family));
        }
    }
    best.1
}

/// The names that a family's words in the table have, each by its parts.
fn names_of(family: &Family) -> BTreeSet<BTreeSet<String>> {
    let words = [family.known_by, family.orientation, family.scores];
    let quoted = words
        .iter()
        .flat_map(|text| text.split('`').skip(1).step_by(2));
    let is_name = |text: &&str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "._".contains(c))
    };
    let own = PLAIN_NAMES
        .into_iter()
        .filter(|_| family.name == PLAIN.name);
    let all = quoted.filter(is_name).chain(own).map(parts);
    all.filter(|parts| parts.len() > 1).collect()
}

/// The parts of a name, so that `W_enc`, `encoder.weight` and `enc.0.weight` are one.
fn parts(name: &str) -> BTreeSet<String> {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let part = |word: &str| {
        let word = word.to_ascii_lowercase();
        match &*word {
            "encoder" => "enc".to_owned(),
            "decoder" => "dec".to_owned(),
            "weight" | "weights" => "w".to_owned(),
            "bias" | "biases" => "b".to_owned(),
            _ => word,
        }
    };
    let is_number = |word: &&str| word.bytes().all(|byte| byte.is_ascii_digit());
    words.filter(|word| !is_number(word)).map(part).collect()
}
