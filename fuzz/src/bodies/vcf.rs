//! VCFs, plain and compressed, read record by record and as a benchmark's.

use std::path::Path;

use atomscope::read::benchmark::{
    BenchmarkOptions, describe_benchmark, read_benchmark, read_row_identities,
};
use atomscope::read::vcf::Vcf;

use super::shared::{gzip, put, same, well, wrapped};

/// Reads a VCF. Wrapped bytes are compressed, which makes no difference.
pub fn run(bytes: &[u8]) {
    let path = put("vcf/x.vcf", wrapped(bytes).unwrap_or(bytes));
    let found = records(&path);
    if let Some(plain) = wrapped(bytes) {
        let packed = records(&put("vcf/packed/x.vcf.gz", &gzip(plain)));
        same(&found, &packed, "records plain and compressed");
    }
    let options = BenchmarkOptions::default();
    if let Some(calls) = well(read_benchmark(Some(&path), &options)) {
        assert_eq!(calls.calls.len(), calls.len());
    }
    describe_benchmark(&path);
    well(read_row_identities(&path));
}

/// What each record's alleles are; `None` once a line is refused.
fn records(path: &Path) -> Option<Vec<String>> {
    let mut vcf = well(Vcf::open(path))?;
    let mut facts = Vec::new();
    while let Some(record) = well(vcf.next())? {
        let columns = [
            record.chrom(),
            record.reference(),
            record.qual(),
            record.filter(),
        ];
        assert!(columns.iter().all(|column| !column.contains(&b'\t')));
        let carried = record.carried(Some(0));
        record
            .info()
            .for_each(|(key, _)| assert!(!key.contains(&b';')));
        record.sample_value(0, "GT");
        for index in 0..record.alts().count() {
            if let Some(allele) = record.allele(index) {
                assert!(allele.span.start <= allele.span.end, "{allele:?}");
                facts.push(format!("{} {carried} {allele:?}", record.pos()));
            }
        }
    }
    Some(facts)
}
