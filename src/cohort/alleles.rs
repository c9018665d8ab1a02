//! Alleles as they are compared: in upper case, and long ones by their digest.

use crate::digest::Digest;

/// The most letters of an allele that are kept as they are.
pub const SHORT_ALLELE: usize = 64;

/// Returns an allele with its bases in upper case, and of one of more than [`SHORT_ALLELE`] letters
/// `sha256:` and the digest of that. Names of sequences in brackets and of symbolic alleles stay as they
/// are. So does what is such a digest already.
///
/// ```
/// use atomscope::cohort::allele_key;
///
/// assert_eq!(allele_key(b"acgt"), "ACGT");
/// assert_eq!(allele_key(b"a]chrUn_1:7]"), "A]chrUn_1:7]");
/// let long = allele_key(&[b'a'; 100]);
/// assert!(long.starts_with("sha256:"));
/// assert_eq!(allele_key(long.as_bytes()), long);
/// ```
pub fn allele_key(allele: &[u8]) -> String {
    const DIGEST: &[u8] = b"sha256:";
    if allele.len() == DIGEST.len() + 64 && allele.starts_with(DIGEST) {
        return String::from_utf8_lossy(allele).into_owned();
    }
    let upper = with_upper_bases(allele);
    if upper.len() <= SHORT_ALLELE {
        return String::from_utf8_lossy(&upper).into_owned();
    }
    format!("sha256:{}", Digest::of(&upper))
}

/// The allele with letters outside of brackets in upper case.
fn with_upper_bases(allele: &[u8]) -> Vec<u8> {
    let mut is_name = false;
    let letters = allele.iter().map(|&letter| {
        match letter {
            b'<' => is_name = true,
            b'>' => is_name = false,
            b'[' | b']' => is_name = !is_name,
            _ => {}
        }
        if is_name {
            letter
        } else {
            letter.to_ascii_uppercase()
        }
    });
    letters.collect()
}
