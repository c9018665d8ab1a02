//! Calls with their labels, from what a truth benchmark wrote: a folder, or one file.
//!
//! | file | what it does |
//! |---|---|
//! | `candidate` | what a path is: the names in a folder, or a file's header |
//! | `tools` | the tools: what each is known by, which files have calls, where the labels are |
//! | `plan` | which files to read, and where the label of a record is |
//! | `params` | thresholds and counts that Truvari writes beside its calls |
//! | `table` | the table of `truvari vcf2df` |
//! | `tabular` | tables of vcfdist and minda, as the VCF that says the same |
//! | `reason` | why a call is false |
//! | `refusals` | errors of the truth's files, and of other samples |
//! | `collect` | runs a plan, record by record |
//! | `pair` | true and false calls in a file each |
//! | `identities` | what rows of embeddings say of themselves |
//! | `kept` | keys of the records whose values are kept |
//! | `joined` | calls in the order of rows |
//! | `calls` | the result: calls, labels, reasons, and the account |

mod account;
mod calls;
mod candidate;
mod collect;
mod identities;
mod joined;
mod kept;
mod pair;
mod params;
mod plan;
mod reason;
mod refusals;
mod table;
mod tabular;
mod tools;

use std::path::{Path, PathBuf};

pub use account::{Account, AccountLine, Fate};
pub use calls::BenchmarkCalls;
pub(crate) use identities::of_record;
pub use identities::{RowIdentities, read_row_identities};
pub use joined::JoinedCalls;
pub use kept::KeptKey;
pub use reason::Reason;

use crate::error::Result;
use candidate::{Candidate, Content};
use plan::Plan;

/// What a caller chooses about a benchmark's calls.
#[derive(Debug, Clone, Default)]
pub struct BenchmarkOptions {
    /// A file whose calls are true, whatever is in it.
    pub tp: Option<PathBuf>,
    /// A file whose calls are false, whatever is in it.
    pub fp: Option<PathBuf>,
    /// The sample whose labels and genotypes are read, if it is not the one that the benchmark names.
    pub sample: Option<String>,
    /// True if calls below the benchmark's least size are kept. They are true by construction: the
    /// benchmark leaves out those that match nothing.
    pub keep_below_sizemin: bool,
    /// The keys whose values are kept beside the calls.
    pub keys: Vec<KeptKey>,
}

/// Reads the calls of a benchmark's folder or file, or of the files that [`BenchmarkOptions`] names.
///
/// ```
/// use atomscope::read::benchmark::{BenchmarkOptions, read_benchmark};
///
/// let folder = tempfile::tempdir()?;
/// let head = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n";
/// for (name, id) in [("tp-comp.vcf", "sv1"), ("fp.vcf", "sv2"), ("tp-base.vcf", "b"), ("fn.vcf", "c")] {
///     let record = format!("chr1\t100\t{id}\tN\t<DEL>\t.\t.\tSVLEN=-70;END=170\n");
///     std::fs::write(folder.path().join(name), format!("{head}{record}"))?;
/// }
/// let found = read_benchmark(Some(folder.path()), &BenchmarkOptions::default())?;
/// assert_eq!(found.calls.id.get(0), Some("sv1"));
/// assert_eq!(found.calls.truvari_class.get(0), Some("TP"));
/// assert_eq!(found.calls.truvari_class.get(1), Some("FP"));
/// assert_eq!(found.calls.reason.get(1), Some("no_candidate"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// A path that is no benchmark's, half of a folder, the truth in place of the calls, a sample that is
/// not there, a call that is both true and false in every line, and files that cannot be read.
pub fn read_benchmark(path: Option<&Path>, options: &BenchmarkOptions) -> Result<BenchmarkCalls> {
    if options.tp.is_some() || options.fp.is_some() {
        return pair::read(path, options);
    }
    let path = path.unwrap_or(Path::new("."));
    let candidate = Candidate::of(path)?;
    if matches!(candidate.content, Content::Parquet) {
        return table::read(path);
    }
    collect::run(&tools::plan(&candidate)?, options)
}

/// The tools as a table in Markdown: what docs/CALLS.md lists.
pub fn tools_markdown() -> String {
    tools::markdown()
}

/// Says in one line what a path holds, if a benchmark wrote it.
pub fn describe_benchmark(path: &Path) -> Option<String> {
    let candidate = Candidate::of(path).ok()?;
    tools::plan(&candidate).ok().as_ref().map(Plan::describe)
}
