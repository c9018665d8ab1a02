//! The names of all files that commands write.
//!
//! | command | names |
//! |---|---|
//! | `analyze`, `report`, `demo` (in its folder [`RESULTS`]) | [`OUTPUTS`](crate::analysis::outputs::OUTPUTS) |
//! | `simulate`, `demo` | [`SIMULATION`], [pieces](is_embeddings), [`BENCHMARK`], [`PLACING`] |
//! | `tally` | the requested name; the same with [`FIRES`]; the same with [`CHECKPOINTS`], a folder |
//! | `merge` | the requested name |

/// The record of an analysis: what ran, on what, and which files it wrote.
pub const RECORD: &str = "run.json";

/// The list of files that a run is putting in place; it exists only while the run does so.
pub const PLACING: &str = ".atomscope.placing";

/// The file by which a run keeps others from a folder of outputs; it exists only while the run is at work.
pub const LOCK: &str = ".atomscope.lock";

/// The folder in an analysis' output folder that keeps its finished parts.
pub const ANALYSIS_CHECKPOINTS: &str = ".atomscope-checkpoints";

/// The folder in `demo`'s output folder that holds its analysis.
pub const RESULTS: &str = "results";

/// The file of a simulated cohort's embeddings and calls, if they are in one file.
pub const EMBEDDINGS: &str = "embeddings.pt";
/// The file of a simulated cohort's SAE.
pub const MODEL: &str = "sae.pt";
/// The files of a simulated SAE whose activation [`MODEL`] cannot say: its config and its weights.
pub const CONFIG: &str = "cfg.json";
/// The weights beside [`CONFIG`].
pub const WEIGHTS: &str = "sae_weights.safetensors";
/// The file that says what is planted in a simulated cohort, and which files hold it.
pub const TRUTH: &str = "truth.json";

/// The files of a cohort that is simulated in one piece, by any activation.
pub const SIMULATION: [&str; 5] = [EMBEDDINGS, MODEL, CONFIG, WEIGHTS, TRUTH];

/// The caller's VCF of a simulated cohort.
pub const CALLS: &str = "calls.vcf.gz";
/// The regions of a simulated cohort.
pub const REGIONS: &str = "regions.bed";

/// The files of a simulated benchmark: the caller's VCF, the regions, and a folder as Truvari writes it.
pub const BENCHMARK: [&str; 13] = [
    CALLS,
    "calls.vcf.gz.tbi",
    REGIONS,
    "truvari/tp-comp.vcf.gz",
    "truvari/tp-comp.vcf.gz.tbi",
    "truvari/tp-base.vcf.gz",
    "truvari/tp-base.vcf.gz.tbi",
    "truvari/fp.vcf.gz",
    "truvari/fp.vcf.gz.tbi",
    "truvari/fn.vcf.gz",
    "truvari/fn.vcf.gz.tbi",
    "truvari/params.json",
    "truvari/summary.json",
];

/// The ending that a tally's name gets for its firing sets.
pub const FIRES: &str = ".fires";
/// The ending that a tally's name gets for its folder of finished parts.
pub const CHECKPOINTS: &str = ".checkpoints";

/// The text before and after a piece's number in its name.
const PIECE: (&str, &str) = ("embeddings-", ".pt");

/// Returns the names of the files of a simulated cohort in so many pieces, in the order of their
/// rows: [`EMBEDDINGS`] for one piece; for more, numbers from 1 at equal width, so that names sort
/// as rows do.
///
/// ```
/// use atomscope::outputs::piece_names;
///
/// assert_eq!(piece_names(1), ["embeddings.pt"]);
/// assert_eq!(piece_names(10)[..2], ["embeddings-01.pt", "embeddings-02.pt"]);
/// ```
pub fn piece_names(pieces: usize) -> Vec<String> {
    if pieces == 1 {
        return vec![EMBEDDINGS.to_owned()];
    }
    let width = pieces.to_string().len();
    let (before, after) = PIECE;
    (1..=pieces)
        .map(|number| format!("{before}{number:0width$}{after}"))
        .collect()
}

/// Says whether a simulated cohort, in any number of pieces, has a file of this name.
pub fn is_embeddings(name: &str) -> bool {
    let (before, after) = PIECE;
    let number = name
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    name == EMBEDDINGS
        || number.is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
}

#[cfg(test)]
mod tests {
    use super::{is_embeddings, piece_names};

    #[test]
    fn piece_names_sort_as_their_rows_and_are_recognized() {
        for pieces in [1, 2, 9, 10, 99, 100, 1000] {
            let names = piece_names(pieces);
            assert!(names.len() == pieces && names.is_sorted());
            assert!(names.iter().all(|name| is_embeddings(name)));
        }
        for other in [
            "embeddings-.pt",
            "embeddings-1a.pt",
            "embeddings-1.pt2",
            "embeddings1.pt",
        ] {
            assert!(!is_embeddings(other), "{other}");
        }
    }
}
