//! The INFO keys that are added: their header lines, and their values.

use std::io::Write;

/// A key: its name, number, type and meaning.
pub(super) struct Key {
    pub(super) name: &'static str,
    number: &'static str,
    kind: &'static str,
    about: &'static str,
}

/// All keys, in the order in which they are written.
pub(super) const KEYS: [Key; 5] = [
    Key {
        name: "AS_LABEL",
        number: "1",
        kind: "String",
        about: "Label of the call in the analysis: TP or FP",
    },
    Key {
        name: "AS_REASON",
        number: "1",
        kind: "String",
        about: "Why the benchmark counts the call as false",
    },
    Key {
        name: "AS_ATOMS",
        number: ".",
        kind: "Integer",
        about: "Atoms that fire on the call and lean to true or to false calls within strata, the strongest first, \
                at most 10",
    },
    Key {
        name: "AS_LOR",
        number: ".",
        kind: "Float",
        about: "Log odds ratio within strata of each atom of AS_ATOMS: above 0 it leans to true calls, below 0 to \
                false ones",
    },
    Key {
        name: "AS_PFALSE",
        number: "1",
        kind: "Float",
        about: "Chance that the call is false by the baseline and firing atoms, from a model that has not \
                seen the call",
    },
];

/// The place of `AS_ATOMS` among the keys.
const ATOMS: usize = 2;

/// The keys that any call has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Keys {
    is_used: [bool; KEYS.len()],
    /// The procedure that claims the atoms.
    claim: Option<String>,
}

impl Keys {
    /// Returns the name of the key with which a field of INFO begins, if it is one of these.
    pub(super) fn named(key: &[u8]) -> Option<&'static str> {
        // Nearly no key of others begins so.
        let name = || KEYS.iter().map(|known| known.name);
        key.starts_with(b"AS_")
            .then(name)?
            .find(|name| name.as_bytes() == key)
    }

    /// Notes which keys a call has.
    pub(super) fn note(&mut self, texts: [Option<&str>; 4], has_chance: bool) {
        let has = |text: Option<&str>| text.is_some_and(|text| !text.is_empty());
        let have = texts.into_iter().map(has).chain([has_chance]);
        for (is_used, has) in self.is_used.iter_mut().zip(have) {
            *is_used |= has;
        }
    }

    /// Appends keys with the values that a call has: label, reason, atoms, their log odds ratios, and the
    /// chance that it is false.
    pub(super) fn add(keys: &mut Vec<u8>, texts: [Option<&str>; 4], chance: Option<f64>) {
        let chance = chance.map(significant);
        let lists = [false, false, true, true, false];
        let values = texts.into_iter().chain([chance.as_deref()]);
        let mut is_first = true;
        for ((key, value), is_list) in KEYS.iter().zip(values).zip(lists) {
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            if !std::mem::take(&mut is_first) {
                keys.push(b';');
            }
            keys.extend_from_slice(key.name.as_bytes());
            keys.push(b'=');
            escaped(value, is_list, keys);
        }
    }

    /// Notes by which procedure atoms are claimed.
    pub(super) fn note_claim(&mut self, claim: Option<&str>) {
        if self.claim.is_none() {
            self.claim = claim.map(str::to_owned);
        }
    }

    /// Returns the header's lines, each ended by `end`.
    pub(super) fn header_lines(&self, end: &str) -> String {
        let mut lines = String::new();
        for (place, (key, _)) in KEYS
            .iter()
            .zip(self.is_used)
            .enumerate()
            .filter(|(_, (_, is))| *is)
        {
            let claim = self.claim.as_deref().filter(|_| place == ATOMS);
            let claim = claim.map(|claim| format!(" ({})", claim_in_words(claim)));
            let Key {
                name,
                number,
                kind,
                about,
            } = key;
            let claim = claim.unwrap_or_default();
            let meaning = [about, &*claim].concat();
            lines.extend(["##INFO=<ID=", name, ",Number=", number, ",Type=", kind]);
            lines.extend([",Description=\"", &meaning, "\">", end]);
        }
        lines
    }
}

fn claim_in_words(claim: &str) -> &str {
    match claim {
        "max_t" => "step-down max-T: no false one among them with 95 % confidence",
        "holm" => "Holm: no false one among them with 95 % confidence",
        "benjamini_yekutieli" => "Benjamini-Yekutieli: at most 5 % of them false",
        "benjamini_hochberg" => "Benjamini-Hochberg: at most 5 % of them false",
        "replicated" => "discovered in one part of the cohort and confirmed in the other",
        _ => "claimed by an unknown procedure",
    }
}

/// Writes a number with four digits after the point, or four that count.
fn significant(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-3 {
        format!("{number:.3e}")
    } else {
        format!("{number:.4}")
    }
}

/// Appends a value as VCF 4.3 wants it: what divides values is written by its code.
fn escaped(value: &str, is_list: bool, out: &mut Vec<u8>) {
    for byte in value.bytes() {
        match byte {
            b',' if is_list => out.push(byte),
            b'%' | b',' | b';' | b'=' | b' ' | 0..=31 | 127 => {
                // A vector takes all that is written.
                let _ = write!(out, "%{byte:02X}");
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Keys, significant};

    #[test]
    fn keys_are_divided_and_escaped() {
        let mut keys = Keys::default();
        let mut text = Vec::new();
        let texts = [
            Some("FP"),
            Some("a;b=c, 5%"),
            Some("12,7"),
            Some("-1.5000,inf"),
        ];
        Keys::add(&mut text, texts, Some(0.25));
        keys.note(texts, true);
        let expected = "AS_LABEL=FP;AS_REASON=a%3Bb%3Dc%2C%205%25;AS_ATOMS=12,7;AS_LOR=-1.5000,inf;\
                        AS_PFALSE=0.2500";
        assert_eq!(String::from_utf8(text), Ok(expected.to_owned()));
        assert_eq!(keys.header_lines("\r\n").matches("\r\n").count(), 5);
    }

    #[test]
    fn keys_that_no_call_has_have_no_header_line() {
        let mut keys = Keys::default();
        let mut text = Vec::new();
        let texts = [None, Some(""), Some("3"), Some("0.5")];
        Keys::add(&mut text, texts, None);
        keys.note(texts, false);
        assert_eq!(text, b"AS_ATOMS=3;AS_LOR=0.5");
        keys.note_claim(Some("holm"));
        let lines = keys.header_lines("\n");
        assert_eq!(lines.lines().count(), 2);
        assert!(
            lines.starts_with("##INFO=<ID=AS_ATOMS,Number=.,Type=Integer,Description=\"")
                && lines.contains("(Holm: ")
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        for (number, text) in [(0.5, "0.5000"), (0.0, "0.0000"), (0.000_012_34, "1.234e-5")] {
            assert_eq!(significant(number), text);
        }
    }

    #[test]
    fn named_knows_its_own_keys_alone() {
        assert_eq!(Keys::named(b"AS_LOR"), Some("AS_LOR"));
        assert_eq!(Keys::named(b"AS_FS"), None);
        assert_eq!(Keys::named(b"END"), None);
    }
}
