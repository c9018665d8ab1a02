//! The files of a cohort: paths and patterns, expanded, paired with their metadata, and in order.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Choice, Error, Result};
use crate::natural;

/// One file of embeddings, or of activations, of a cohort, and which of its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardInput {
    /// The name of the shard in the cohort, which sorts its shards by it.
    pub name: String,
    /// The embeddings, or activations.
    pub embeddings: PathBuf,
    /// The calls, where a file beside the embeddings was named.
    pub metadata: Option<PathBuf>,
    /// The rows that are read; `None` for all.
    pub rows: Option<Range<u64>>,
}

impl ShardInput {
    /// Returns the name, in messages, of the file that has the calls.
    pub(super) fn calls_name(&self) -> String {
        let path = self.metadata.as_ref().unwrap_or(&self.embeddings);
        path.display().to_string()
    }

    /// Returns the range of the rows that are meant, of the `rows` that the file has.
    pub(super) fn range(&self, count: usize) -> Result<Range<u64>> {
        let all = 0..count as u64;
        match &self.rows {
            None => Ok(all),
            Some(some) if some.start < some.end && some.end <= all.end => Ok(some.clone()),
            Some(some) => Err(Error::choice(
                Choice::Rows,
                format!("{}..{}", some.start, some.end),
                format!("rows of {}, which has {}", self.name, all.end),
            )),
        }
    }
}

/// The shards of a cohort, by name in natural order. `embeddings` and `metadata` are paths or
/// patterns (`*`, `?`, `[…]`); where there is metadata, the first such file is of the first
/// embeddings file, and so on.
///
/// # Errors
/// A pattern that matches nothing; another number of metadata files than of embeddings; rows where
/// there are several files; the same path twice.
pub fn shards(
    embeddings: &[PathBuf],
    metadata: &[PathBuf],
    rows: Option<&Range<u64>>,
) -> Result<Vec<ShardInput>> {
    shards_of(Choice::Embeddings, embeddings, metadata, rows)
}

/// The same of files that were given as embeddings or as activations: `choice`.
///
/// # Errors
/// As [`shards`].
pub fn shards_of(
    choice: Choice,
    files: &[PathBuf],
    metadata: &[PathBuf],
    rows: Option<&Range<u64>>,
) -> Result<Vec<ShardInput>> {
    let files = expand(choice, files)?;
    let beside = expand(Choice::Metadata, metadata)?;
    if !beside.is_empty() && beside.len() != files.len() {
        return Err(Error::choice(
            Choice::Metadata,
            format!("{} of them", beside.len()),
            format!("{}, one for each file of {choice}", files.len()),
        ));
    }
    if rows.is_some() && files.len() != 1 {
        return Err(Error::choice(
            Choice::Rows,
            format!("rows of {} files", files.len()),
            format!("one file of {choice}, some of whose rows are meant"),
        ));
    }
    check_pairs(choice, &files, &beside)?;
    let mut beside = beside.into_iter();
    let shard = |embeddings: PathBuf| ShardInput {
        name: name_of(&embeddings),
        embeddings,
        metadata: beside.next(),
        rows: rows.cloned(),
    };
    let mut shards: Vec<_> = files.into_iter().map(shard).collect();
    shards.sort_by(|a, b| natural::compare(&a.name, &b.name));
    match shards
        .windows(2)
        .find(|two| two[0].embeddings == two[1].embeddings)
    {
        None => Ok(shards),
        Some(two) => Err(Error::choice(
            choice,
            format!("{} twice", two[0].name),
            "each file once",
        )),
    }
}

/// Refuses tables if some have the names of their embeddings, or activations, and others do not.
fn check_pairs(choice: Choice, embeddings: &[PathBuf], tables: &[PathBuf]) -> Result<()> {
    let stem = |path: &Path| -> String {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.split('.').next().unwrap_or_default().to_owned()
    };
    let pairs = || embeddings.iter().zip(tables);
    let (alike, unlike): (Vec<_>, Vec<_>) = pairs().partition(|(a, b)| stem(a) == stem(b));
    match (alike.first(), unlike.first()) {
        (Some((a, b)), Some((c, d))) => Err(Error::choice(
            Choice::Metadata,
            format!(
                "{} for {}, beside {} for {}",
                d.display(),
                c.display(),
                b.display(),
                a.display()
            ),
            format!("tables in the order of the {choice}, all or none by the {choice}' names"),
        )),
        _ => Ok(()),
    }
}

/// A path without what changes nothing (`./`, `//`): spelled otherwise, a shard has the same name.
fn name_of(path: &Path) -> String {
    let plain: PathBuf = path.components().collect();
    let plain = plain.strip_prefix(".").unwrap_or(&plain);
    plain.display().to_string()
}

/// Paths as they are, and patterns by the files that they match, these in the order in which people
/// count; `choice` is what they were given as.
///
/// # Errors
/// A pattern that is none, or matches no file; a folder that cannot be read.
pub fn expand(choice: Choice, patterns: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let each = patterns.iter().map(|pattern| expand_one(choice, pattern));
    Ok(each.collect::<Result<Vec<_>>>()?.concat())
}

fn expand_one(choice: Choice, pattern: &Path) -> Result<Vec<PathBuf>> {
    let text = pattern
        .to_str()
        .filter(|text| text.contains(['*', '?', '[']));
    // A file of that very name is meant, whatever its name looks like.
    let Some(text) = text.filter(|_| !pattern.exists()) else {
        return Ok(vec![pattern.to_owned()]);
    };
    let bad = |expected: String| Error::choice(choice, text, expected);
    // As shells do: what is hidden is not meant.
    let options = glob::MatchOptions {
        require_literal_leading_dot: true,
        ..glob::MatchOptions::default()
    };
    let found =
        glob::glob_with(text, options).map_err(|error| bad(format!("a pattern ({error})")))?;
    let mut files = Vec::new();
    for path in found {
        let path = path.map_err(|e| {
            let folder = e.path().to_owned();
            Error::reading(&folder, e.into())
        })?;
        if !path.is_dir() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(bad("a pattern that matches at least one file".to_owned()));
    }
    files.sort_by(|a, b| natural::compare(&a.to_string_lossy(), &b.to_string_lossy()));
    Ok(files)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use super::shards;

    #[test]
    fn patterns_and_paths_are_shards_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in [
            "s10.npy",
            "s9.npy",
            "s1.npy",
            "m1.csv",
            "m9.csv",
            "m10.csv",
            "odd[1].pt",
        ] {
            fs::write(at(name), "").unwrap();
        }
        fs::write(at(".s2.npy"), "").unwrap();
        fs::create_dir(at("s0.npy")).unwrap();
        let found = shards(&[at("s*.npy")], &[at("m*.csv")], None).unwrap();
        let pairs: Vec<_> = found
            .into_iter()
            .map(|s| (s.embeddings, s.metadata))
            .collect();
        let pair = |i: &str| (at(&format!("s{i}.npy")), Some(at(&format!("m{i}.csv"))));
        assert_eq!(pairs, [pair("1"), pair("9"), pair("10")]);

        assert_eq!(super::name_of("./a//b/./c".as_ref()), "a/b/c");
        let found = shards(&[at("s9.npy"), at("odd[1].pt"), at("s1.npy")], &[], None).unwrap();
        let names: Vec<_> = found.iter().map(|s| s.embeddings.clone()).collect();
        assert_eq!(names, [at("odd[1].pt"), at("s1.npy"), at("s9.npy")]);
        assert_eq!(
            shards(&[at("s9.npy")], &[], Some(&(2..5))).unwrap()[0].rows,
            Some(2..5)
        );
    }

    #[test]
    fn what_fits_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a.pt"), "").unwrap();
        fs::write(at("b.pt"), "").unwrap();
        let message = |embeddings: &[PathBuf], metadata: &[PathBuf], rows| {
            shards(embeddings, metadata, rows).unwrap_err().to_string()
        };
        let nothing = message(&[at("x*.pt")], &[], None);
        assert!(
            nothing.contains("x*.pt") && nothing.starts_with("embeddings: "),
            "{nothing}"
        );
        assert!(message(&[at("*.pt")], &[at("a.csv")], None).contains("1 of them"));
        let pairs = message(&[at("a.pt"), at("b.pt")], &[at("a.csv"), at("c.csv")], None);
        assert!(pairs.contains("c.csv for"), "{pairs}");
        assert!(shards(&[at("a.pt")], &[at("other.csv")], None).is_ok());
        assert!(message(&[at("*.pt")], &[], Some(&(0..1))).starts_with("rows: "));
        assert!(message(&[at("*.pt"), at("a.pt")], &[], None).contains("twice"));
        assert!(message(&[at("a**b")], &[], None).contains("a pattern"));
    }
}
