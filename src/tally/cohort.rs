//! Counts with all that identifies them: the contents of a tally file.

use std::collections::BTreeMap;

use super::sum::Sum;
use super::{Batches, Shard, Shards, StratifyBy, Tally};
use crate::cohort::ClassRule;
use crate::digest::Digest;
use crate::error::{Choice, Error, Proposal, Result};
use crate::sae::{ModelAbout, Sae};

/// The identity of the model that made the firing sets; or, where activations were given, of their
/// number of atoms, as nothing is known of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelId {
    /// The digest of the model file's content; of a text with the number of atoms, where activations
    /// were given.
    pub sha256: Digest,
    /// D, the length of an embedding; 0 where activations were given.
    pub input_dim: u64,
    /// F, the number of features.
    pub feature_dim: u64,
    /// The number of atoms that fire on every row; `None` if rows differ.
    pub top_k: Option<u64>,
    /// The batches of a model of batch top-k; `None` for any other.
    pub batches: Option<Batches>,
}

impl ModelId {
    /// Makes the identity of a model whose file has this content.
    pub fn of(sae: &Sae, sha256: Digest) -> Self {
        Self {
            sha256,
            input_dim: sae.input_dim() as u64,
            feature_dim: sae.feature_dim() as u64,
            top_k: sae.top_k().map(|k| k as u64),
            batches: None,
        }
    }

    /// Returns the identity of the same model with the batches that its rows were given in.
    #[must_use]
    pub fn with_batches(self, batches: Option<Batches>) -> Self {
        Self { batches, ..self }
    }

    /// Makes the identity of activations of so many atoms, which were computed elsewhere: tallies of
    /// them go together where they have as many atoms, and with those of no model.
    pub fn of_activations(feature_dim: u64) -> Self {
        let text = format!("atomscope: activations of {feature_dim} atoms, computed elsewhere");
        Self {
            sha256: Digest::of(text.as_bytes()),
            input_dim: 0,
            feature_dim,
            top_k: None,
            batches: None,
        }
    }

    /// Says whether activations were given, so that nothing was encoded.
    pub fn is_of_activations(&self) -> bool {
        *self == Self::of_activations(self.feature_dim)
    }
}

/// The counts of some shards of a cohort.
///
/// It is a commutative monoid: merged in any order and any nesting, the same parts give the same
/// whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CohortTally {
    /// The model.
    pub model: ModelId,
    /// What the model is, in words; `None` where nobody said, as in tallies of earlier versions. Of
    /// several descriptions of one model that are merged, the least stays.
    pub about: Option<ModelAbout>,
    /// The scheme of its strata, beyond the label: at least the SV type.
    pub scheme: StratifyBy,
    /// The rule of which calls count as true.
    pub rule: ClassRule,
    /// The rows that are counted.
    pub shards: Shards,
    /// The counts.
    pub tally: Tally,
}

impl CohortTally {
    /// The version of the definition of the answer: scores, firing sets, counts. Version 2 added steps
    /// before the encoder and rules of firing (docs/DEFINITION.md).
    pub const DEFINITION: u32 = 2;

    /// The oldest version whose answers are those of [`DEFINITION`](Self::DEFINITION), wherever it has
    /// any.
    pub const OLDEST_DEFINITION: u32 = 1;

    /// The limit of a cohort's rows, so that no sum overflows.
    pub const MOST_ROWS: u64 = 1 << 48;

    /// Makes the tally of one shard.
    pub fn of_shard(model: ModelId, scheme: StratifyBy, shard: Shard, tally: Tally) -> Self {
        Self {
            model,
            about: None,
            scheme: scheme.union(StratifyBy::TYPE),
            rule: ClassRule::default(),
            shards: Shards::new(vec![shard]),
            tally: tally.canonical(),
        }
    }

    /// Returns the same tally with the rule that labelled its calls.
    #[must_use]
    pub fn with_rule(self, rule: ClassRule) -> Self {
        Self { rule, ..self }
    }
}

/// A merger of tallies. It keeps each one's file name, so that errors name the tallies that do not
/// match.
#[derive(Debug, Default)]
pub struct Merger {
    /// The name of the first tally, its identity, and the sum of all counts.
    sum: Option<(String, (ModelId, StratifyBy, ClassRule), Sum)>,
    /// The least description of the model.
    about: Option<ModelAbout>,
    shards: Vec<Shard>,
    /// The number of rows of all shards.
    total: u64,
    /// The origin of rows: the content of an embeddings file and the first row; the end of the rows
    /// and the tally's name.
    rows: BTreeMap<(Digest, u64), (u64, String)>,
}

impl Merger {
    /// Adds a tally. `name` is its file's, for messages.
    ///
    /// # Errors
    /// Fails for another model, other strata, another rule of which calls are true, embeddings by another
    /// choice, or rows that another tally has counted already. Nothing is added then.
    pub fn add(&mut self, tally: CohortTally, name: &str) -> Result<()> {
        if let Some((first, (model, scheme, rule), _)) = &self.sum {
            check_model(model, first, &tally.model, name)?;
            check_scheme(scheme, first, &tally.scheme, name)?;
            check_rule(rule, first, &tally.rule, name)?;
            for shard in &tally.shards {
                check_choice(self.shards.first(), first, shard, name)?;
            }
        }
        self.check_rows(&tally.shards, name)?;
        let rows = self.total.checked_add(tally.shards.rows());
        self.total = rows
            .filter(|&rows| rows < CohortTally::MOST_ROWS)
            .ok_or_else(|| {
                let found = format!("{} rows beside {}", tally.shards.rows(), self.total);
                let expected = format!("fewer than {} in all", CohortTally::MOST_ROWS);
                Error::input(name, "shards", found, expected, "merge fewer tallies")
            })?;
        for shard in &tally.shards {
            let end = (shard.rows.end, name.to_owned());
            self.rows.insert((shard.sha256, shard.rows.start), end);
        }
        self.shards.extend(tally.shards.into_vec());
        self.about = match (self.about.take(), tally.about) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let (.., sum) = self.sum.get_or_insert_with(|| {
            let of = (tally.model, tally.scheme, tally.rule);
            (name.to_owned(), of, Sum::new(tally.tally.feature_dim()))
        });
        sum.add(&tally.tally);
        Ok(())
    }

    /// Returns the sum; `None` if no tally was added.
    pub fn finish(self) -> Option<CohortTally> {
        let (_, (model, scheme, rule), sum) = self.sum?;
        Some(CohortTally {
            model,
            about: self.about,
            scheme,
            rule,
            shards: Shards::new(self.shards),
            tally: sum.finish(),
        })
    }

    fn check_rows(&self, shards: &Shards, name: &str) -> Result<()> {
        for shard in shards {
            let key = |row| (shard.sha256, row);
            let before = self.rows.range(..key(shard.rows.end)).next_back();
            let overlaps = before.filter(|((sha256, _), (end, _))| {
                *sha256 == shard.sha256 && *end > shard.rows.start
            });
            if let Some(((_, start), (end, earlier))) = overlaps {
                let rows = shard.rows.start.max(*start)..shard.rows.end.min(*end);
                return Err(Error::input(
                    name,
                    format!("shard {}", shard.name),
                    format!(
                        "rows {}..{} of it, which {earlier} has counted already",
                        rows.start, rows.end
                    ),
                    "every row in one tally only",
                    if name == earlier {
                        format!("give {name} once")
                    } else {
                        format!("leave out {name} or {earlier}")
                    },
                ));
            }
        }
        Ok(())
    }
}

fn check_model(first: &ModelId, first_name: &str, model: &ModelId, name: &str) -> Result<()> {
    let shape = |model: &ModelId| {
        let fires = match model.top_k {
            Some(k) => format!("k = {k}"),
            None => "any number of atoms that fire".to_owned(),
        };
        format!(
            "D = {}, F = {}, {fires}",
            model.input_dim, model.feature_dim
        )
    };
    let unlike = |place: &str, found: String, expected: String| {
        Err(Error::input(
            name,
            place,
            found,
            format!("{expected}, as {first_name} has it"),
            "merge tallies of one model only",
        ))
    };
    let given = [first, model].map(ModelId::is_of_activations);
    if given.contains(&true) && first != model {
        let kind = |model: &ModelId| {
            if model.is_of_activations() {
                format!("activations of {} atoms", model.feature_dim)
            } else {
                format!("the model {}", model.sha256)
            }
        };
        return unlike("the model", kind(model), kind(first));
    }
    if first.sha256 != model.sha256 {
        let (found, expected) = (model.sha256.to_string(), first.sha256.to_string());
        return unlike("model_sha256", found, expected);
    }
    if first.batches != model.batches {
        return Err(unlike_batches(first, first_name, model, name));
    }
    if first != model {
        return unlike("the model's shape", shape(model), shape(first));
    }
    Ok(())
}

/// What fires depends on the rows that were given together: counts of other batches are of another
/// model.
fn unlike_batches(first: &ModelId, first_name: &str, model: &ModelId, name: &str) -> Error {
    let words = |model: &ModelId| match &model.batches {
        None => "no batches".to_owned(),
        Some(batches) => batches.to_string(),
    };
    Error::input(
        name,
        "batch_topk",
        words(model),
        format!("{}, as {first_name} has it", words(first)),
        "count these files in one run, since what fires on a call depends on the calls given with it; or \
         tally each in batches of a number of rows that divides it",
    )
    .proposing([Proposal::of(Choice::BatchRows)])
}

fn check_scheme(
    first: &StratifyBy,
    first_name: &str,
    scheme: &StratifyBy,
    name: &str,
) -> Result<()> {
    if scheme == first {
        return Ok(());
    }
    Err(Error::input(
        name,
        "strata_scheme",
        scheme.to_string(),
        format!("{first}, as {first_name} has it"),
        "tally all shards of a cohort with the same strata",
    )
    .proposing([Proposal::of(Choice::Strata)]))
}

fn check_rule(first: &ClassRule, first_name: &str, rule: &ClassRule, name: &str) -> Result<()> {
    if rule == first {
        return Ok(());
    }
    Err(Error::input(
        name,
        "class_rule",
        format!("true calls by {rule}"),
        format!("by {first}, as {first_name} has it"),
        "tally all shards of a cohort with the same column of classes and true classes",
    )
    .proposing([Choice::ClassColumn, Choice::TrueClass].map(Proposal::of)))
}

/// Rows that were taken by another choice are of another kind, even of the same file.
fn check_choice(first: Option<&Shard>, first_name: &str, shard: &Shard, name: &str) -> Result<()> {
    let Some(first) = first.filter(|first| first.choice != shard.choice) else {
        return Ok(());
    };
    Err(Error::input(
        name,
        format!("shard {}", shard.name),
        shard.choice.to_string(),
        format!("{}, as {first_name} has it", first.choice),
        "tally all shards of a cohort with the same key, layer and pooling",
    )
    .proposing([Choice::Key, Choice::Layer, Choice::Pool].map(Proposal::of)))
}
