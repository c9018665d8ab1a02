//! The config of a model: a JSON file beside the weights, or values in a torch file.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::regular;

/// The longest config that is read.
const LONGEST: u64 = 16 << 20;
/// The names of configs in a model's folder.
pub(super) const NAMES: [&str; 3] = ["cfg.json", "config.json", "config.yaml"];
/// The mark before a class in YAML that Python wrote.
const PYTHON_CLASS: &str = "!!python/object:";

/// A config.
#[derive(Debug, Clone)]
pub(super) struct Config {
    /// The file's name, for messages.
    file: String,
    /// The place of its keys in the file, for messages.
    within: String,
    pub(super) value: Value,
    /// The path of the file, where it is one of its own.
    pub(super) path: Option<PathBuf>,
    /// Other configs in the same folder.
    others: Vec<Self>,
}

impl Config {
    /// Reads the config beside a file of weights, if there is one; or the error of one that cannot be
    /// read, which matters to a model that needs it.
    pub(super) fn beside(weights: &Path) -> (Option<Self>, Option<Error>) {
        let folder = weights.parent().unwrap_or(Path::new(""));
        let paths = NAMES.iter().map(|name| folder.join(name));
        let mut found = paths.filter(|path| path.is_file()).map(Self::read);
        match found.next() {
            None => (None, None),
            Some(Ok(config)) => {
                let others = found.flatten().collect();
                (Some(Self { others, ..config }), None)
            }
            Some(Err(error)) => (None, Some(error)),
        }
    }

    /// This config and the others in the same folder.
    pub(super) fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.others)
    }

    /// The config in the folder that has some of these keys, which those of one family are.
    ///
    /// # Errors
    /// None has; or two of them contradict each other.
    pub(super) fn of_keys(&self, keys: &[&str]) -> Result<&Self> {
        let has = |config: &&Self| keys.iter().any(|key| config.has(key));
        let mut found = self.all().filter(has);
        let Some(first) = found.next() else {
            let expected = format!("some of the keys {}", keys.join(", "));
            let action = "put the config of this model beside its weights";
            return Err(Error::input(
                &*self.file,
                "the config",
                self.keys(),
                expected,
                action,
            ));
        };
        for other in found {
            let differs = |key: &&&str| {
                let (one, other) = (first.get(key), other.get(key));
                one.is_some() && other.is_some() && one != other
            };
            if let Some(key) = keys.iter().find(differs) {
                let value = first.get(key).map(Value::to_string).unwrap_or_default();
                let expected = format!("{value}, as {} says", first.file);
                return Err(other.bad(key, expected, super::weights::OTHER_MODEL));
            }
        }
        Ok(first)
    }

    /// The keys, for a message.
    fn keys(&self) -> String {
        match &self.value {
            Value::Object(map) if !map.is_empty() => {
                let names: Vec<_> = map.keys().take(12).map(String::as_str).collect();
                format!("the keys {}", names.join(", "))
            }
            _ => "no keys".to_owned(),
        }
    }

    fn read(path: PathBuf) -> Result<Self> {
        let text = regular::bytes(&path, LONGEST)?;
        let name = path.display().to_string();
        let value = if path.extension().is_some_and(|e| e == "yaml") {
            class_in_yaml(&String::from_utf8_lossy(&text))
        } else {
            serde_json::from_slice(&text).map_err(|error| {
                let expected = "JSON that is whole";
                let action = "copy the file again from where it was whole";
                Error::input(
                    &*name,
                    "the text",
                    format!("no JSON ({error})"),
                    expected,
                    action,
                )
            })?
        };
        Ok(Self {
            file: name,
            within: String::new(),
            value,
            path: Some(path),
            others: Vec::new(),
        })
    }

    /// Values in memory, which stand for the config beside the weights.
    pub(super) fn in_memory(name: &str, value: Value) -> Self {
        Self {
            file: format!("the config of {name}"),
            within: String::new(),
            value,
            path: None,
            others: Vec::new(),
        }
    }

    /// Values in a file of weights.
    pub(super) fn inside(file: String, within: &str, value: Value) -> Self {
        Self {
            file,
            within: format!("{within}."),
            value,
            path: None,
            others: Vec::new(),
        }
    }

    /// The value at a path of keys, as `trainer.dict_class`.
    pub(super) fn get(&self, keys: &str) -> Option<&Value> {
        keys.split('.')
            .try_fold(&self.value, |value, key| value.get(key))
            .filter(|value| !value.is_null())
    }

    /// Says whether there is a value.
    pub(super) fn has(&self, keys: &str) -> bool {
        self.get(keys).is_some()
    }

    /// Makes the error of a value.
    pub(super) fn bad(&self, keys: &str, expected: impl Into<String>, action: &str) -> Error {
        let found = match self.get(keys) {
            Some(value) => value.to_string(),
            None => match self.deepest(keys) {
                Value::Object(map) => {
                    let names: Vec<_> = map.keys().take(12).map(String::as_str).collect();
                    format!("no such key among {}", names.join(", "))
                }
                _ => "no keys".to_owned(),
            },
        };
        let place = format!("{}{keys}", self.within);
        Error::input(&*self.file, place, found, expected, action)
    }

    /// The place of a value, for a message.
    pub(super) fn place(&self, keys: &str) -> String {
        format!("{}{keys} of {}", self.within, self.file)
    }

    /// The last mapping on the way to a value that is missing.
    fn deepest(&self, keys: &str) -> &Value {
        let mut value = &self.value;
        for key in keys.split('.') {
            match value.get(key).filter(|value| value.is_object()) {
                Some(inner) => value = inner,
                None => break,
            }
        }
        value
    }

    /// Text, if the key is there.
    pub(super) fn text(&self, keys: &str) -> Result<Option<&str>> {
        match self.get(keys) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.bad(keys, "text", CHECK)),
        }
    }

    /// A number of things, if the key is there.
    pub(super) fn count(&self, keys: &str) -> Result<Option<usize>> {
        let Some(value) = self.get(keys) else {
            return Ok(None);
        };
        let whole = value.as_u64().or_else(|| {
            let number = value
                .as_f64()
                .filter(|x| x.fract() == 0.0 && *x >= 0.0 && *x < 9e15);
            number.map(|x| x as u64)
        });
        match whole.map(usize::try_from) {
            Some(Ok(count)) => Ok(Some(count)),
            _ => Err(self.bad(keys, "a whole number of at least 0", CHECK)),
        }
    }

    /// A number of things of which there is one or more; the key must be there.
    pub(super) fn size(&self, key: &str) -> Result<usize> {
        let size = match self.get(key) {
            None => return Err(self.bad(key, format!("a key {key}"), CHECK)),
            Some(Value::Number(_)) => self.count(key).ok().flatten(),
            // As of a torch file.
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        size.filter(|&size| size > 0)
            .ok_or_else(|| self.bad(key, "a whole number of at least 1", CHECK))
    }

    /// A flag, `otherwise` where the key is missing.
    pub(super) fn flag(&self, keys: &str, otherwise: bool) -> Result<bool> {
        match self.get(keys) {
            None => Ok(otherwise),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.bad(keys, "true or false", CHECK)),
        }
    }

    /// An error unless a size that the config may have is that of the weights.
    pub(super) fn check_size(&self, keys: &str, size: usize) -> Result<()> {
        match self.count(keys)? {
            Some(found) if found != size => {
                let expected = format!("{size}, as the weights have it");
                Err(self.bad(keys, expected, super::weights::OTHER_MODEL))
            }
            _ => Ok(()),
        }
    }
}

const CHECK: &str = "check the model's config";

/// The class that YAML of Python names for its `trainer_cfg`, under that key. Nothing is made of it.
fn class_in_yaml(text: &str) -> Value {
    let class = text.lines().find_map(|line| {
        let (key, rest) = line.split_once(':')?;
        let class = rest.trim().strip_prefix(PYTHON_CLASS)?;
        let is_config = key.trim() == "trainer_cfg";
        is_config.then(|| class.split_whitespace().next().unwrap_or_default())
    });
    serde_json::json!({ "trainer_cfg": class })
}
