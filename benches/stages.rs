//! The stages of a run on one thread, each set against what this machine can do at most: measured at
//! the start, in the same process. Every answer is asserted before it is timed.
//!
//! ```sh
//! cargo bench --bench stages                        # all, in some two minutes
//! cargo bench --bench stages -- encode              # whole runs
//! cargo bench --bench stages -- product/.*/4096     # a stage of some shapes
//! cargo bench --bench stages -- '/single/768->3072' # all stages of a screen
//! ```
//!
//! criterion's times are those of all rows of a run; the line behind them says what a row takes, and
//! the share of the floor. Lines are printed once more together at the end.

#[path = "shared/definition.rs"]
mod definition;
#[path = "stages/encode.rs"]
mod encode;
#[path = "stages/floors.rs"]
mod floors;
#[path = "stages/lines.rs"]
mod lines;
#[path = "stages/peaks.rs"]
mod peaks;
#[path = "stages/read.rs"]
mod read;
#[path = "stages/shapes.rs"]
mod shapes;
#[path = "stages/stage.rs"]
mod stage;
#[path = "stages/statistics.rs"]
mod statistics;

use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, SamplingMode};

use crate::floors::Floors;
use crate::lines::Lines;

/// A group of few and short samples, since there are many benchmarks. Where ten runs take longer than
/// this asks for, criterion warns, and times ten all the same.
fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
) -> BenchmarkGroup<'c, criterion::measurement::WallTime> {
    let mut group = criterion.benchmark_group(name);
    group
        .sample_size(10)
        .nresamples(2000)
        .sampling_mode(SamplingMode::Flat)
        .warm_up_time(Duration::from_millis(1))
        .measurement_time(Duration::from_millis(250));
    group
}

fn main() {
    let mut criterion = Criterion::default().without_plots().configure_from_args();
    let floors = Floors::measure();
    println!("{floors}");
    let mut lines = Lines::default();
    encode::bench(&mut criterion, &floors, &mut lines);
    read::bench(&mut criterion, &floors, &mut lines);
    statistics::bench(&mut criterion);
    lines.print();
    criterion.final_summary();
}
