//! A simulated call as a line of a VCF.

use std::fmt::{self, Write};

use crate::cohort::Label;
use crate::simulate::Simulator;
use crate::simulate::calls::{BND, DEL, Draw, INS};
use crate::simulate::genome::CHROMOSOMES;
use crate::simulate::random::{Purpose, Stream};

/// The sample that was called.
pub(super) const SAMPLE: &str = "SAMPLE";

/// The keys of every record.
const KEYS: [&str; 9] = [
    r#"INFO=<ID=PRECISE,Number=0,Type=Flag,Description="Breakpoints are exact">"#,
    r#"INFO=<ID=SVTYPE,Number=1,Type=String,Description="Type of structural variant">"#,
    r#"INFO=<ID=SVLEN,Number=1,Type=Integer,Description="Difference in length between REF and ALT">"#,
    r#"INFO=<ID=END,Number=1,Type=Integer,Description="End position of the variant">"#,
    r#"INFO=<ID=SUPPORT,Number=1,Type=Integer,Description="Reads that support the call">"#,
    r#"INFO=<ID=SOURCE,Number=1,Type=String,Description="Sample and reads of the call">"#,
    r#"FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">"#,
    r#"FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">"#,
    r#"FORMAT=<ID=DP,Number=1,Type=Integer,Description="Depth of reads">"#,
];
/// The alleles without a sequence.
const ALLELES: [(&str, &str); 4] = [
    ("DEL", "Deletion"),
    ("INS", "Insertion"),
    ("DUP", "Duplication"),
    ("INV", "Inversion"),
];

/// Returns the header of a file with one sample, and with further keys.
pub(super) fn header(sample: &str, more: &[&str]) -> String {
    let mut text = "##fileformat=VCFv4.2\n##source=atomscope simulate\n".to_owned();
    let mut line = |line: String| {
        text.push_str("##");
        text.push_str(&line);
        text.push('\n');
    };
    line(r#"FILTER=<ID=PASS,Description="All filters passed">"#.to_owned());
    for chromosome in &CHROMOSOMES {
        let (name, length) = (chromosome.name, chromosome.length);
        line(format!("contig=<ID={name},length={length}>"));
    }
    for (name, words) in ALLELES {
        line(format!("ALT=<ID={name},Description=\"{words}\">"));
    }
    for key in KEYS.iter().chain(more) {
        line((*key).to_owned());
    }
    text + "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t" + sample + "\n"
}

/// A record.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) chrom: &'static str,
    pub(super) pos: i64,
    pub(super) id: String,
    /// The index of the SV type.
    pub(super) kind: usize,
    svtype: &'static str,
    /// The length without its sign; 0 of a breakend.
    pub(super) size: i64,
    mate: Option<(&'static str, i64)>,
    quality: String,
    /// INFO from SUPPORT on, with its separator.
    pub(super) more: String,
    is_precise: bool,
    sample: String,
    /// True of two copies.
    pub(super) is_homozygous: bool,
}

impl Record {
    /// Returns the record of a row's call, as the caller writes it.
    pub(super) fn of_call(simulator: &Simulator, row: u64) -> Self {
        Self::of_draw(&simulator.draw(row), simulator.options.seed, row)
    }

    /// Returns the record of a draw.
    pub(super) fn of_draw(draw: &Draw, seed: u64, row: u64) -> Self {
        let mut stream = Stream::new(seed, Purpose::Records, row);
        // True calls have more reads, a higher quality, and exact breakpoints more often.
        let is_true = draw.label == Label::Tp;
        let mean = if is_true { 14.0 } else { 9.0 };
        let support = (mean + 4.0 * stream.normal()).max(2.0) as i64;
        let quality = (3.0 * support as f32 + 6.0 * stream.normal()).clamp(1.0, 60.0) as i64;
        let is_precise = stream.unit() < if is_true { 0.8 } else { 0.6 };
        let is_homozygous = stream.unit() < 0.35;
        let depth = (30.0 + 5.0 * stream.normal()).max(support as f32) as i64;
        // Some callers leave out what they could not count.
        let depth = if stream.unit() < 0.03 {
            None
        } else {
            Some(depth)
        };
        let genotype = if is_homozygous { "1/1" } else { "0/1" };
        let depth = depth.map_or(".".to_owned(), |depth| depth.to_string());
        Self {
            chrom: draw.chrom,
            pos: draw.pos,
            id: draw.id.clone(),
            kind: draw.kind,
            svtype: draw.svtype(),
            size: draw.svlen.abs(),
            mate: draw.verdict.mate,
            quality: quality.to_string(),
            more: format!(";SUPPORT={support};SOURCE={}", draw.dataset),
            is_precise,
            sample: format!("{genotype}:{}:{depth}", quality.min(99)),
            is_homozygous,
        }
    }

    /// Makes a record of the truth at another place, of another size.
    pub(super) fn of_truth(mut self, id: String, [start, growth]: [i64; 2], more: String) -> Self {
        self.pos += start;
        self.size += growth;
        self.id = id;
        self.more = more;
        self.is_precise = true;
        ".".clone_into(&mut self.quality);
        let genotype = if self.is_homozygous { "1/1" } else { "0/1" };
        self.sample = format!("{genotype}:.:.");
        self
    }

    /// Returns the last position of the record, from 1.
    pub(super) fn end(&self) -> i64 {
        if self.kind == INS || self.kind == BND {
            self.pos
        } else {
            self.pos + self.size
        }
    }

    /// Returns the bases that an index has the record at, from 0, half open.
    pub(super) fn bases(&self) -> [u64; 2] {
        [self.pos - 1, self.end()].map(i64::unsigned_abs)
    }

    /// Returns the base of the reference at the position: any, as there is no reference.
    fn reference(&self) -> char {
        ["A", "C", "G", "T"]
            .get((self.pos / 7).unsigned_abs() as usize % 4)
            .and_then(|base| base.chars().next())
            .unwrap_or('N')
    }

    fn info(&self) -> String {
        let mut text = String::new();
        if self.is_precise {
            text.push_str("PRECISE;");
        }
        // Texts take whatever is written.
        let _ = write!(text, "SVTYPE={}", self.svtype);
        if self.kind != BND {
            let length = if self.kind == DEL {
                -self.size
            } else {
                self.size
            };
            let _ = write!(text, ";SVLEN={length};END={}", self.end());
        }
        text + &self.more
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.reference();
        let allele = match self.mate {
            Some((chrom, pos)) => format!("{base}[{chrom}:{pos}["),
            None => format!("<{}>", self.svtype),
        };
        let Self {
            chrom,
            pos,
            id,
            quality,
            sample,
            ..
        } = self;
        let info = self.info();
        write!(
            f,
            "{chrom}\t{pos}\t{id}\t{base}\t{allele}\t{quality}\tPASS\t{info}\tGT:GQ:DP\t{sample}"
        )
    }
}
