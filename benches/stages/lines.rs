//! What is printed beside criterion's times.

use std::time::Duration;

use crate::floors::Rate;

/// Lines as they were printed, to be printed together at the end.
#[derive(Default)]
pub(crate) struct Lines(Vec<String>);

/// What was measured of one benchmark.
pub(crate) struct Line {
    /// The benchmark's name.
    pub(crate) name: String,
    /// Seconds a row of the fastest run, as floors are those of the fastest measurement.
    pub(crate) row_seconds: f64,
    /// Operations or bytes a row that cannot be avoided.
    pub(crate) row_work: f64,
    /// What bounds their rate.
    pub(crate) floor: Rate,
    /// What else is to be said.
    pub(crate) note: String,
}

impl Lines {
    pub(crate) fn add(&mut self, line: &Line) {
        let Rate {
            per_second,
            unit,
            of,
        } = line.floor;
        let rate = line.row_work / line.row_seconds;
        let text = format!(
            "{:<40}{:>11.3} us a row{:>9.1} {unit:<7} {:>5.1} % of {of:<15}{}",
            line.name,
            1e6 * line.row_seconds,
            1e-9 * rate,
            100.0 * rate / per_second,
            line.note
        );
        println!("{}\n", text.trim_end());
        self.0.push(text);
    }

    pub(crate) fn print(&self) {
        if !self.0.is_empty() {
            println!("The fastest runs, all together:");
        }
        for line in &self.0 {
            println!("{}", line.trim_end());
        }
    }
}

/// The sum of what runs took, as criterion takes it.
pub(crate) fn sum(seconds: impl IntoIterator<Item = f64>) -> Duration {
    Duration::from_secs_f64(seconds.into_iter().sum())
}
