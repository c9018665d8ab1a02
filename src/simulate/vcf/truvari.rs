//! The simulated benchmark's folder, as `truvari bench` 5.4 writes it.
//!
//! Calls have no sequences, so that sequences are not compared (`--pctseq 0`). Everything that a reader
//! needs is there: the calls with the figures of the nearest truth call, the truth's calls, thresholds, and
//! the summary.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::record::{Record, SAMPLE, header};
use super::{Keys, write_vcf};
use crate::control::Control;
use crate::error::Result;
use crate::simulate::Simulator;
use crate::simulate::calls::{BND, Draw};
use crate::simulate::random::{Purpose, Stream};
use crate::simulate::verdict::Miss;
use crate::write::set::OutputSet;

/// The sample of the truth.
const TRUTH_SAMPLE: &str = "TRUTH";
/// The distance within which positions of breakends match.
const BREAKEND_DISTANCE: i64 = 100;
/// The least similarity of sizes.
const LEAST_SIZE: f64 = 0.7;
/// The share of truth calls that the caller did not find, for each that it did.
const MISSED: f64 = 0.12;
/// The share of matches whose genotype is another.
const OTHER_GENOTYPE: f64 = 0.08;

/// The keys that Truvari adds.
const KEYS: [&str; 10] = [
    r#"INFO=<ID=TruScore,Number=1,Type=Integer,Description="Truvari score for similarity of match">"#,
    r#"INFO=<ID=PctSeqSimilarity,Number=1,Type=Float,Description="Pct sequence similarity between this variant and its closest match">"#,
    r#"INFO=<ID=PctSizeSimilarity,Number=1,Type=Float,Description="Pct size similarity between this variant and its closest match">"#,
    r#"INFO=<ID=PctRecOverlap,Number=1,Type=Float,Description="Percent reciprocal overlap of the two calls' coordinates">"#,
    r#"INFO=<ID=StartDistance,Number=1,Type=Integer,Description="Distance of the base call's start from comparison call's start">"#,
    r#"INFO=<ID=EndDistance,Number=1,Type=Integer,Description="Distance of the base call's end from comparison call's end">"#,
    r#"INFO=<ID=SizeDiff,Number=1,Type=Float,Description="Difference in size of base and comp calls">"#,
    r#"INFO=<ID=GTMatch,Number=1,Type=Integer,Description="Base/Comparison genotypes AC difference">"#,
    r#"INFO=<ID=MatchId,Number=.,Type=String,Description="Tuple of base and comparison call ids which were matched">"#,
    r#"INFO=<ID=Multi,Number=0,Type=Flag,Description="Call is false due to non-multimatching">"#,
];

/// A call with what the benchmark found of it.
struct Compared {
    call: Record,
    /// The truth call that it matches; of a false call none.
    truth: Option<Record>,
    /// A truth call near by that no call matches.
    missed: Option<Record>,
    /// True if the genotypes agree.
    is_of_genotype: bool,
}

/// The truth call that is nearest, as the figures describe it.
struct Nearest {
    start: i64,
    growth: i64,
    is_of_genotype: bool,
}

impl Nearest {
    /// Draws the truth call that is near a call; `None` if there is none.
    fn draw(stream: &mut Stream, draw: &Draw) -> Option<Self> {
        let miss = draw.verdict.miss;
        let (start, unit) = (stream.unit(), stream.unit());
        let is_of_genotype = stream.unit() >= OTHER_GENOTYPE;
        let size = draw.svlen.abs();
        let wanted = if miss == Some(Miss::Unlike) {
            1.6 + 0.8 * unit
        } else {
            0.85 + 0.3 * unit
        };
        let growth = (size as f64 * wanted) as i64 - size;
        let mut start = (40.0 * start) as i64 - 20;
        if miss == Some(Miss::Unlike) && draw.kind == BND {
            start += BREAKEND_DISTANCE + 50;
        }
        (miss != Some(Miss::NoCandidate)).then_some(Self {
            start: start.max(1 - draw.pos),
            growth,
            is_of_genotype,
        })
    }

    /// Returns the figures as INFO has them.
    fn info(&self, call: &Record) -> String {
        let end = self.start
            + if call.end() > call.pos {
                self.growth
            } else {
                0
            };
        let difference = i32::from(!self.is_of_genotype);
        let places = format!(
            ";StartDistance={};EndDistance={end};GTMatch={difference}",
            self.start
        );
        if call.kind == BND {
            return places;
        }
        let [small, large] = [call.size, call.size + self.growth].map(|size| size as f64);
        let similarity = small.min(large) / small.max(large).max(1.0);
        let overlap = self.overlap(call);
        format!(
            ";PctSeqSimilarity=0;PctSizeSimilarity={similarity:.4};PctRecOverlap={overlap:.4};\
             SizeDiff={}{places};TruScore={}",
            self.growth,
            (100.0 * similarity) as i64 / 3
        )
    }
}

impl Nearest {
    /// Returns the overlap of both spans over the longer; 0 where they take up no bases.
    fn overlap(&self, call: &Record) -> f64 {
        let size = call.end() - call.pos;
        if size == 0 {
            return 0.0;
        }
        let other = size + self.growth;
        let shared = size.min(self.start + other) - self.start.max(0);
        shared.max(0) as f64 / size.max(other).max(1) as f64
    }
}

impl Compared {
    fn of(simulator: &Simulator, row: u64) -> Self {
        let seed = simulator.options.seed;
        let draw = simulator.draw(row);
        let mut stream = Stream::new(seed, Purpose::Benchmark, row | 1 << 63);
        let mut call = Record::of_draw(&draw, seed, row);
        let nearest = Nearest::draw(&mut stream, &draw);
        let is_missed = draw.verdict.miss.is_none() && stream.unit() < MISSED;
        let missed = is_missed.then(|| missed(&call, row));
        let mut truth = None;
        let matched = match nearest {
            Some(_) => format!(";MatchId={row}.0,{row}.0"),
            None => format!(";MatchId=,{row}.0"),
        };
        if let Some(nearest) = &nearest {
            let info = nearest.info(&call) + &matched;
            if draw.verdict.miss.is_none() {
                let moved = [nearest.start, nearest.growth];
                let id = format!("truth{row:08}");
                let mut found = call.clone();
                found.is_homozygous ^= !nearest.is_of_genotype;
                truth = Some(found.of_truth(id, moved, info.clone()));
            }
            call.more += &info;
        } else {
            call.more += &matched;
        }
        if draw.verdict.miss == Some(Miss::Multi) {
            call.more += ";Multi";
        }
        Self {
            call,
            truth,
            missed,
            is_of_genotype: nearest.is_some_and(|nearest| nearest.is_of_genotype),
        }
    }
}

/// Returns a truth call some distance before a call.
fn missed(call: &Record, row: u64) -> Record {
    let distance = (call.pos - 1).min(7000);
    let info = format!(";MatchId={row}.1,");
    call.clone()
        .of_truth(format!("missed{row:08}"), [-distance, 0], info)
}

/// The benchmark's counts.
#[derive(Default)]
struct Counts {
    tp: u64,
    fp: u64,
    missed: u64,
    of_genotype: u64,
    /// Matches by the truth's and the call's genotype.
    genotypes: BTreeMap<[bool; 2], u64>,
}

/// Writes the folder.
pub(super) fn write(files: &mut OutputSet, simulator: &Simulator, control: &Control) -> Result<()> {
    let mut counts = Counts::default();
    let [mut tp, mut base, mut fp, mut missed] = [(); 4].map(|()| Keys::default());
    for row in 0..simulator.options.rows as u64 {
        let compared = Compared::of(simulator, row);
        let call = &compared.call;
        let add = |keys: &mut Keys, record: &Record| keys.add(record.chrom, record.pos, row);
        if let Some(truth) = &compared.truth {
            add(&mut tp, call);
            add(&mut base, truth);
            counts.tp += 1;
            counts.of_genotype += u64::from(compared.is_of_genotype);
            let both = [truth.is_homozygous, call.is_homozygous];
            *counts.genotypes.entry(both).or_default() += 1;
        } else {
            add(&mut fp, call);
            counts.fp += 1;
        }
        if let Some(record) = &compared.missed {
            add(&mut missed, record);
            counts.missed += 1;
        }
    }
    control.check()?;
    let compared = |row| Compared::of(simulator, row);
    let [calls, truth] = [SAMPLE, TRUTH_SAMPLE].map(|sample| header(sample, &KEYS));
    let records = tp.sorted().map(|row| compared(row).call);
    write_vcf(files, "truvari/tp-comp.vcf.gz", &calls, records)?;
    let records = fp.sorted().map(|row| compared(row).call);
    write_vcf(files, "truvari/fp.vcf.gz", &calls, records)?;
    let records = base.sorted().filter_map(|row| compared(row).truth);
    write_vcf(files, "truvari/tp-base.vcf.gz", &truth, records)?;
    let records = missed.sorted().filter_map(|row| compared(row).missed);
    write_vcf(files, "truvari/fn.vcf.gz", &truth, records)?;
    for (name, value) in [("params", params()), ("summary", counts.summary())] {
        let name = format!("truvari/{name}.json");
        files.add(&name, |out| writeln!(out, "{value:#}"))?;
    }
    Ok(())
}

fn params() -> Value {
    json!({
        "base": "truth.vcf.gz", "comp": super::CALLS, "output": "truvari", "includebed": null,
        "extend": 0, "debug": false, "reference": null, "refdist": 500, "pctseq": 0.0,
        "pctsize": LEAST_SIZE, "pctovl": 0.0, "typeignore": false, "no_roll": false, "chunksize": 1000,
        "bSample": TRUTH_SAMPLE, "cSample": SAMPLE, "dup_to_ins": false,
        "bnddist": BREAKEND_DISTANCE, "sizemin": 50, "sizefilt": 50, "sizemax": 10_000_000,
        "passonly": false, "no_ref": false, "pick": "single", "ignore_monref": true,
        "check_multi": true, "check_monref": true, "no_single_bnd": false, "write_resolved": false,
        "decompose": true, "short_circuit": false, "skip_gt": false, "max_resolve": 25000,
    })
}

impl Counts {
    fn summary(&self) -> Value {
        let share = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
        let (precision, recall) = (
            share(self.tp, self.tp + self.fp),
            share(self.tp, self.tp + self.missed),
        );
        let f1 = share(2 * self.tp, 2 * self.tp + self.fp + self.missed);
        let other = self.tp - self.of_genotype;
        let name = |is_homozygous| if is_homozygous { "(1, 1)" } else { "(0, 1)" };
        let mut matrix = BTreeMap::<&str, BTreeMap<&str, u64>>::new();
        for ([truth, call], count) in &self.genotypes {
            let row = matrix.entry(name(*truth)).or_default();
            row.insert(name(*call), *count);
        }
        json!({
            "TP-base": self.tp, "TP-comp": self.tp, "FP": self.fp, "FN": self.missed,
            "precision": precision, "recall": recall, "f1": f1,
            "base cnt": self.tp + self.missed, "comp cnt": self.tp + self.fp,
            "TP-comp_TP-gt": self.of_genotype, "TP-comp_FP-gt": other,
            "TP-base_TP-gt": self.of_genotype, "TP-base_FP-gt": other,
            "gt_concordance": share(self.of_genotype, self.tp), "gt_matrix": matrix,
        })
    }
}
