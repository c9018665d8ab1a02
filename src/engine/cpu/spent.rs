//! The time that a block takes, by which a screen is judged.

use std::time::Instant;

use cpu_time::ThreadTime;

/// The time that a block took, and the pairs that it left open.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Spent {
    /// Seconds of the product, of selection behind it, of settling rows.
    pub(super) product: f64,
    pub(super) select: f64,
    pub(super) resolve: f64,
    /// Pairs that the screen left open.
    pub(super) open: u64,
}

/// Measures the CPU time of this thread. Of wall time a thread has less the more others are at work, so
/// that it says nothing of the work that was done.
pub(super) struct Stopwatch {
    /// `None` where the system does not tell it.
    cpu: Option<ThreadTime>,
    wall: Instant,
}

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self {
            cpu: ThreadTime::try_now().ok(),
            wall: Instant::now(),
        }
    }

    /// CPU seconds since the start; wall seconds where the system does not tell them.
    pub(super) fn seconds(&self) -> f64 {
        let cpu = self.cpu.and_then(|began| began.try_elapsed().ok());
        cpu.unwrap_or_else(|| self.wall.elapsed()).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::Stopwatch;
    use std::hint::black_box;
    use std::time::{Duration, Instant};

    #[test]
    fn stopwatch_runs_with_work_and_stands_in_sleep() {
        let watch = Stopwatch::start();
        std::thread::sleep(Duration::from_millis(300));
        assert!(watch.seconds() < 0.15, "{}", watch.seconds());
        let began = Instant::now();
        let mut sum = 0_u64;
        while watch.seconds() < 0.02 {
            sum = black_box(sum + 1);
            assert!(began.elapsed() < Duration::from_secs(100), "{sum}");
        }
    }
}
