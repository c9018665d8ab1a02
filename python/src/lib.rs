//! The Python package's extension module: it binds the library's front door, and keeps no flow of its own.
//! The public names are in `atomscope/*.py`.
//!
//! | file | what it binds |
//! |---|---|
//! | `run` | long work: the GIL released, Ctrl-C, progress, threads, fork, panics |
//! | `at_exit` | the interpreter's end, which waits for threads that are inside of it |
//! | `errors`, `words` | errors and texts that speak of arguments |
//! | `dlpack`, `dtype` | arrays of other libraries; unsafe code |
//! | `arrow` | tables of other libraries; one line of unsafe code |
//! | `rows`, `array_rows`, `block_rows` | embeddings |
//! | `calls`, `call_tables`, `arrow_calls` | calls |
//! | `model` | models |
//! | `options`, `analysis`, `tallies` | what is done |
//! | `results`, `table`, `firings`, `numbers` | what comes out |
//! | `simulated` | cohorts whose truth is known |

#![deny(unsafe_code)]
// Items are seen by the module alone, and PyO3 asks for values where references would do.
#![allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)]

mod analysis;
mod array_rows;
#[allow(unsafe_code)]
mod arrow;
mod arrow_calls;
mod at_exit;
mod block_rows;
mod call_tables;
mod calls;
#[allow(unsafe_code)]
mod dlpack;
mod dtype;
mod errors;
mod firings;
mod model;
mod notebook;
mod numbers;
mod options;
mod results;
mod rows;
mod run;
mod simulated;
mod table;
mod tallies;
mod words;

use pyo3::prelude::*;

/// The extension module of atomscope.
#[pymodule]
mod _core {
    use std::io::Write;

    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::analysis::{
        analyze_activations, analyze_files, analyze_memory, analyze_tally, encode, expand, merge,
        tally,
    };
    #[pymodule_export]
    use crate::calls::{Calls, strata_columns};
    #[pymodule_export]
    use crate::errors::{CancelledError, DeviceError, InputError, InternalError};
    #[pymodule_export]
    use crate::firings::Firings;
    #[pymodule_export]
    use crate::model::Sae;
    #[pymodule_export]
    use crate::numbers::Numbers;
    #[pymodule_export]
    use crate::results::Results;
    #[pymodule_export]
    use crate::rows::Rows;
    #[pymodule_export]
    use crate::simulated::simulate;
    #[pymodule_export]
    use crate::table::Table;
    #[pymodule_export]
    use crate::tallies::Tally;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::run::prepare(module.py())
    }

    /// Runs the command line with these arguments, of which the first is the program's name. Returns its
    /// exit code.
    #[pyfunction]
    fn main(py: Python<'_>, arguments: Vec<std::ffi::OsString>) -> u8 {
        py.detach(|| {
            let code = atomscope::cli::run(arguments);
            // Nothing else flushes it: the process is Python's.
            let _ = std::io::stdout().flush();
            code
        })
    }
}
