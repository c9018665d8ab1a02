//! Runs a plan: records to calls, and to the account.

mod rows;

use std::path::Path;

use super::account::{Counting, Fate};
use super::plan::{LabelAt, Part, Plan, SampleIs};
use super::reason::{False, Reason, reasons};
use super::refusals::{no_sample, swapped};
use super::{BenchmarkCalls, BenchmarkOptions, kept, tabular};
use crate::cohort::Label;
use crate::control::hear_at;
use crate::error::{Choice, Error, Proposal, Result, Warning};
use crate::read::vcf::{Allele, Header, Record};
use crate::read::words::Words;
use rows::{Row, Rows, Seen};

/// The label of a record, and what it is written as.
enum Verdict<'a> {
    Label(Label, &'a [u8]),
    Unlabelled,
    NoLabel,
    Other(&'a [u8]),
}

/// Reads all files of a plan.
pub(super) fn run(plan: &Plan, options: &BenchmarkOptions) -> Result<BenchmarkCalls> {
    let mut collector = Collector {
        plan,
        options,
        rows: Rows::default(),
        sample_name: None,
        seen: Seen::default(),
        words: Words::default(),
        is_known: vec![false; options.keys.len()],
    };
    for part in &plan.parts {
        collector.read(part)?;
    }
    collector.finish()
}

struct Collector<'p> {
    plan: &'p Plan,
    options: &'p BenchmarkOptions,
    rows: Rows,
    sample_name: Option<String>,
    seen: Seen,
    words: Words,
    /// True for each key that some file has.
    is_known: Vec<bool>,
}

impl Collector<'_> {
    fn read(&mut self, part: &Part) -> Result<()> {
        let mut vcf = tabular::open(&part.path)?;
        let sample = self.sample(&part.path, vcf.header(), part.label)?;
        let name = sample.and_then(|at| vcf.header().samples.get(at).cloned());
        if self.sample_name.is_none() {
            self.sample_name.clone_from(&name);
        }
        let file = self.rows.add_file(&part.path);
        let mut keys = kept::OfFile::new(&self.options.keys, vcf.header());
        while let Some(record) = vcf.next()? {
            let kept = keys.values(&record, sample);
            let held = self.take(&record, part.label, sample, (file, kept));
            vcf.keep(held)?;
        }
        for (to, is_known) in self.is_known.iter_mut().zip(keys.is_known) {
            *to |= is_known;
        }
        if let LabelAt::Format(_) | LabelAt::Info(_) = part.label {
            self.check_side(&part.path, file)?;
        }
        Ok(())
    }

    /// Takes a record in. Returns the bytes of memory that it takes.
    fn take(
        &mut self,
        record: &Record<'_>,
        label: LabelAt,
        sample: Option<usize>,
        (file, kept): (usize, Box<[Option<Box<str>>]>),
    ) -> usize {
        let allele = record.allele(record.carried(sample));
        let verdict = verdict(record, label, sample);
        self.seen.add(record, sample, &verdict);
        let mut row = Row::of(record, allele.as_ref(), file, &mut self.words);
        row.kept = kept;
        match verdict {
            Verdict::Label(label, written) => {
                row.label = Some(label);
                self.judge(&mut row, record, allele.as_ref(), sample, written);
            }
            Verdict::Unlabelled => row.fate = Fate::Unlabelled,
            Verdict::NoLabel => row.fate = Fate::NoLabel,
            Verdict::Other(written) => {
                row.fate = Fate::OtherLabel(String::from_utf8_lossy(written).into_owned());
            }
        }
        let held = row.held();
        self.rows.push(row);
        held
    }

    fn judge(
        &self,
        row: &mut Row,
        record: &Record<'_>,
        allele: Option<&Allele<'_>>,
        sample: Option<usize>,
        label: &[u8],
    ) {
        let params = self.plan.params.as_ref();
        match (row.label, allele) {
            (Some(Label::Fp), Some(allele)) => {
                let call = False {
                    record,
                    allele,
                    sample,
                    label,
                };
                row.reasons = reasons(self.plan.how, &call, params).into_iter().collect();
            }
            (Some(Label::Tp), Some(allele)) => {
                let least = params.and_then(|params| params.sizemin).unwrap_or(0);
                let is_below = allele.length.is_some_and(|length| length < least);
                if is_below && allele.svtype != "BND" {
                    row.reasons = vec![Reason::BelowSizemin];
                    if !self.options.keep_below_sizemin {
                        row.fate = Fate::BelowSizemin;
                    }
                }
            }
            _ => {}
        }
    }

    /// Returns the place of the sample that is read; `None` of a file without samples.
    fn sample(&self, path: &Path, header: &Header, label: LabelAt) -> Result<Option<usize>> {
        let named = match (&self.options.sample, &self.plan.sample) {
            (Some(name), _) | (None, SampleIs::Named(name)) => name,
            (None, SampleIs::First) => return Ok((!header.samples.is_empty()).then_some(0)),
        };
        if let Some(at) = header.sample(named) {
            return Ok(Some(at));
        }
        if self.options.sample.is_none()
            && header.samples.is_empty()
            && !matches!(label, LabelAt::Format(_))
        {
            return Ok(None);
        }
        let truth = self
            .plan
            .truth_sample
            .as_ref()
            .filter(|_| self.options.sample.is_none());
        if truth.is_some_and(|truth| header.sample(truth).is_some()) {
            return Err(swapped(
                path,
                "the samples",
                &format!("the truth's sample, {}", header.samples.join(", ")),
            ));
        }
        Err(no_sample(path, header, named))
    }

    /// Refuses a file of the truth's calls: its labels are TP and FN.
    fn check_side(&self, path: &Path, file: usize) -> Result<()> {
        let (mut labelled, mut missed, mut of_file) = (0_u64, 0_u64, 0_u64);
        let mut has_false = false;
        for row in self.rows.iter().filter(|row| row.file == file) {
            of_file += 1;
            labelled += u64::from(row.label.is_some());
            has_false |= row.label == Some(Label::Fp);
            missed += u64::from(matches!(&row.fate, Fate::OtherLabel(label) if label == "FN"));
        }
        if missed > 0 && !has_false && self.seen.samples_differ == 0 {
            let found = format!("{missed} records with the label FN, and none with FP");
            return Err(swapped(path, "the labels", &found));
        }
        if labelled == 0 && of_file > 0 {
            return Err(Error::input(
                path.display().to_string(),
                "the labels",
                format!("no TP and no FP in {of_file} records"),
                "the labels of a caller's calls",
                "name the sample whose labels are meant",
            )
            .proposing([Proposal::of(Choice::Sample)]));
        }
        Ok(())
    }

    fn finish(mut self) -> Result<BenchmarkCalls> {
        let plan = self.plan;
        let files = self.rows.files().join(", ");
        kept::check(&self.options.keys, &self.is_known, &files)?;
        let conflicts = self.rows.mark_conflicts(plan)?;
        let mut found = BenchmarkCalls {
            source: plan.describe(),
            sample: self.sample_name.clone(),
            paths: plan.parts.iter().map(|part| part.path.clone()).collect(),
            kept: kept::columns(&self.options.keys),
            ..BenchmarkCalls::default()
        };
        let mut counting = Counting::default();
        let (read, repeated) = (self.rows.iter().len() as u64, self.rows.repeated_ids());
        // Each is freed once it is a call.
        for (turn, row) in self.rows.take().into_iter().enumerate() {
            hear_at(turn)?;
            let class = row.label.map(Label::as_str);
            let reason = row.reasons.first().map(|reason| reason.as_str());
            if row.fate.is_kept() {
                row.push_to(&mut found, &self.rows, self.sample_name.as_deref());
            }
            counting.add((row.file, class, reason, row.fate));
        }
        found.account = counting.finish(self.rows.files(), read);
        found
            .warnings
            .extend(plan.notes.iter().cloned().map(Warning::from));
        found.warnings.extend(conflicts.map(Warning::from));
        found.warnings.extend(self.warnings(&found, repeated));
        Ok(found)
    }

    /// Sentences about what is odd in the calls.
    fn warnings(&self, found: &BenchmarkCalls, repeated: u64) -> Vec<Warning> {
        let mut all = Vec::new();
        let account = &found.account;
        let below = account.count(|line| line.fate == Fate::BelowSizemin);
        if let (1.., Some(least)) = (
            below,
            self.plan.params.as_ref().and_then(|params| params.sizemin),
        ) {
            let text = format!(
                "{below} true calls below sizemin ({least}) are left out: they are true by construction, since \
                 smaller calls that match nothing are in no file"
            );
            let proposals = vec![Proposal::new(Choice::BelowSizemin, ["keep"])];
            all.push(Warning { text, proposals });
        }
        if let Some(summary) = &self.plan.summary {
            let (tp, fp) = (account.of_class("TP"), account.of_class("FP"));
            if (tp, fp) != (summary.tp, summary.fp) {
                all.push(Warning::from(format!(
                    "{} counts {} TP and {} FP, and the files have {tp} and {fp}: the folder may be of two runs",
                    summary.file, summary.tp, summary.fp
                )));
            }
        }
        if repeated > 0 {
            all.push(Warning::from(format!(
                "{repeated} calls share their ID with another: rows are joined to them by place and alleles"
            )));
        }
        all.extend(self.seen.warnings().into_iter().map(Warning::from));
        all
    }
}

fn verdict<'a>(record: &Record<'a>, label: LabelAt, sample: Option<usize>) -> Verdict<'a> {
    let written = match label {
        LabelAt::File(label) => return Verdict::Label(label, b""),
        LabelAt::Nowhere => return Verdict::Unlabelled,
        LabelAt::Format(key) => sample.and_then(|sample| record.sample_value(sample, key)),
        LabelAt::Info(key) => record.info_value(key),
    };
    match written {
        None | Some(b"" | b".") => Verdict::NoLabel,
        Some(b"TP") => Verdict::Label(Label::Tp, b"TP"),
        Some(word @ (b"FP" | b"FP_CA")) => Verdict::Label(Label::Fp, word),
        Some(word) => Verdict::Other(word),
    }
}
