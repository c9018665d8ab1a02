//! Names of contigs, which files write in several ways.

/// Returns a contig's name without `chr` before it, so that `chr1` and `1` are one, and `MT` for `M`,
/// `chrM` and `chrMT`. The case of `chr` is any.
pub fn plain_contig(name: &str) -> &str {
    let plain = match name.split_at_checked(3) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case("chr") && !rest.is_empty() => rest,
        _ => name,
    };
    match plain {
        "M" | "m" | "mt" | "Mt" => "MT",
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::plain_contig;

    #[test]
    fn plain_contig_is_the_same_for_all_spellings() {
        for (name, plain) in [
            ("chr1", "1"),
            ("1", "1"),
            ("Chr7", "7"),
            ("CHRX", "X"),
            ("chrM", "MT"),
            ("MT", "MT"),
            ("chrMT", "MT"),
            ("M", "MT"),
            ("chrm", "MT"),
            ("chrMt", "MT"),
            ("chr10", "10"),
            ("chr", "chr"),
            ("chrUn_KI270742v1", "Un_KI270742v1"),
            ("HLA-DRB1*15:03:01:02", "HLA-DRB1*15:03:01:02"),
            ("", ""),
            ("é1", "é1"),
        ] {
            assert_eq!(plain_contig(name), plain, "{name}");
        }
    }
}
