//! The place of a model: its file, its folder, or a JSON that names one.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::read::folders;

/// The name of a model in its folder.
const MODEL: &str = "sae.pt";
/// The name of the file that says which model is best.
const BEST: &str = "BEST_MODEL.json";

/// The torch file that [`read_model`](crate::read::read_model) reads for `path`.
///
/// # Errors
/// There is none, or the JSON that should name it cannot be understood.
pub fn find_model(path: &Path) -> Result<PathBuf> {
    if path.is_dir() {
        let tried = [path.join(MODEL), path.join(BEST)];
        return match tried.iter().find(|path| path.is_file()) {
            Some(found) if found.ends_with(BEST) => find_best(found),
            Some(found) => Ok(found.clone()),
            None => {
                Err(folders::folder(path).unwrap_or_else(|| not_found(path, "the folder", &tried)))
            }
        };
    }
    let json = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if json {
        find_best(path)
    } else {
        Ok(path.to_owned())
    }
}

/// The files that [`find_model`] may look into for `path`, beside the model itself.
pub fn model_files(path: &Path) -> Vec<PathBuf> {
    let candidates = [path.to_owned(), path.join(BEST)];
    candidates
        .into_iter()
        .filter(|path| path.is_file())
        .collect()
}

fn not_found(path: &Path, place: &str, tried: &[PathBuf]) -> Error {
    let mut tried: Vec<_> = tried
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    tried.dedup();
    Error::input(
        path.display().to_string(),
        place,
        format!("no model at {}", tried.join(", nor at ")),
        "a model at one of them",
        "give the path of sae.pt itself",
    )
}

/// The model that a `BEST_MODEL.json` names.
fn find_best(json: &Path) -> Result<PathBuf> {
    const LONGEST: u64 = 1 << 20;
    let failed = |error| Error::reading(json, error);
    let mut text = Vec::new();
    let file = File::open(json).map_err(failed)?;
    file.take(LONGEST).read_to_end(&mut text).map_err(failed)?;
    let bad = |found: String| {
        let expected = "a JSON object with the text best_dir";
        let action = "copy the file again, or give the path of sae.pt itself";
        Error::input(
            json.display().to_string(),
            "best_dir",
            found,
            expected,
            action,
        )
    };
    let content: serde_json::Value = serde_json::from_slice(&text).map_err(|error| {
        bad(if error.is_eof() {
            let (line, column) = (error.line(), error.column());
            format!("JSON that is cut off at line {line}, column {column}")
        } else {
            format!("no JSON ({error})")
        })
    })?;
    let Some(best) = content.get("best_dir").and_then(serde_json::Value::as_str) else {
        let keys: Vec<_> = content
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| &**key)
            .collect();
        return Err(bad(match keys.as_slice() {
            [] => "no keys".to_owned(),
            keys => format!("the keys {}", keys.join(", ")),
        }));
    };
    let folder = json.parent().unwrap_or(Path::new(""));
    // The last part of a path of either system.
    let name = best
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(best);
    let tried = [PathBuf::from(best), folder.join(best), folder.join(name)].map(|path| {
        if path.extension().is_some_and(|e| e == "pt") {
            path
        } else {
            path.join(MODEL)
        }
    });
    match tried.iter().find(|path| path.is_file()) {
        Some(found) => Ok(found.clone()),
        None => Err(not_found(json, "best_dir", &tried)),
    }
}
