//! Tally files and files of firing sets: the results of a cohort's shards, which `merge` and
//! `report` read.
//!
//! Both are [safetensors](https://github.com/huggingface/safetensors) files, so that any language
//! reads them. The header's text names their model and shards. A checksum covers every byte.
//!
//! | file | contents |
//! |---|---|
//! | `sealed` | safetensors with a checksum |
//! | `header` | model and shards as text in the header |
//! | `tally` | tally files |
//! | `fires`, `fires_file` | firing sets with their calls, written and read |
//! | `columns`, `tensors` | what such files hold |

mod columns;
mod fires;
mod fires_file;
mod header;
mod model;
mod sealed;
mod tally;
mod tensors;

pub use fires::{Fires, write_fires};
pub use fires_file::FiresFile;
pub use model::{Provenance, write_model};
pub use tally::{
    Maker, check_tally_place, is_counted, is_merged, is_ours, read_tally, write_tally,
};
