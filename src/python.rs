//! Numbers and text as Python and pandas write them.

use std::borrow::Cow;

/// Makes text from a file safe to print. Control characters, which could forge lines or steer a
/// terminal, are escaped as Python's `repr` does. All else stays.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let escaped = text.chars().map(|c| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if c.is_control() => format!("\\x{:02x}", u32::from(c)),
        c => c.to_string(),
    });
    Cow::Owned(escaped.collect())
}

/// Writes a float as Python's `repr` does: the shortest digits that read back to the same number,
/// in scientific form below 1e-4 and from 1e16.
pub fn repr(x: f64) -> String {
    if x.is_nan() {
        return "nan".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{x}");
        return if plain.contains('.') {
            plain
        } else {
            plain + ".0"
        };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// Writes a float in scientific form with so many digits after the point, as Python's `e` format
/// does: the exponent has a sign and at least two digits.
pub fn exponent(x: f64, digits: usize) -> String {
    let scientific = format!("{x:.digits$e}");
    match scientific.split_once('e') {
        Some((mantissa, exponent)) => {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(exponent) => ('-', exponent),
                None => ('+', exponent),
            };
            format!("{mantissa}e{sign}{exponent:0>2}")
        }
        // Python writes NaN and infinity in lower case.
        None => repr(x),
    }
}
