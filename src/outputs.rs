//! The names of all files that commands write.
//!
//! | command | names |
//! |---|---|
//! | `analyze`, `report`, `demo` (in its folder [`RESULTS`]) | [`OUTPUTS`](crate::analysis::outputs::OUTPUTS) |
//! | `simulate`, `demo` | [`SIMULATION`], [pieces](is_embeddings), [`PLACING`] |
//! | `tally` | the one that is asked for; with [`FIRES`] after it; with [`CHECKPOINTS`] after it a folder |
//! | `merge` | the one that is asked for |

/// The record of an analysis: what ran, on what, and which files it wrote.
pub const RECORD: &str = "run.json";

/// What a run is about to put in place, as long as it does so.
pub const PLACING: &str = ".atomscope.placing";

/// Where an analysis keeps the parts that are done: a folder in its own.
pub const ANALYSIS_CHECKPOINTS: &str = ".atomscope-checkpoints";

/// Where `demo` writes its analysis: a folder in its own.
pub const RESULTS: &str = "results";

/// A simulated cohort's embeddings and calls, where they are in one file.
pub const EMBEDDINGS: &str = "embeddings.pt";
/// A simulated cohort's SAE.
pub const MODEL: &str = "sae.pt";
/// What is planted in a simulated cohort, and which files it is in.
pub const TRUTH: &str = "truth.json";

/// The files of a cohort that is simulated in one piece.
pub const SIMULATION: [&str; 3] = [EMBEDDINGS, MODEL, TRUTH];

/// What the name of a tally's firing sets has after the tally's.
pub const FIRES: &str = ".fires";
/// What the name of a tally's folder of finished parts has after the tally's.
pub const CHECKPOINTS: &str = ".checkpoints";

/// What a piece's name has before and after its number.
const PIECE: (&str, &str) = ("embeddings-", ".pt");

/// The names of the files that hold a simulated cohort of so many pieces, in the order of their
/// rows: [`EMBEDDINGS`] for one, and for more numbers from 1 at equal width, so that the order of
/// the names is that of the rows.
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

/// Whether a simulated cohort in any number of pieces has a file of this name.
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
    fn piece_names_sort_as_their_rows_do_and_are_known_again() {
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
