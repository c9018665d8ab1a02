//! vcfdist's summary: the VCF of GA4GH with a credit beside the label.

use std::path::PathBuf;

use super::super::candidate::{Candidate, Content};
use super::super::plan::{LabelAt, Plan, SampleIs};
use super::super::reason::How;
use super::super::tabular::Form;
use super::{Tool, is_vcf, one_file};

pub(super) const TOOL: Tool = Tool {
    name: "vcfdist",
    looked_at: "by its source",
    files: "`P summary.vcf`; `P query.tsv`, or the folder with it alone",
    known_by: "FORMAT/BD and BC; the columns CONTIG, ERRTYPE, CREDIT",
    label: "FORMAT/BD of sample QUERY; ERRTYPE",
    reasons: "FORMAT/BK, as of GA4GH; CREDIT",
    claims: |candidate| {
        let is_table = matches!(candidate.content, Content::Table(Form::Vcfdist));
        is_table
            || is_vcf(candidate, |header| {
                header.has_format("BD") && header.has_format("BC")
            })
    },
    plan: |candidate| {
        if let Content::Table(_) = candidate.content {
            return Ok(of_table(candidate.path.clone()));
        }
        let mut plan = one_file(
            &TOOL,
            candidate.path.clone(),
            LabelAt::Format("BD"),
            How::Ga4gh,
        );
        plan.sample = SampleIs::Named("QUERY".to_owned());
        plan.notes.push(
            "vcfdist writes a homozygous call as two records, which may have two labels".to_owned(),
        );
        Ok(plan)
    },
};

/// The plan of `query.tsv`, whose two rows of a homozygous call are one if they have one label.
pub(super) fn of_table(path: PathBuf) -> Plan {
    let mut plan = one_file(&TOOL, path, LabelAt::Format("BD"), How::Ga4gh);
    plan.sample = SampleIs::Named("QUERY".to_owned());
    plan.notes.push(
        "vcfdist's table has no IDs, and no base before a deletion or insertion: rows are joined to such calls \
         by place, type and length"
            .to_owned(),
    );
    plan
}

/// Returns the table of calls in a folder, if there is one.
pub(super) fn table_in(candidate: &Candidate) -> Option<PathBuf> {
    let mut tables = candidate.ending("query.tsv").into_iter();
    let only = tables.next().filter(|_| tables.next().is_none())?;
    let only = Candidate::of(&only).ok()?;
    matches!(only.content, Content::Table(Form::Vcfdist)).then_some(only.path)
}
