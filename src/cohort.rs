//! The calls of a cohort: one column a field, strings interned, in the order of the embeddings'
//! rows.

mod alleles;
pub mod classes;
mod contigs;
mod ids;
mod join;
mod numbers;
mod rule;
mod text;
mod types;

use std::ops::Range;

pub use alleles::{SHORT_ALLELE, allele_key};
pub use contigs::plain_contig;
pub use ids::IdColumn;
pub use join::{Ambiguous, Identity, JoinKey, JoinSide, Joined, join, join_certain};
pub use numbers::{Number, NumberColumn};
pub use rule::{ClassColumn, ClassRule, looks_true, looks_untrue};
pub use text::TextColumn;
pub(crate) use text::Texts;
pub use types::SV_TYPES;

/// The label that the truth benchmark gives a call.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Label {
    /// True positive.
    Tp,
    /// False positive.
    Fp,
}

impl Label {
    /// Applies the notebook's rule: exactly `TP` and `tp_comp_vcf` are true. Any other class, and a
    /// missing one, is false.
    pub fn of_class(class: Option<&str>) -> Self {
        match class {
            Some("TP" | "tp_comp_vcf") => Self::Tp,
            _ => Self::Fp,
        }
    }

    /// Returns `TP` or `FP`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tp => "TP",
            Self::Fp => "FP",
        }
    }
}

/// The class of a row of embeddings that no call belongs to. It is neither true nor false: such rows are
/// dropped, and counted, before they are encoded.
pub const NO_CALL: &str = "no call";

/// The fields of one call. A missing field is `None` or 0, as in the notebook.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Call<'a> {
    /// Chromosome.
    pub chrom: Option<&'a str>,
    /// Position, 1-based as in the VCF.
    pub pos: Number,
    /// Type of the variant: INS, DEL, …
    pub svtype: Option<&'a str>,
    /// Length in base pairs; negative for a deletion in most callers' files.
    pub svlen: Number,
    /// Truvari's class: `TP`, `tp_comp_vcf`, `FP`, …
    pub truvari_class: Option<&'a str>,
    /// The dataset (sample, caller) that the call comes from.
    pub dataset: Option<&'a str>,
    /// The call's ID in its VCF.
    pub id: Option<&'a str>,
    /// Why the call is false, as the benchmark says it.
    pub reason: Option<&'a str>,
    /// The chromosome of a breakend's other end.
    pub mate_chrom: Option<&'a str>,
    /// The position of the other end, from 1; 0 of a call without one.
    pub mate_pos: Number,
}

impl Default for Call<'_> {
    fn default() -> Self {
        Self {
            chrom: None,
            pos: Number::Int(0),
            svtype: None,
            svlen: Number::Int(0),
            truvari_class: None,
            dataset: None,
            id: None,
            reason: None,
            mate_chrom: None,
            mate_pos: Number::Int(0),
        }
    }
}

/// All calls, in the order of the embeddings' rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Calls {
    /// Chromosome.
    pub chrom: TextColumn,
    /// Position.
    pub pos: NumberColumn,
    /// Type of the variant.
    pub svtype: TextColumn,
    /// Length in base pairs.
    pub svlen: NumberColumn,
    /// Truvari's class.
    pub truvari_class: TextColumn,
    /// Dataset.
    pub dataset: TextColumn,
    /// ID.
    pub id: IdColumn,
    /// Why calls are false.
    pub reason: TextColumn,
    /// Chromosome of the other end.
    pub mate_chrom: TextColumn,
    /// Position of the other end.
    pub mate_pos: NumberColumn,
    /// The levels of other properties, by which calls are stratified: each with the text that names it, and
    /// a level for every call. Quantities that are described are among them.
    pub levels: Vec<(String, TextColumn)>,
    /// The rule that decides which classes are true calls.
    pub rule: ClassRule,
}

impl Calls {
    /// Returns the levels of a property.
    pub fn levels_of(&self, property: &str) -> Option<&TextColumn> {
        let mut all = self.levels.iter();
        let found = all.find(|(name, _)| name == property);
        found
            .map(|(_, column)| column)
            .filter(|column| column.len() == self.len())
    }

    /// What stands before the name of a quantity that is described.
    const DESCRIBED: &str = "value ";

    /// Adds a quantity that atoms are compared with: its name, and the number of every call as text.
    pub fn describe(&mut self, name: &str, values: TextColumn) {
        let name = format!("{}{name}", Self::DESCRIBED);
        self.levels.push((name, values));
    }

    /// Returns the quantities that are described, with their names.
    pub fn described(&self) -> impl Iterator<Item = (&str, &TextColumn)> {
        let all = self.levels.iter();
        all.filter_map(|(name, column)| Some((name.strip_prefix(Self::DESCRIBED)?, column)))
    }

    /// Returns the names of quantities, of those of all levels.
    pub(crate) fn described_names<'n>(
        levels: impl Iterator<Item = &'n str>,
    ) -> impl Iterator<Item = &'n str> {
        levels.filter_map(|name| name.strip_prefix(Self::DESCRIBED))
    }

    /// Returns the number of a quantity's text; NaN where it is none.
    pub fn described_number(text: &str) -> f64 {
        text.trim().parse().unwrap_or(f64::NAN)
    }

    /// Appends a call, which has no levels.
    pub fn push(&mut self, call: &Call<'_>) {
        self.chrom.push(call.chrom);
        self.pos.push(call.pos);
        self.svtype.push(call.svtype);
        self.svlen.push(call.svlen);
        self.truvari_class.push(call.truvari_class);
        self.dataset.push(call.dataset);
        self.id.push(call.id);
        self.reason.push(call.reason);
        self.mate_chrom.push(call.mate_chrom);
        self.mate_pos.push(call.mate_pos);
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.pos.len()
    }

    /// Says whether there are no calls.
    pub fn is_empty(&self) -> bool {
        self.pos.is_empty()
    }

    /// Returns one call.
    pub fn get(&self, row: usize) -> Call<'_> {
        Call {
            chrom: self.chrom.get(row),
            pos: self.pos.get(row),
            svtype: self.svtype.get(row),
            svlen: self.svlen.get(row),
            truvari_class: self.truvari_class.get(row),
            dataset: self.dataset.get(row),
            id: self.id.get(row),
            reason: self.reason.get(row),
            mate_chrom: self.mate_chrom.get(row),
            mate_pos: self.mate_pos.get(row),
        }
    }

    /// Copies some of the calls, in their order.
    ///
    /// # Panics
    /// Panics if `rows` goes beyond the last call.
    #[must_use]
    pub fn slice(&self, rows: Range<usize>) -> Self {
        let mut id = IdColumn::default();
        for row in rows.clone() {
            id.push(self.id.get(row));
        }
        Self {
            chrom: self.chrom.slice(rows.clone()),
            pos: self.pos.slice(rows.clone()),
            svtype: self.svtype.slice(rows.clone()),
            svlen: self.svlen.slice(rows.clone()),
            truvari_class: self.truvari_class.slice(rows.clone()),
            dataset: self.dataset.slice(rows.clone()),
            reason: self.reason.slice(rows.clone()),
            mate_chrom: self.mate_chrom.slice(rows.clone()),
            mate_pos: self.mate_pos.slice(rows.clone()),
            levels: (self.levels.iter())
                .map(|(name, column)| (name.clone(), column.slice(rows.clone())))
                .collect(),
            id,
            rule: self.rule.clone(),
        }
    }

    /// Copies the calls of these rows, in this order.
    ///
    /// # Panics
    /// Panics if a row goes beyond the last call.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let mut picked: Self = rows.iter().map(|&row| self.get(row)).collect();
        picked.rule = self.rule.clone();
        picked.levels = (self.levels.iter())
            .map(|(name, column)| (name.clone(), column.pick(rows)))
            .collect();
        picked
    }

    /// Says whether no call belongs to a row: its class is [`NO_CALL`].
    pub fn is_without_call(&self, row: usize) -> bool {
        self.truvari_class.get(row) == Some(NO_CALL)
    }

    /// Says whether there may be rows that no call belongs to.
    pub fn has_rows_without_call(&self) -> bool {
        self.truvari_class.values().contains(NO_CALL)
    }

    /// Estimates the bytes that the calls take in memory, without texts that calls share.
    pub(crate) fn bytes(&self) -> u64 {
        // Each call has six codes, three numbers and an ID of its own.
        const EACH: usize = 6 * size_of::<u32>() + 3 * size_of::<i64>();
        let levels = self.levels.len() * self.len() * size_of::<u32>();
        (self.len() * EACH + levels) as u64 + self.id.bytes()
    }

    /// Estimates the bytes that calls which are read take in memory, or in a file if that is more: with the
    /// letters of each distinct text, and of each call's ID.
    pub(crate) fn held(&self, each_call: u64, each_text: u64) -> u64 {
        let texts = [
            &self.chrom,
            &self.svtype,
            &self.truvari_class,
            &self.dataset,
            &self.reason,
            &self.mate_chrom,
        ];
        let texts = texts.map(|column| {
            let (values, letters) = column.held();
            values as u64 * each_text + letters as u64
        });
        let floats = [&self.pos, &self.svlen, &self.mate_pos].map(NumberColumn::bytes_of_floats);
        // Of a table by columns the first may be whole while the last is empty.
        let rows = self
            .chrom
            .len()
            .max(self.pos.len())
            .max(self.mate_pos.len()) as u64
            * each_call;
        rows + texts.iter().sum::<u64>() + floats.iter().sum::<usize>() as u64 + self.id.spelled()
    }

    /// Returns the label of a call.
    pub fn label(&self, row: usize) -> Label {
        self.rule.label(self.truvari_class.get(row))
    }

    /// Returns the label of every call, in order. Each class is looked up once.
    pub fn labels(&self) -> impl ExactSizeIterator<Item = Label> {
        let values = self.truvari_class.values().iter();
        let of_class: Vec<Label> = values.map(|class| self.rule.label(Some(class))).collect();
        let missing = self.rule.label(None);
        let codes = self.truvari_class.codes().iter();
        codes.map(move |&code| of_class.get(code as usize).copied().unwrap_or(missing))
    }
}

impl<'a> FromIterator<Call<'a>> for Calls {
    fn from_iter<I: IntoIterator<Item = Call<'a>>>(calls: I) -> Self {
        let mut all = Self::default();
        for call in calls {
            all.push(&call);
        }
        all
    }
}
