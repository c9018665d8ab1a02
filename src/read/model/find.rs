//! The place of a model: its file, its folder, or a JSON that names one.

use std::path::{Path, PathBuf};

use super::answers::ModelAnswers;
use super::{config, layers};
use crate::error::{Error, Result};
use crate::read::folders;
use crate::regular;

/// The name of a model in its folder.
const MODEL: &str = "sae.pt";
/// The name of the file that says which model is best.
const BEST: &str = "BEST_MODEL.json";

/// The endings of files that may hold weights.
const ENDINGS: [&str; 6] = ["safetensors", "pt", "pth", "ckpt", "bin", "npz"];

/// The file of weights that [`read_model_with`](crate::read::read_model_with) reads for `path`.
///
/// # Errors
/// There is none, or several and no answer which; the JSON that should name it cannot be understood.
pub fn find_model(path: &Path, answers: &ModelAnswers) -> Result<PathBuf> {
    let found = find(path, answers)?;
    refuse_part(&found)?;
    Ok(found)
}

fn find(path: &Path, answers: &ModelAnswers) -> Result<PathBuf> {
    if path.is_dir() {
        return in_folder(path, answers);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().unwrap_or(Path::new(""));
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    if config::NAMES
        .iter()
        .any(|config| name.eq_ignore_ascii_case(config))
        && path.is_file()
    {
        return in_folder(folder, answers);
    }
    if path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("json"))
    {
        return find_best(path);
    }
    layers::check_file(path, answers)?;
    Ok(path.to_owned())
}

/// An error for one of the files that the Hugging Face libraries make of a large model, as their names
/// say: `model-00001-of-00002.safetensors`.
fn refuse_part(path: &Path) -> Result<()> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let of = stem.rsplit_once("-of-").and_then(|(before, parts)| {
        let part: u32 = before.rsplit_once('-')?.1.parse().ok()?;
        Some((part, parts.parse::<u32>().ok()?))
    });
    let Some((part, parts @ 2..)) = of else {
        return Ok(());
    };
    let found = format!("part {part} of the {parts} that the weights were split into");
    let action = "make one file of them, in Python: safetensors.torch.save_file({name: tensor for part in \
                  PARTS for name, tensor in safetensors.torch.load_file(part).items()}, FILE)";
    let file = path.display().to_string();
    Err(Error::input(
        file,
        "the name",
        found,
        "all weights in one file",
        action,
    ))
}

/// The model of a folder: a file in it, or in one of the folders below it.
fn in_folder(folder: &Path, answers: &ModelAnswers) -> Result<PathBuf> {
    let best = folder.join(BEST);
    let here = models_of(folder);
    if here.is_empty() && best.is_file() {
        return find_best(&best);
    }
    // States of a trainer beside folders of models are none themselves.
    let is_here = here.iter().any(|path| super::is_model(path));
    let folders = if is_here { Vec::new() } else { below(folder) };
    if !here.is_empty() && folders.is_empty() {
        return layers::choose(folder, here, "models", answers);
    }
    if let Some(error) = folders::folder(folder) {
        return Err(error);
    }
    let mut configs = config::NAMES.iter();
    if folders.is_empty()
        && let Some(config) = configs.find(|name| folder.join(name).is_file())
    {
        let file = folder.display().to_string();
        let found = format!("{config}, and no weights");
        let expected = format!(
            "weights beside it: a file {}",
            ENDINGS.map(|e| format!(".{e}")).join(", ")
        );
        let action = "put the weights of this config beside it";
        return Err(Error::input(file, "the folder", found, expected, action));
    }
    if folders.is_empty() {
        let tried = [folder.join(MODEL), best];
        return Err(not_found(folder, "the folder", &tried));
    }
    let chosen = layers::choose(folder, folders, "folders of models", answers)?;
    match models_of(&chosen).as_slice() {
        [only] => Ok(only.clone()),
        several => layers::choose(&chosen, several.to_vec(), "models", answers),
    }
}

/// The folders below a folder that have models. What is below one of them is not looked into: checkpoints
/// amid training lie there. Where there is none, those in the folder whose files may be meant for one.
fn below(folder: &Path) -> Vec<PathBuf> {
    // The cache of the Hugging Face hub: models--NAME/snapshots/COMMIT/layers.N.
    const DEEPEST: usize = 4;
    const MOST: usize = 1 << 14;
    let (mut found, mut doubtful) = (Vec::new(), Vec::new());
    let mut level = vec![folder.to_owned()];
    let mut left = MOST;
    for depth in 0..DEEPEST {
        let all: Vec<_> = level
            .iter()
            .flat_map(|folder| entries(folder))
            .take(left)
            .collect();
        left -= all.len();
        level.clear();
        for path in all.into_iter().filter(|path| path.is_dir()) {
            let files = models_of(&path);
            if files.iter().any(|file| super::is_model(file)) {
                found.push(path);
                continue;
            }
            if depth == 0 && !files.is_empty() {
                doubtful.push(path.clone());
            }
            level.push(path);
        }
    }
    if found.is_empty() { doubtful } else { found }
}

/// The files of a folder that are models; a file that alone may be one is not looked into.
fn models_of(folder: &Path) -> Vec<PathBuf> {
    let ends = |path: &PathBuf| {
        let ending = path
            .extension()
            .unwrap_or_default()
            .to_string_lossy()
            .to_lowercase();
        ENDINGS.contains(&&*ending) && path.is_file()
    };
    let found: Vec<_> = entries(folder).into_iter().filter(ends).collect();
    if found.len() <= 1 {
        return found;
    }
    let models: Vec<_> = found
        .iter()
        .filter(|path| super::is_model(path))
        .cloned()
        .collect();
    if models.is_empty() {
        // The error will say what the first of them is; archives of arrays may be anything.
        let is_array = |path: &&PathBuf| {
            path.extension()
                .is_some_and(|e| e.eq_ignore_ascii_case("npz"))
        };
        let first = found.iter().find(|path| !is_array(path)).or(found.first());
        return first.cloned().into_iter().collect();
    }
    models
}

/// The entries of a folder, in the natural order of names; the first thousands of it.
fn entries(folder: &Path) -> Vec<PathBuf> {
    const MOST: usize = 4096;
    let read = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = read.take(MOST).map(|entry| entry.path()).collect();
    crate::natural::sort_paths(&mut paths);
    paths
}

/// The files that [`find_model`] may look into for `path`, beside the model itself.
pub fn model_files(path: &Path) -> Vec<PathBuf> {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(Path::new(""))
    };
    let configs = config::NAMES.iter().map(|name| folder.join(name));
    let candidates = [path.to_owned(), path.join(BEST)]
        .into_iter()
        .chain(configs);
    candidates.filter(|path| path.is_file()).collect()
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
    let text = regular::bytes(json, LONGEST)?;
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
