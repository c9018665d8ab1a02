//! What a page's script is told first.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::cards::{BINS, CHUNK};
use super::escape::short;
use super::{Genome, PAGE_FORMAT, Settings};

/// The facts that table, pictures and cards need, as JSON; a page of tables alone has them too.
#[derive(Debug, Serialize)]
pub(super) struct About {
    pub(super) page: u32,
    pub(super) version: &'static str,
    /// What tells the results from others, for what a browser keeps of them.
    pub(super) identity: String,
    pub(super) atoms: usize,
    pub(super) tp: u64,
    pub(super) fp: u64,
    /// The fewest calls on which a tested atom fires; 0 where it is not known.
    pub(super) min_support: u64,
    pub(super) log_or_median: Option<f64>,
    /// Says whether strata tell apart SV types, sizes, datasets.
    pub(super) scheme: [bool; 3],
    /// Of each stratum: type, size, dataset, true and false calls.
    pub(super) strata: Value,
    /// Chromosomes with their true and false calls, as cards number them.
    pub(super) chromosomes: Value,
    /// Bins of sizes: the least size, true and false calls.
    pub(super) sizes: Value,
    pub(super) has_scores: bool,
    pub(super) has_firings: bool,
    pub(super) chunk: usize,
    pub(super) bins: usize,
    /// The strongest examples of an atom.
    pub(super) top: usize,
    /// The notebook's most biased atoms, to true and to false calls.
    pub(super) notebook: [Vec<u32>; 2],
    pub(super) summary: Value,
    #[serde(flatten)]
    pub(super) settings: Map<String, Value>,
    pub(super) tables: Vec<Value>,
    pub(super) claims: Value,
    /// The name and length of each piece of the first island.
    pub(super) first: Value,
    /// Calls that are examples.
    pub(super) examples: usize,
    /// The atoms of the map.
    pub(super) map: Option<Value>,
    /// Atoms with neighbours by direction.
    pub(super) directions: Option<usize>,
    /// Types with their true and false calls, where strata do not tell them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) types: Option<Value>,
    /// The same of chromosomes, where cards do not have them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) of_chromosomes: Option<Value>,
}

impl About {
    /// A page of which the counts of all calls are known, and nothing else.
    pub(super) fn of_counts(atoms: usize, [tp, fp]: [u64; 2], settings: &Settings) -> Self {
        Self {
            page: PAGE_FORMAT,
            version: env!("CARGO_PKG_VERSION"),
            identity: String::new(),
            atoms,
            tp,
            fp,
            min_support: 0,
            log_or_median: None,
            scheme: [false; 3],
            strata: json!([[null, null, null, tp, fp]]),
            chromosomes: Value::Null,
            sizes: Value::Null,
            has_scores: false,
            has_firings: false,
            chunk: CHUNK,
            bins: BINS,
            top: 0,
            notebook: Default::default(),
            summary: Value::Null,
            settings: self::settings(settings),
            tables: Vec::new(),
            claims: Value::Null,
            first: Value::Null,
            examples: 0,
            map: None,
            directions: None,
            types: None,
            of_chromosomes: None,
        }
    }
}

/// Categories as the script has them: name, true and false calls.
pub(super) fn categories<'a>(list: impl Iterator<Item = (&'a str, u64, u64)>) -> Value {
    let each = list.map(|(name, tp, fp)| json!([short(name), tp, fp]));
    Value::Array(each.collect())
}

/// What a reader adds, as the script is told.
pub(super) fn settings(settings: &Settings) -> serde_json::Map<String, Value> {
    let labels = settings.labels.iter();
    let labels: serde_json::Map<_, _> = labels
        .map(|(atom, name)| (atom.to_string(), json!(short(name))))
        .collect();
    let genome = settings.genome.map(Genome::as_str);
    let mut fields = serde_json::Map::new();
    fields.insert("genome".to_owned(), json!(genome));
    fields.insert("labels".to_owned(), labels.into());
    fields
}
