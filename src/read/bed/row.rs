//! A row of BED: contig, start, end, and perhaps a name.

/// A row.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    pub(super) contig: &'a str,
    pub(super) start: u64,
    pub(super) end: u64,
    /// Column 4.
    pub(super) name: Option<&'a str>,
    /// True if blanks divide the columns.
    pub(super) by_blanks: bool,
}

/// The kind of a line.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    Row(Row<'a>),
    /// A comment, a blank line, a header.
    PassedOver,
}

/// An error of a line, in words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) found: String,
    pub(super) expected: &'static str,
    pub(super) action: &'static str,
}

const ROW: &str = "a contig, a start from 0 and an end, divided by tabs";
const DAMAGED: &str = "check how the file was made";

/// The beginnings of files of other kinds, with what to do with them.
const OTHERS: [(&str, &str, &str); 5] = [
    (
        "##fileformat=VCF",
        "a VCF",
        "make a BED of it: bcftools query -f '%CHROM\\t%POS0\\t%END\\n'",
    ),
    (
        "##gff-version",
        "GFF, whose positions are from 1",
        "make a BED of it: its columns 1, 4 less 1, and 5",
    ),
    (
        "@HD",
        "an interval list, whose positions are from 1",
        "make a BED of it: gatk IntervalListToBed",
    ),
    (
        "@SQ",
        "an interval list, whose positions are from 1",
        "make a BED of it: gatk IntervalListToBed",
    ),
    (
        "   SW",
        "RepeatMasker's table, whose positions are from 1",
        "make a BED of it: its columns 5, 6 less 1, and 7",
    ),
];

/// Parses a line; `is_first` until a row was seen.
pub(super) fn parse(line: &[u8], is_first: bool) -> Result<Kind<'_>, Wrong> {
    let Ok(text) = std::str::from_utf8(line) else {
        return Err(Wrong {
            found: "bytes that are no text".to_owned(),
            expected: ROW,
            action: DAMAGED,
        });
    };
    if is_first
        && let Some((_, kind, action)) = OTHERS.iter().find(|(mark, ..)| text.starts_with(mark))
    {
        return Err(Wrong {
            found: (*kind).to_owned(),
            expected: "BED",
            action,
        });
    }
    let first_word = text.split_ascii_whitespace().next().unwrap_or_default();
    if first_word.is_empty()
        || first_word.starts_with('#')
        || matches!(first_word, "track" | "browser")
    {
        return Ok(Kind::PassedOver);
    }
    let by_blanks = !text.contains('\t');
    let columns: Vec<&str> = if by_blanks {
        text.split_ascii_whitespace().take(5).collect()
    } else {
        text.split('\t').take(5).collect()
    };
    let number = |at: usize| {
        columns
            .get(at)
            .and_then(|text| text.trim().parse::<u64>().ok())
    };
    let (Some(contig), Some(start), Some(end)) = (columns.first(), number(1), number(2)) else {
        if is_first && is_header(&columns) {
            return Ok(Kind::PassedOver);
        }
        return Err(no_row(text, &columns));
    };
    if start > end {
        return Err(Wrong {
            found: format!("a start of {start} and an end of {end}"),
            expected: "an end that is not before the start",
            action: "exchange the two in rows of the other strand",
        });
    }
    Ok(Kind::Row(Row {
        contig,
        start,
        end,
        name: columns.get(3).copied().filter(|name| !name.is_empty()),
        by_blanks,
    }))
}

/// Says whether the first line names the columns.
fn is_header(columns: &[&str]) -> bool {
    let names = [
        "chrom",
        "chr",
        "contig",
        "seqnames",
        "seqname",
        "chromosome",
    ];
    columns.first().is_some_and(|first| {
        names.iter().any(|name| first.eq_ignore_ascii_case(name)) && columns.len() > 2
    })
}

/// Makes the error of a row whose positions are not where BED has them.
fn no_row(text: &str, columns: &[&str]) -> Wrong {
    let number = |at: usize| {
        columns
            .get(at)
            .is_some_and(|text| text.trim().parse::<u64>().is_ok())
    };
    if number(0) && !number(1) && number(2) && number(3) {
        return Wrong {
            found: "a number, then a contig and two positions: a table of UCSC with its column bin"
                .to_owned(),
            expected: ROW,
            action: "leave the column out: cut -f 2-",
        };
    }
    let shown: String = text.chars().take(60).collect();
    let (found, action) = match columns {
        [only] => (
            format!("one column, {only:?}"),
            "write the whole contig as a row, from 0 to its length",
        ),
        _ => (format!("{shown:?}"), DAMAGED),
    };
    Wrong {
        found,
        expected: ROW,
        action,
    }
}

/// Makes the error of a row without the name that its set is to have.
pub(super) fn no_name(line: &[u8]) -> Wrong {
    let text = String::from_utf8_lossy(line);
    Wrong {
        found: format!("{:?}", text.chars().take(60).collect::<String>()),
        expected: "a name in column 4, by which regions are put together",
        action: "name every row, or take all rows of the file as one set",
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};

    #[test]
    fn rows_of_many_writers_are_read() {
        for (line, expected) in [
            ("chr1\t5\t9", Some(("chr1", 5, 9, None, false))),
            (
                "chr1\t5\t9\tname\t7\t+",
                Some(("chr1", 5, 9, Some("name"), false)),
            ),
            (
                "HLA-DRB1*15:03:01:02\t0\t9\t",
                Some(("HLA-DRB1*15:03:01:02", 0, 9, None, false)),
            ),
            ("1 5  9 a", Some(("1", 5, 9, Some("a"), true))),
            ("chr1\t5\t5", Some(("chr1", 5, 5, None, false))),
            ("track name=x", None),
            ("browser position chr1:1-2", None),
            ("#chrom\tstart", None),
            ("", None),
            ("chrom\tstart\tend", None),
        ] {
            let found = match parse(line.as_bytes(), true) {
                Ok(Kind::Row(row)) => {
                    Some((row.contig, row.start, row.end, row.name, row.by_blanks))
                }
                Ok(Kind::PassedOver) => None,
                Err(wrong) => panic!("{line}: {wrong:?}"),
            };
            assert_eq!(found, expected, "{line}");
        }
    }

    #[test]
    fn rows_that_are_none_are_told_apart() {
        for (line, words) in [
            ("chr1\t9\t5", "an end of 5"),
            ("585\tchr1\t5\t9", "column bin"),
            ("chrUn_1", "one column"),
            ("chr1\t1.5\t9", "1.5"),
            ("chr1\t-1\t9", "-1"),
            ("chrom\tstart\tend", "chrom"),
            ("##fileformat=VCFv4.2", "a VCF"),
            ("@HD\tVN:1.6", "an interval list"),
            ("   SW   perc perc", "RepeatMasker"),
            ("##gff-version 3", "GFF"),
        ] {
            let is_first = line != "chrom\tstart\tend";
            let wrong = parse(line.as_bytes(), is_first).expect_err(line);
            assert!(wrong.found.contains(words), "{line}: {wrong:?}");
        }
        assert!(parse(b"chr1\t5\t\xff", true).is_err());
    }
}
