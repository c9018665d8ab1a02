//! The layer that a name names: of a folder of models, or of a matrix among several.

use std::ffi::OsStr;
use std::path::Path;

/// Words before a layer's number: `layer_26`, `layers.26`, `blocks.26.hook_resid_post`, `h.26`.
const WORDS: [&str; 5] = ["layer", "layers", "block", "blocks", "h"];

/// Says whether a name is the layer's, or has its number: behind a word for a layer if there is one in
/// it, and anywhere if there is none.
pub(super) fn names_layer(name: &str, layer: &str) -> bool {
    let number = layer.trim_start_matches('0');
    let is_number = !layer.is_empty() && layer.bytes().all(|byte| byte.is_ascii_digit());
    let is_it = |found: &&str| is_number && found.trim_start_matches('0') == number;
    let behind = numbers_behind_words(name);
    name == layer
        || if behind.is_empty() {
            pieces(name).iter().any(is_it)
        } else {
            behind.iter().any(is_it)
        }
}

/// Says whether a name has a word for a layer, and its number.
pub(super) fn names_some_layer(name: &str) -> bool {
    !numbers_behind_words(name).is_empty()
}

/// Says whether the place of a model, its file's name or that of a folder around it, is the layer's.
pub(super) fn is_of_layer(path: &Path, layer: &str) -> bool {
    /// Those in which a model is searched, and its file.
    const NAMES: usize = 6;
    let mut names: Vec<_> = path
        .iter()
        .rev()
        .take(NAMES)
        .map(|name| text(Some(name)))
        .collect();
    names.reverse();
    let place = format!("/{}/", names.join("/"));
    place.contains(&format!("/{layer}/"))
        || text(path.file_stem()) == *layer
        || names.iter().any(|name| names_layer(name, layer))
}

/// The text of a part of a path.
pub(super) fn text(name: Option<&OsStr>) -> String {
    name.unwrap_or_default().to_string_lossy().into_owned()
}

fn numbers_behind_words(name: &str) -> Vec<&str> {
    let pieces = pieces(name);
    let pairs = pieces.windows(2).filter_map(|pair| match pair {
        [word, number] => {
            let is_word = WORDS.iter().any(|known| word.eq_ignore_ascii_case(known));
            let is_number = number.starts_with(|c: char| c.is_ascii_digit());
            (is_word && is_number).then_some(*number)
        }
        _ => None,
    });
    pairs.collect()
}

/// Cuts a name into runs of letters and runs of digits.
fn pieces(name: &str) -> Vec<&str> {
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let mut pieces = Vec::new();
    for mut part in parts {
        while let Some(first) = part.chars().next() {
            let other = |c: char| c.is_ascii_digit() != first.is_ascii_digit();
            let (piece, rest) = part.split_at(part.find(other).unwrap_or(part.len()));
            pieces.push(piece);
            part = rest;
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{names_layer, names_some_layer};

    #[test]
    fn names_layer_takes_the_number_behind_the_word() {
        for (name, layer, named) in [
            ("layer_26", "26", true),
            ("layers.26", "26", true),
            ("blocks.26.hook_resid_post", "26", true),
            ("layer26", "26", true),
            ("Layer-06", "6", true),
            ("26", "26", true),
            ("embeddings.26", "26", true),
            ("sae2_layer_12", "2", false),
            ("sae2_layer_12", "12", true),
            ("layer_260", "26", false),
            ("final", "final", true),
            ("final", "26", false),
            ("layer_26", "", false),
            ("layer_0", "0", true),
            ("layer_10", "0", false),
        ] {
            assert_eq!(names_layer(name, layer), named, "{name} {layer}");
        }
    }

    #[test]
    fn names_some_layer_needs_a_word_and_a_number() {
        assert!(names_some_layer("model.layers.3.out") && names_some_layer("h.3"));
        assert!(!names_some_layer("v2") && !names_some_layer("layer") && !names_some_layer("26"));
    }
}
