//! The field of a call that a column, or a key of `sv_info`, names.
//!
//! A name that equals a field's name, letter for letter, is that field's. So are the forms that VCF
//! tools, pandas and R give it: other cases (`SVTYPE`), the `#` and the numbers that
//! `bcftools query -H` puts before it (`#[1]CHROM`), `INFO/` before it, and the few other names of
//! [`ALIASES`]. If both are there, the field's own name wins.

use super::fields::{COUNT, NAMES};
use crate::cohort::ClassRule;

/// The field of the position.
const POS: usize = 1;

/// The field of the benchmark's class.
pub(super) const CLASS: usize = 4;

/// The field of the ID.
pub(super) const ID: usize = 6;

/// Other names of fields, in lower case.
const ALIASES: [(&str, usize); 6] = [
    ("chr", 0),
    ("chromosome", 0),
    ("position", 1),
    ("sv_type", 2),
    ("sv_len", 3),
    ("sv_id", ID),
];

/// The names in force under a rule of classes.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Naming<'a> {
    /// The name of the classes' column, if it is not the notebook's.
    class: Option<&'a str>,
    /// Another name of the positions' column.
    pos: Option<&'a str>,
}

/// The certainty with which a name is a field's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// The field's own name.
    Own,
    /// Another spelling of it.
    Alias,
}

/// The error of two columns for one field.
#[derive(Debug)]
pub(super) struct Twice;

impl<'a> Naming<'a> {
    /// Makes the names under a rule of classes.
    pub(super) fn of(rule: &'a ClassRule) -> Self {
        let class = rule.column();
        Self {
            class: (class != ClassRule::COLUMN).then_some(class),
            pos: None,
        }
    }

    /// The same names, with another one for the column of positions.
    pub(super) fn with_pos(self, name: &'a str) -> Self {
        Self {
            pos: Some(name),
            ..self
        }
    }

    /// Returns the field of a name, and how surely it is that field's.
    pub(super) fn field(self, name: &str) -> Option<(usize, Match)> {
        if self.class.is_some_and(|class| class == name) {
            return Some((CLASS, Match::Own));
        }
        if self.pos == Some(name) {
            return Some((POS, Match::Own));
        }
        let own = NAMES.iter().position(|known| *known == name);
        let found = match own {
            Some(field) => (field, Match::Own),
            None => (alias(name)?, Match::Alias),
        };
        let is_other_class = found.0 == CLASS && self.class.is_some();
        (!is_other_class).then_some(found)
    }

    /// Returns the field of each column of a table.
    ///
    /// # Errors
    /// Fails if two columns name one field equally surely.
    pub(super) fn columns<'n>(
        self,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Vec<Option<usize>>, Twice> {
        let found: Vec<_> = names.map(|name| self.field(name)).collect();
        let mut best = [None::<(usize, Match, bool)>; COUNT];
        for (at, found) in found.iter().enumerate() {
            let Some((field, how)) = *found else { continue };
            let Some(slot) = best.get_mut(field) else {
                continue;
            };
            match slot {
                Some((_, before, _)) if how > *before => {}
                Some((_, before, twice)) if how == *before => *twice = true,
                _ => *slot = Some((at, how, false)),
            }
        }
        if best.iter().flatten().any(|&(.., twice)| twice) {
            return Err(Twice);
        }
        let is_best = |at: usize, field: usize| {
            let best = best.get(field).copied().flatten();
            best.is_some_and(|(place, ..)| place == at)
        };
        let each = found.into_iter().enumerate().map(|(at, found)| {
            let (field, _) = found?;
            is_best(at, field).then_some(field)
        });
        Ok(each.collect())
    }
}

/// Returns the field of which a name is another spelling.
fn alias(name: &str) -> Option<usize> {
    let mut plain = name.trim().trim_start_matches('#').trim_start();
    if let Some((number, rest)) = plain
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        && !number.is_empty()
        && number.bytes().all(|byte| byte.is_ascii_digit())
    {
        plain = rest;
    }
    if let Some((before, name)) = plain.split_once('/')
        && before.eq_ignore_ascii_case("info")
    {
        plain = name;
    }
    let is = |known: &str| known.eq_ignore_ascii_case(plain);
    let of_field = NAMES.iter().position(|known| is(known));
    of_field.or_else(|| {
        let known = ALIASES.iter().find(|(known, _)| is(known));
        known.map(|&(_, field)| field)
    })
}

/// Says whether a line is a header: one of its words is a field's name.
pub(super) fn is_header(line: &[u8]) -> bool {
    let mut words = line.split(|byte| matches!(byte, b'\t' | b',' | b' ' | b'"' | b'\r' | b'\n'));
    words.any(|word| {
        let word = std::str::from_utf8(word).unwrap_or_default();
        Naming::default().field(word).is_some()
    })
}

/// Writes an SV type as the VCF specification does: `DEL` for `del`, `<DEL>` and `DEL `. A type
/// that is not counted under its own name stays unchanged.
pub(super) fn svtype(text: &str) -> &str {
    let plain = text.trim();
    let plain = plain
        .strip_prefix('<')
        .and_then(|inner| inner.strip_suffix('>'))
        .unwrap_or(plain);
    let known = crate::cohort::SV_TYPES.iter();
    let mut known = known.filter(|known| known.eq_ignore_ascii_case(plain));
    known.next().copied().unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{Match, Naming, svtype};
    use crate::cohort::ClassRule;

    #[test]
    fn field_accepts_other_tools_names() {
        let naming = Naming::default();
        for (name, field) in [
            ("chrom", 0),
            ("#CHROM", 0),
            ("# [1]CHROM", 0),
            ("#[1]CHROM", 0),
            ("chr", 0),
            ("Chromosome", 0),
            ("POS", 1),
            ("[2]POS", 1),
            ("SVTYPE", 2),
            ("INFO/SVTYPE", 2),
            ("[5]INFO/SVLEN", 3),
            ("Truvari_Class", 4),
            ("Dataset", 5),
            ("ID", 6),
        ] {
            assert_eq!(
                naming.field(name).map(|found| found.0),
                Some(field),
                "{name}"
            );
        }
        // A start that counts from 0, an end and a state are not other names of fields.
        for name in [
            "start", "end", "state", "class", "type", "len", "[a]pos", "", "#", "sample",
        ] {
            assert_eq!(naming.field(name), None, "{name}");
        }
        assert_eq!(naming.field("pos"), Some((1, Match::Own)));
        assert_eq!(naming.field("Pos"), Some((1, Match::Alias)));
    }

    #[test]
    fn field_takes_the_classes_column_by_exact_name() {
        let rule = ClassRule::new(Some("state"), &[]);
        let naming = Naming::of(&rule);
        assert_eq!(naming.field("state"), Some((4, Match::Own)));
        for name in ["State", "truvari_class", "TRUVARI_CLASS"] {
            assert_eq!(naming.field(name), None, "{name}");
        }
    }

    #[test]
    fn columns_prefer_own_names_and_refuse_equals() {
        let fields = |names: &[&str]| Naming::default().columns(names.iter().copied());
        let found = fields(&["SVTYPE", "x", "svtype", "POS"]).unwrap();
        assert_eq!(found, [None, None, Some(2), Some(1)]);
        assert!(fields(&["pos", "pos"]).is_err());
        assert!(fields(&["CHROM", "chr"]).is_err());
        let found = fields(&["CHROM", "chr", "chrom"]).unwrap();
        assert_eq!(found, [None, None, Some(0)]);
    }

    #[test]
    fn svtype_normalizes_known_types() {
        for (text, expected) in [
            ("DEL", "DEL"),
            ("del", "DEL"),
            ("<DEL>", "DEL"),
            ("DEL ", "DEL"),
            ("<ins:me:alu>", "INS:ME:ALU"),
            ("dup:tandem", "DUP:TANDEM"),
            ("unk", "UNK"),
            ("", ""),
            ("<X>", "<X>"),
            (" odd ", " odd "),
            ("None", "None"),
            ("<DEL", "<DEL"),
            ("N[chr2:321681[", "N[chr2:321681["),
        ] {
            assert_eq!(svtype(text), expected);
        }
    }
}
