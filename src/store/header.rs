//! The model and the shards as text in a header.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::sealed::DAMAGED;
use crate::cohort::ClassRule;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::read::SafeTensors;
use crate::rows::EmbeddingsChoice;
use crate::sae::ModelAbout;
use crate::tally::{Batches, CohortTally, CountAndFirst, ModelId, Shard, ValueCounts};

/// The limit of all numbers in a header, so that sums of them do not overflow.
const MOST: u64 = CohortTally::MOST_ROWS;

/// The key of what the model is, in words.
const ABOUT: &str = "model_about";

/// The key of the rule of which calls are true.
const RULE: &str = "class_rule";

/// The key that stands in place of `k` if rows differ in how many atoms fire, and its values: a model
/// with thresholds; activations that were given, in place of `input_dim` too.
const ACTIVATION: &str = "activation";
const THRESHOLD: &str = "threshold";
const GIVEN: &str = "given";

/// The key of the batches of a model of batch top-k.
const BATCHES: &str = "batch_topk";

/// A shard as a header has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ShardText {
    name: String,
    sha256: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    metadata_sha256: Option<String>,
    #[serde(default, skip_serializing_if = "EmbeddingsChoice::is_none")]
    embeddings: EmbeddingsChoice,
    rows: [u64; 2],
    /// The number of dropped rows.
    dropped: u64,
}

/// A shard's SV types and classes, which stand in a tensor since there may be many. Each has its
/// number of calls and the first row of the file that has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KindsText {
    svtypes: Vec<(Option<String>, u64, u64)>,
    truvari_classes: Vec<(Option<String>, u64, u64)>,
}

impl KindsText {
    pub(super) fn of(shard: &Shard) -> Self {
        let kinds = |kinds: &ValueCounts| {
            let of = |(value, seen): (&Option<String>, &CountAndFirst)| {
                (value.clone(), seen.calls, seen.first)
            };
            kinds.0.iter().map(of).collect()
        };
        Self {
            svtypes: kinds(&shard.svtypes),
            truvari_classes: kinds(&shard.classes),
        }
    }
}

impl ShardText {
    pub(super) fn of(shard: &Shard) -> Self {
        Self {
            name: shard.name.clone(),
            sha256: shard.sha256.to_string(),
            metadata_sha256: shard.metadata.map(|digest| digest.to_string()),
            embeddings: shard.choice.clone(),
            rows: [shard.rows.start, shard.rows.end],
            dropped: shard.dropped.len() as u64,
        }
    }

    /// Makes the shard. Takes its dropped rows off the front of `dropped`. The error says in words
    /// what is wrong.
    fn shard(self, texts: KindsText, dropped: &mut &[u64]) -> std::result::Result<Shard, String> {
        let [start, end] = self.rows;
        // A shard without a call has the rows 0..0.
        if start > end || start == end && end > 0 || end > MOST {
            return Err(format!("the rows {start}..{end}"));
        }
        let rows = start..end;
        let count = usize::try_from(self.dropped).ok();
        let parts = count.and_then(|count| dropped.split_at_checked(count));
        let (mine, rest) = parts.ok_or("more dropped rows than the file lists")?;
        *dropped = rest;
        let inside = mine.iter().all(|row| rows.contains(row));
        if !inside || !mine.is_sorted_by(|a, b| a < b) {
            return Err("dropped rows that are not ascending rows of the shard".to_owned());
        }
        let kept = end - start - self.dropped;
        let digest = |text: &str| {
            let digest = text.parse::<Digest>();
            digest.map_err(|_| format!("the digest {text:?}"))
        };
        Ok(Shard {
            name: self.name,
            sha256: digest(&self.sha256)?,
            metadata: self.metadata_sha256.as_deref().map(digest).transpose()?,
            choice: self.embeddings,
            dropped: mine.to_vec(),
            svtypes: kinds(texts.svtypes, &rows, kept)?,
            classes: kinds(texts.truvari_classes, &rows, kept)?,
            rows,
        })
    }
}

/// Makes the value counts of a column, which all `kept` calls must have.
fn kinds(
    list: Vec<(Option<String>, u64, u64)>,
    rows: &Range<u64>,
    kept: u64,
) -> std::result::Result<ValueCounts, String> {
    let mut left = kept;
    let mut kinds = BTreeMap::new();
    for (value, calls, first) in list {
        let fits = calls > 0 && rows.contains(&first);
        left = left
            .checked_sub(calls)
            .filter(|_| fits)
            .ok_or_else(|| format!("{calls} calls of the kind {value:?} from row {first} on"))?;
        if kinds
            .insert(value.clone(), CountAndFirst { calls, first })
            .is_some()
        {
            return Err(format!("the kind {value:?} twice"));
        }
    }
    if left > 0 {
        return Err(format!("{left} calls too few in a list of kinds"));
    }
    Ok(ValueCounts(kinds))
}

/// Returns the text of every header: the format, and the program and model that made it.
pub(super) fn text(format: &str, model: &ModelId) -> Vec<(&'static str, String)> {
    let is_given = model.is_of_activations();
    let fires = match model.top_k {
        Some(k) => ("k", k.to_string()),
        None if is_given => (ACTIVATION, GIVEN.to_owned()),
        None => (ACTIVATION, THRESHOLD.to_owned()),
    };
    let batches = (model.batches.as_ref()).map(|batches| (BATCHES, to_json(batches)));
    let mut text = vec![
        ("format", format.to_owned()),
        ("atomscope", env!("CARGO_PKG_VERSION").to_owned()),
        ("definition", CohortTally::DEFINITION.to_string()),
        ("model_sha256", model.sha256.to_string()),
        ("input_dim", model.input_dim.to_string()),
        ("feature_dim", model.feature_dim.to_string()),
        fires,
    ];
    text.extend(batches);
    text.retain(|(key, _)| !is_given || *key != "input_dim");
    text
}

/// Returns what the model is, in words, but for the places of its files.
pub(super) fn about_text(about: &ModelAbout) -> (&'static str, String) {
    let about = ModelAbout {
        beside: Vec::new(),
        ..about.clone()
    };
    (ABOUT, to_json(&about))
}

/// Returns the rule of which calls are true; nothing for the notebook's rule, so that a tally under
/// it keeps the bytes that it always had.
pub(super) fn rule_text(rule: &ClassRule) -> Option<(&'static str, String)> {
    (!rule.is_notebooks()).then(|| (RULE, to_json(rule)))
}

/// Writes JSON of a value that always has one.
pub(super) fn to_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A header's text. Its errors name the file and the key.
#[derive(Clone, Copy)]
pub(super) struct Header<'a>(pub(super) &'a SafeTensors);

impl Header<'_> {
    pub(super) fn bad(self, key: &str, found: impl Into<String>, expected: &str) -> Error {
        let place = format!("the header's {key}");
        Error::input(self.0.source.name(), place, found, expected, DAMAGED)
    }

    pub(super) fn text(&self, key: &str) -> Result<&str> {
        let text = self.0.metadata.get(key).map(String::as_str);
        text.ok_or_else(|| self.bad(key, "nothing", "a text"))
    }

    fn number(self, key: &str) -> Result<u64> {
        let text = self.text(key)?;
        let number = text
            .parse()
            .ok()
            .filter(|number| (1..=MOST).contains(number));
        number.ok_or_else(|| self.bad(key, format!("{text:?}"), "a number of at least 1"))
    }

    pub(super) fn json<T: for<'de> Deserialize<'de>>(self, key: &str) -> Result<T> {
        let text = self.text(key)?;
        serde_json::from_str(text).map_err(|error| {
            let kind = serde_json::from_str::<IgnoredAny>(text).map_or("no JSON", |_| "other JSON");
            self.bad(
                key,
                format!("{kind} ({error})"),
                "what atomscope writes there",
            )
        })
    }

    /// Reads the model, if the definition of the answer is one of this program's.
    pub(super) fn model(self) -> Result<ModelId> {
        let definition = self.number("definition")?;
        let (oldest, newest) = (CohortTally::OLDEST_DEFINITION, CohortTally::DEFINITION);
        if !(u64::from(oldest)..=u64::from(newest)).contains(&definition) {
            return Err(Error::input(
                self.0.source.name(),
                "the header's definition",
                format!("version {definition} of the answer's definition"),
                format!("version {oldest} to {newest}, this program's"),
                "make all tallies of a cohort with versions of atomscope of one definition",
            ));
        }
        let digest = self.text("model_sha256")?.to_owned();
        let sha256: std::result::Result<Digest, String> = digest.parse();
        let sha256 =
            sha256.map_err(|expected| self.bad("model_sha256", digest.clone(), &expected))?;
        let feature_dim = self.number("feature_dim")?;
        let model = if self.0.metadata.get(ACTIVATION).map(String::as_str) == Some(GIVEN) {
            let of_activations = ModelId::of_activations(feature_dim);
            if of_activations.sha256 != sha256 {
                let expected = "that of activations of as many atoms";
                return Err(self.bad("model_sha256", digest, expected));
            }
            of_activations
        } else {
            ModelId {
                sha256,
                input_dim: self.number("input_dim")?,
                feature_dim,
                top_k: self.top_k()?,
                batches: self.batches()?,
            }
        };
        let k = model.top_k.unwrap_or(0);
        if k > model.feature_dim || model.feature_dim > u64::from(u32::MAX) {
            let found = format!("k = {k}, F = {}", model.feature_dim);
            return Err(self.bad("k and feature_dim", found, "a k of at most F, below 2^32"));
        }
        Ok(model)
    }

    /// Reads the number of atoms that fire on every row; `None` if rows differ.
    fn top_k(self) -> Result<Option<u64>> {
        match self.0.metadata.get(ACTIVATION).map(String::as_str) {
            None => self.number("k").map(Some),
            Some(THRESHOLD) => Ok(None),
            Some(other) => Err(self.bad(ACTIVATION, format!("{other:?}"), THRESHOLD)),
        }
    }

    /// Reads the batches; `None` for a model without.
    fn batches(self) -> Result<Option<Batches>> {
        if !self.0.metadata.contains_key(BATCHES) {
            return Ok(None);
        }
        let batches: Batches = self.json(BATCHES)?;
        if batches.is_possible() {
            return Ok(Some(batches));
        }
        let found = self.text(BATCHES)?.to_owned();
        Err(self.bad(BATCHES, found, "what atomscope writes there"))
    }

    /// Reads what the model is, in words; `None` where an earlier version wrote the file.
    pub(super) fn about(self, model: &ModelId) -> Result<Option<ModelAbout>> {
        if !self.0.metadata.contains_key(ABOUT) {
            return Ok(None);
        }
        let about: ModelAbout = self.json(ABOUT)?;
        Ok(Some(ModelAbout {
            input_dim: model.input_dim as usize,
            feature_dim: model.feature_dim as usize,
            ..about
        }))
    }

    /// Reads the rule of which calls are true.
    pub(super) fn rule(self) -> Result<ClassRule> {
        match self.0.metadata.get(RULE) {
            None => Ok(ClassRule::default()),
            Some(_) => self.json(RULE),
        }
    }

    /// Reads the shards. Their dropped rows lie in sequence in `dropped`; their SV types and
    /// classes stand in `kinds`, a JSON list.
    pub(super) fn shards(self, mut dropped: &[u64], kinds: &[u8]) -> Result<Vec<Shard>> {
        let texts: Vec<ShardText> = self.json("shards")?;
        let bad = |found: String| self.bad("shards", found, "shards as atomscope lists them");
        let kinds: std::result::Result<Vec<KindsText>, _> = serde_json::from_slice(kinds);
        let kinds = kinds.map_err(|error| bad(format!("other kinds ({error})")))?;
        if kinds.len() != texts.len() {
            return Err(bad(format!(
                "{}, and the kinds of {}",
                texts.len(),
                kinds.len()
            )));
        }
        let shard = |(text, kinds): (ShardText, KindsText)| text.shard(kinds, &mut dropped);
        let shards: std::result::Result<Vec<_>, String> =
            texts.into_iter().zip(kinds).map(shard).collect();
        let shards = shards.map_err(bad)?;
        let rows = shards
            .iter()
            .try_fold(0, |sum: u64, shard| sum.checked_add(shard.count()));
        match rows {
            _ if shards.is_empty() => Err(bad("no shards".to_owned())),
            Some(0..MOST) if dropped.is_empty() => Ok(shards),
            Some(0..MOST) => Err(bad("fewer dropped rows than the file lists".to_owned())),
            _ => Err(bad("more rows than can be".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{EmbeddingsChoice, KindsText, ShardText};

    #[test]
    fn dropped_rows_ascend_within_the_shard_or_are_refused() {
        let shard = |mut dropped: &[u64]| {
            let text = ShardText {
                name: "a".to_owned(),
                sha256: "0".repeat(64),
                metadata_sha256: None,
                embeddings: EmbeddingsChoice::default(),
                rows: [10, 20],
                dropped: dropped.len() as u64,
            };
            let kinds = KindsText {
                svtypes: Vec::new(),
                truvari_classes: Vec::new(),
            };
            text.shard(kinds, &mut dropped).err().unwrap_or_default()
        };
        for dropped in [&[15, 12][..], &[12, 12], &[9], &[12, 20]] {
            let found = shard(dropped);
            assert!(
                found.contains("not ascending rows of the shard"),
                "{dropped:?}: {found}"
            );
        }
        assert!(
            !shard(&[12, 15]).contains("ascending"),
            "{}",
            shard(&[12, 15])
        );
    }
}
