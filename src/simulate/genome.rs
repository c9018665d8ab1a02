//! The human genome, as far as a simulated call needs it.

/// A chromosome with its length in `GRCh38`, in base pairs.
pub(super) struct Chromosome {
    pub(super) name: &'static str,
    pub(super) length: u64,
}

impl Chromosome {
    const fn new(name: &'static str, length: u64) -> Self {
        Self { name, length }
    }
}

/// The chromosomes in the order of the reference.
pub(super) const CHROMOSOMES: [Chromosome; 24] = [
    Chromosome::new("chr1", 248_956_422),
    Chromosome::new("chr2", 242_193_529),
    Chromosome::new("chr3", 198_295_559),
    Chromosome::new("chr4", 190_214_555),
    Chromosome::new("chr5", 181_538_259),
    Chromosome::new("chr6", 170_805_979),
    Chromosome::new("chr7", 159_345_973),
    Chromosome::new("chr8", 145_138_636),
    Chromosome::new("chr9", 138_394_717),
    Chromosome::new("chr10", 133_797_422),
    Chromosome::new("chr11", 135_086_622),
    Chromosome::new("chr12", 133_275_309),
    Chromosome::new("chr13", 114_364_328),
    Chromosome::new("chr14", 107_043_718),
    Chromosome::new("chr15", 101_991_189),
    Chromosome::new("chr16", 90_338_345),
    Chromosome::new("chr17", 83_257_441),
    Chromosome::new("chr18", 80_373_285),
    Chromosome::new("chr19", 58_617_616),
    Chromosome::new("chr20", 64_444_167),
    Chromosome::new("chr21", 46_709_983),
    Chromosome::new("chr22", 50_818_468),
    Chromosome::new("chrX", 156_040_895),
    Chromosome::new("chrY", 57_227_415),
];

/// Returns a chromosome's length in base pairs; 0 of a name that is none.
pub(super) fn length(name: &str) -> i64 {
    let found = CHROMOSOMES
        .iter()
        .find(|chromosome| chromosome.name == name);
    found.map_or(0, |chromosome| chromosome.length.cast_signed())
}

/// Returns the chromosome and the base, counted from 1, at a share from 0 to 1 of the whole genome.
pub(super) fn at(share: f64) -> (&'static Chromosome, u64) {
    let genome: u64 = CHROMOSOMES.iter().map(|chromosome| chromosome.length).sum();
    let mut offset = ((share * genome as f64) as u64).min(genome - 1);
    let mut found = &CHROMOSOMES[0];
    for chromosome in &CHROMOSOMES {
        found = chromosome;
        if offset < chromosome.length {
            break;
        }
        offset -= chromosome.length;
    }
    (found, offset + 1)
}

#[cfg(test)]
mod tests {
    use super::at;

    #[test]
    fn at_maps_shares_to_places_on_the_genome() {
        let place = |share| {
            let (chromosome, base) = at(share);
            (chromosome.name, base)
        };
        assert_eq!(place(0.0), ("chr1", 1));
        // Half of the 3_088_269_832 base pairs, less the chromosomes before.
        assert_eq!(place(0.5), ("chr9", 7_646_005));
        assert_eq!(place(1.0), ("chrY", 57_227_415));
    }
}
