//! The program's flags in texts, as the arguments that a caller in Python gives.

/// What stands after a flag.
enum Value {
    /// Nothing: the flag is a decision.
    None,
    Number,
    Words(&'static [&'static str]),
}

/// Flags that texts name, with their arguments. Nothing else that begins with dashes is touched: it may be a
/// name of a file or a dataset.
const FLAGS: &[(&str, &str, Value)] = &[
    ("annotate", "annotate", Value::None),
    (
        "block",
        "block",
        Value::Words(&["locus", "sample", "dataset"]),
    ),
    ("bootstrap", "bootstrap", Value::Number),
    ("compare", "compare_scores=True", Value::Words(&["scores"])),
    ("device", "device", Value::Words(&["auto", "cpu", "cuda"])),
    ("min-coactivation", "min_coactivation", Value::Number),
    ("max-pairs", "max_pairs", Value::Number),
    ("min-support", "min_support", Value::Number),
    (
        "pairs",
        "pairs",
        Value::Words(&["significant", "all", "none"]),
    ),
    ("permutations", "permutations", Value::Number),
    ("predict", "predict", Value::Words(&["chrom", "locus"])),
    (
        "replicate",
        "replicate",
        Value::Words(&["chrom", "dataset"]),
    ),
    ("save-fires", "save_fires=True", Value::None),
    ("strata", "strata", Value::None),
    ("tables", "tables", Value::Words(&["all", "notebook"])),
];

/// Phrases with a flag that are others here, with what is put before and after the value.
const PHRASES: &[(&str, &str, &str)] = &[
    ("investigate --atom ", "investigate(", ")"),
    ("tally --fires", "save(fires=True", ")"),
    (
        "allow more with --gpu-memory, free some",
        "free some of the device's",
        "",
    ),
];

/// The same text with arguments in place of flags.
pub(crate) fn spoken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let phrase = PHRASES.iter().find_map(|&(said, before, after)| {
            let begin = at.checked_sub(said.find("--")?)?;
            let value = rest.get(begin..)?.strip_prefix(said)?;
            Some((begin, value, before, after))
        });
        if let Some((begin, value, before, after)) = phrase {
            let end = end_of(value, |c| c.is_ascii_digit());
            out.extend([&rest[..begin], before, &value[..end], after]);
            rest = &value[end..];
            // Several atoms: a call each.
            while let Some(more) = rest.strip_prefix(',').filter(|more| starts_number(more)) {
                let end = end_of(more, |c| c.is_ascii_digit());
                out.extend([", ", before, &more[..end], after]);
                rest = &more[end..];
            }
            continue;
        }
        let (before, flag) = rest.split_at(at);
        out.push_str(before);
        let name = &flag[2..];
        let name = &name[..end_of(name, |c| c.is_ascii_lowercase() || c == '-')];
        let known = FLAGS.iter().find(|(flag, ..)| *flag == name);
        let begins = !before.ends_with(|c: char| !c.is_whitespace() && c != '(');
        rest = match known {
            Some((_, argument, value)) if begins => {
                with_value(argument, value, &flag[2 + name.len()..], &mut out)
            }
            _ => {
                let dashes = end_of(flag, |c| c == '-');
                out.push_str(&flag[..dashes]);
                &flag[dashes..]
            }
        };
    }
    out.push_str(rest);
    out
}

/// Writes the argument of a flag, and returns what follows the flag and its value.
fn with_value<'a>(argument: &str, value: &Value, after: &'a str, out: &mut String) -> &'a str {
    out.push_str(argument);
    let next = after.strip_prefix(' ').unwrap_or_default();
    let word = &next[..end_of(next, |c| c.is_ascii_alphanumeric())];
    let is_value = match value {
        Value::None => false,
        Value::Number => starts_number(word),
        Value::Words(words) => words.contains(&word),
    };
    if !is_value {
        return after;
    }
    if !argument.contains('=') {
        let quote = if starts_number(word) { "" } else { "\"" };
        out.extend(["=", quote, word, quote]);
    }
    &next[word.len()..]
}

fn starts_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// The end of what a text begins with.
fn end_of(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}
