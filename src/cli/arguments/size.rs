//! Sizes in bytes, as people write them.

/// The memory that firing sets and calls may take by default.
pub(in crate::cli) const MEMORY: &str = "512MiB";

/// Bytes as people write them: a number with or without a unit, of 1000 (MB) or 1024 (MiB).
pub(in crate::cli) fn parse_bytes(text: &str) -> std::result::Result<u64, String> {
    let expected = || "expected a size as in 8GiB, 500MB, or a number of bytes".to_owned();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| expected())?;
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1000,
        "mb" => 1000 * 1000,
        "gb" => 1000 * 1000 * 1000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        _ => return Err(expected()),
    };
    let bytes = number.checked_mul(factor).filter(|&bytes| bytes > 0);
    bytes.ok_or_else(expected)
}
