//! Columns of tables as a page holds them.
//!
//! | kind | values |
//! |---|---|
//! | `u` | whole numbers of 1, 2 or 4 bytes |
//! | `d` | binary64, exact |
//! | `f` | the upper half of binary64, rounded to 13 bits of mantissa: four digits |
//! | `p` | four digits of a p-value, and its power of ten |
//! | `n` | −log₁₀ of a p-value, likewise |
//! | `b` | 0 no, 1 yes, 2 missing |
//! | `c` | places in a list of names |
//! | `t` | JSON: a list of texts |
//! | `r` | a rank, 0 where it is missing |
//! | `x` | nothing: it follows from other columns |

use rayon::prelude::*;
use serde_json::{Value, json};

use super::escape::short;
use super::pack::{pack, shuffle, whole};
use crate::report::table::{Column, Table, Values};

/// A piece of a page's data: the name under which a script finds it, and its text.
pub(super) struct Island {
    pub(super) id: String,
    pub(super) text: String,
}

/// Bytes of a column, to be an island or a part of one.
pub(super) struct Piece {
    pub(super) id: String,
    pub(super) bytes: Vec<u8>,
}

impl Piece {
    pub(super) fn new(id: impl Into<String>, bytes: Vec<u8>) -> Self {
        let id = id.into();
        Self { id, bytes }
    }

    pub(super) fn pack(&self) -> Island {
        Island {
            id: self.id.clone(),
            text: pack(&self.bytes),
        }
    }
}

/// The columns of `atoms` that follow from the counts, which a page computes anew.
const FOLLOWS: [&str; 16] = [
    "atom",
    "fires",
    "tp_off",
    "fp_off",
    "log_or",
    "log_or_lo",
    "log_or_hi",
    "risk_difference",
    "risk_difference_lo",
    "risk_difference_hi",
    "precision",
    "precision_lo",
    "precision_hi",
    "log_or_centred",
    "chi2",
    "least_expected",
];

/// A table in a page: the description for scripts, and the bytes of its columns.
pub(super) fn table(table: &Table) -> (Value, Vec<Piece>) {
    let is_atoms = table.name == "atoms";
    let columns = table
        .columns
        .par_iter()
        .enumerate()
        .map(|(number, column)| {
            let id = format!("{}-{number}", table.name);
            if is_atoms && FOLLOWS.contains(&&*column.name) {
                return (json!({"n": column.name, "a": column.about, "k": "x"}), None);
            }
            if let Some(twin) = twin(table, &column.name) {
                let described = json!({"n": column.name, "a": column.about, "k": "p", "i": twin});
                return (described, None);
            }
            let (described, bytes) = encode(column, &id);
            (described, Some(Piece::new(id, bytes)))
        });
    let columns: Vec<_> = columns.collect();
    let (described, pieces): (Vec<Value>, Vec<Option<Piece>>) = columns.into_iter().unzip();
    let about = json!({
        "name": table.name,
        "about": table.about,
        "rows": table.rows(),
        "columns": described,
    });
    (about, pieces.into_iter().flatten().collect())
}

/// The island of the column that has −log₁₀ of this p-value, where the table has one.
fn twin(table: &Table, name: &str) -> Option<String> {
    let stem = name.strip_suffix('p').filter(|_| is_p(name))?;
    let own = format!("{name}_neg_log10_p");
    let its = format!("{stem}neg_log10_p");
    let shared = (name == "fisher_p").then_some("neg_log10_p");
    let is_twin =
        |column: &Column| column.name == own || column.name == its || Some(&*column.name) == shared;
    let place = table.columns.iter().position(is_twin)?;
    Some(format!("{}-{place}", table.name))
}

/// Says whether a column has p-values.
fn is_p(name: &str) -> bool {
    let is_adjusted = ["fdr_bh", "fdr_by", "holm", "storey_q", "fdr"];
    let is_adjusted = is_adjusted
        .iter()
        .any(|end| name == *end || name.ends_with(&format!("_{end}")));
    let is_p = name == "p" || name.ends_with("_p") || name.ends_with("midp");
    (is_p || is_adjusted) && !is_neg_log10(name)
}

fn is_neg_log10(name: &str) -> bool {
    name.ends_with("neg_log10_p")
}

/// The upper halves of real numbers, shuffled.
fn halves(values: impl Iterator<Item = f64>) -> Vec<u8> {
    let halves = values.flat_map(|value| upper_half(value).to_le_bytes());
    shuffle(&halves.collect::<Vec<u8>>(), 4)
}

fn encode(column: &Column, id: &str) -> (Value, Vec<u8>) {
    let (name, about) = (&*column.name, column.about);
    let described =
        |kind: &str, width: usize| json!({"n": name, "a": about, "k": kind, "w": width, "i": id});
    match &column.values {
        Values::U32(values) => {
            let (width, bytes) = whole(values);
            (described("u", width), bytes)
        }
        Values::U64(values) => match small(values) {
            Some(values) => {
                let (width, bytes) = whole(&values);
                (described("u", width), bytes)
            }
            None => (
                described("d", 8),
                exact(values.iter().map(|&value| value as f64)),
            ),
        },
        Values::I64(values) => {
            let values = values
                .iter()
                .map(|value| value.map_or(f64::NAN, |value| value as f64));
            (described("d", 8), exact(values))
        }
        Values::F64(values) if is_neg_log10(name) => {
            let digits: Vec<u32> = values.iter().map(|&value| digits(value)).collect();
            let (width, bytes) = whole(&digits);
            (described("n", width), bytes)
        }
        Values::F64(values) if is_p(name) => {
            let logs = values.iter().map(|&p| -libm::log10(p));
            let (width, bytes) = whole(&logs.map(digits).collect::<Vec<u32>>());
            (described("p", width), bytes)
        }
        Values::F64(values) if name == "rank" => {
            // Missing ones are 0.
            let ranks: Vec<u32> = values.iter().map(|&rank| rank as u32).collect();
            let (width, bytes) = whole(&ranks);
            (described("r", width), bytes)
        }
        Values::F64(values) => (described("f", 4), halves(values.iter().copied())),
        Values::F32(values) => (
            described("f", 4),
            halves(values.iter().copied().map(f64::from)),
        ),
        Values::Bool(values) => {
            let bytes = values.iter().map(|value| value.map_or(2, u8::from));
            (described("b", 1), bytes.collect())
        }
        Values::Text(values) => {
            let texts: Vec<Option<String>> = values
                .iter()
                .map(|text| text.as_deref().map(short))
                .collect();
            (described("t", 1), json!(texts).to_string().into_bytes())
        }
        Values::Category { codes, names } => {
            let (width, bytes) = whole(codes);
            let mut described = described("c", width);
            if let Some(fields) = described.as_object_mut() {
                let names: Vec<String> = names.iter().map(|name| short(name)).collect();
                fields.insert("names".to_owned(), json!(names));
            }
            (described, bytes)
        }
    }
}

fn small(values: &[u64]) -> Option<Vec<u32>> {
    values
        .iter()
        .map(|&value| u32::try_from(value).ok())
        .collect()
}

fn exact(values: impl Iterator<Item = f64>) -> Vec<u8> {
    shuffle(&values.flat_map(f64::to_le_bytes).collect::<Vec<u8>>(), 8)
}

/// The four digits m of a p-value `m/1000·10⁻ᵉ`, and its power e, as one number that is larger the smaller
/// p is: `9000·e + 1000 − m`. The two largest numbers stand for a p of 0 and for a missing one.
pub(super) fn digits(neg_log10: f64) -> u32 {
    const MOST: f64 = ((u32::MAX - 2) / 9000) as f64;
    if neg_log10.is_nan() {
        return u32::MAX;
    }
    if neg_log10 == f64::INFINITY {
        return u32::MAX - 1;
    }
    let power = libm::ceil(neg_log10).clamp(0.0, MOST);
    let digits = libm::round(1000.0 * libm::pow(10.0, power - neg_log10));
    // Ten of one power is one of the power above it.
    let [power, digits] = match digits as u32 {
        10_000.. => [(power as u32).saturating_sub(1), 1000],
        digits => [power as u32, digits.max(1000)],
    };
    (9000 * power + 1000).saturating_sub(digits)
}

/// The upper half of a binary64 number, rounded to 13 bits of mantissa. Infinities stay, and NaN is NaN.
pub(super) fn upper_half(value: f64) -> u32 {
    const DROPPED: u32 = 32 + 7;
    if !value.is_finite() {
        return (value.to_bits() >> 32) as u32 & !0x7f;
    }
    let rounded = (value.to_bits() + (1 << (DROPPED - 1))) >> DROPPED;
    let half = (rounded << 7) as u32;
    // The largest numbers would round to infinity.
    let is_finite = f64::from_bits(u64::from(half) << 32).is_finite();
    if is_finite {
        half
    } else {
        (value.to_bits() >> 32) as u32 & !0x7f
    }
}

#[cfg(test)]
mod tests {
    use super::{digits, is_p, upper_half};

    #[test]
    fn upper_half_has_four_digits() {
        for value in [1.0, -0.123_456, 1e-300, 7.5e12, f64::MAX, -f64::MAX, 5e-324] {
            let back = f64::from_bits(u64::from(upper_half(value)) << 32);
            let error = ((back - value) / value).abs();
            assert!(
                error <= 2.0_f64.powi(-13) || value == 5e-324,
                "{value} {back}"
            );
            assert!(back.is_finite());
        }
        assert_eq!(upper_half(f64::INFINITY), 0x7ff0_0000);
        assert!(f64::from_bits(u64::from(upper_half(f64::NAN)) << 32).is_nan());
    }

    #[test]
    fn digits_are_the_four_of_p() {
        for (p, of_p) in [
            (1.0, [0, 1000]),
            (0.99996, [0, 1000]),
            (0.9999, [1, 9999]),
            (0.1, [1, 1000]),
            (0.049_996, [2, 5000]),
            (9.1543e-204, [204, 9154]),
        ] {
            let [power, digits]: [u32; 2] = of_p;
            assert_eq!(super::digits(-libm::log10(p)), 9000 * power + 1000 - digits);
        }
    }

    #[test]
    fn digits_keep_what_is_beyond_numbers() {
        assert_eq!(digits(-0.0), 0);
        assert_eq!(digits(1e300), 9000 * 477_218);
        assert_eq!(digits(f64::INFINITY), u32::MAX - 1);
        assert_eq!(digits(f64::NAN), u32::MAX);
    }

    #[test]
    fn is_p_tells_values_of_p_from_their_logarithms() {
        for name in [
            "fisher_p",
            "cmh_midp",
            "fdr_bh",
            "cmh_holm",
            "storey_q",
            "discovery_fdr",
        ] {
            assert!(is_p(name), "{name}");
        }
        for name in [
            "neg_log10_p",
            "cmh_neg_log10_p",
            "log_or",
            "strata",
            "maxt_z",
        ] {
            assert!(!is_p(name), "{name}");
        }
    }
}
