//! Which column, or key of `sv_info`, is which field of a call.
//!
//! A name is a field's where it is the field's own, letter for letter. Else what VCF tools, pandas
//! and R make of that name is: other cases (`SVTYPE`), the `#` and the numbers that `bcftools query
//! -H` puts before it (`#[1]CHROM`), `INFO/` before it, and the few other names of [`ALIASES`].
//! Where both are there, the field's own name wins.

use super::fields::{COUNT, NAMES};
use crate::cohort::ClassRule;

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

/// How names are taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Naming<'a> {
    /// The class's column where it is not the notebook's.
    class: Option<&'a str>,
}

/// How surely a name is a field's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Match {
    /// The field's own name.
    Own,
    /// Another spelling of it.
    Alias,
}

/// Two columns for one field.
#[derive(Debug)]
pub(super) struct Twice;

impl<'a> Naming<'a> {
    /// The names under a rule of classes.
    pub(super) fn of(rule: &'a ClassRule) -> Self {
        let class = rule.column();
        Self {
            class: (class != ClassRule::COLUMN).then_some(class),
        }
    }

    /// The field that a name is of, and how surely.
    pub(super) fn field(self, name: &str) -> Option<(usize, Match)> {
        if self.class.is_some_and(|class| class == name) {
            return Some((CLASS, Match::Own));
        }
        let own = NAMES.iter().position(|known| *known == name);
        let found = match own {
            Some(field) => (field, Match::Own),
            None => (alias(name)?, Match::Alias),
        };
        let is_other_class = found.0 == CLASS && self.class.is_some();
        (!is_other_class).then_some(found)
    }

    /// The field of each column of a table.
    ///
    /// # Errors
    /// Two columns that are one field by equal right.
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

/// The field of which a name is another spelling.
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

/// Whether a line has the name of a field among its words: then it is a header.
pub(super) fn is_header(line: &[u8]) -> bool {
    let mut words = line.split(|byte| matches!(byte, b'\t' | b',' | b' ' | b'"' | b'\r' | b'\n'));
    words.any(|word| {
        let word = std::str::from_utf8(word).unwrap_or_default();
        Naming::default().field(word).is_some()
    })
}

/// An SV type as the VCF specification writes it: `DEL` for `del`, `<DEL>` and `DEL `. What is none
/// of the types that are counted under their own name stays as it is.
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
    fn names_of_other_tools_are_the_fields_that_they_mean() {
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
        // A start that counts from 0, an end, a state: none of them is a field in other words.
        for name in [
            "start", "end", "state", "class", "type", "len", "[a]pos", "", "#", "sample",
        ] {
            assert_eq!(naming.field(name), None, "{name}");
        }
        assert_eq!(naming.field("pos"), Some((1, Match::Own)));
        assert_eq!(naming.field("Pos"), Some((1, Match::Alias)));
    }

    #[test]
    fn column_of_classes_is_taken_by_its_exact_name() {
        let rule = ClassRule::new(Some("state"), &[]);
        let naming = Naming::of(&rule);
        assert_eq!(naming.field("state"), Some((4, Match::Own)));
        for name in ["State", "truvari_class", "TRUVARI_CLASS"] {
            assert_eq!(naming.field(name), None, "{name}");
        }
    }

    #[test]
    fn own_name_wins_over_another_spelling_and_equals_are_refused() {
        let fields = |names: &[&str]| Naming::default().columns(names.iter().copied());
        let found = fields(&["SVTYPE", "x", "svtype", "POS"]).unwrap();
        assert_eq!(found, [None, None, Some(2), Some(1)]);
        assert!(fields(&["pos", "pos"]).is_err());
        assert!(fields(&["CHROM", "chr"]).is_err());
        let found = fields(&["CHROM", "chr", "chrom"]).unwrap();
        assert_eq!(found, [None, None, Some(0)]);
    }

    #[test]
    fn types_are_what_they_look_like() {
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
