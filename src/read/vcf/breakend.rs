//! The mate of a breakend: the position that its ALT allele names.

/// The other end of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mate<'a> {
    /// Its chromosome.
    pub chrom: &'a [u8],
    /// Its position, from 1.
    pub pos: i64,
}

/// Says whether an ALT allele has the form of a breakend: brackets, or a dot at either end.
pub(super) fn is_breakend(alt: &[u8]) -> bool {
    let has_bracket = alt.iter().any(|byte| b"[]".contains(byte));
    let has_dot = alt.len() > 1 && (alt.starts_with(b".") || alt.ends_with(b"."));
    has_bracket || has_dot
}

/// Returns the mate that an ALT allele names: `t[p[`, `t]p]`, `]p]t`, `[p[t`. Contigs may have colons in
/// their names, and those of an assembly file are within angle brackets.
pub(super) fn mate(alt: &[u8]) -> Option<Mate<'_>> {
    let is_bracket = |byte: &u8| b"[]".contains(byte);
    let open = alt.iter().position(is_bracket)?;
    let rest = alt.get(open + 1..)?;
    let place = rest.get(..rest.iter().position(is_bracket)?)?;
    let colon = place.iter().rposition(|&byte| byte == b':')?;
    let pos = std::str::from_utf8(place.get(colon + 1..)?).ok()?;
    let chrom = place.get(..colon)?;
    let named = chrom
        .strip_prefix(b"<")
        .and_then(|chrom| chrom.strip_suffix(b">"));
    Some(Mate {
        chrom: named.unwrap_or(chrom),
        pos: pos.parse().ok().filter(|pos| (0..=1 << 53).contains(pos))?,
    })
}
