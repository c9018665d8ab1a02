//! Alleles as they are compared: in upper case, and long ones by their digest.

use crate::digest::Digest;

/// The most letters of an allele that are kept as they are.
pub const SHORT_ALLELE: usize = 64;

/// Returns an allele in upper case, and of one of more than [`SHORT_ALLELE`] letters `sha256:` and the
/// digest of its letters in upper case. What is such a digest already stays as it is.
///
/// ```
/// use atomscope::cohort::allele_key;
///
/// assert_eq!(allele_key(b"acgt"), "ACGT");
/// let long = allele_key(&[b'a'; 100]);
/// assert!(long.starts_with("sha256:"));
/// assert_eq!(allele_key(long.as_bytes()), long);
/// ```
pub fn allele_key(allele: &[u8]) -> String {
    const DIGEST: &[u8] = b"sha256:";
    if allele.len() == DIGEST.len() + 64 && allele.starts_with(DIGEST) {
        return String::from_utf8_lossy(allele).into_owned();
    }
    let upper = allele.to_ascii_uppercase();
    if upper.len() <= SHORT_ALLELE {
        return String::from_utf8_lossy(&upper).into_owned();
    }
    format!("sha256:{}", Digest::of(&upper))
}
