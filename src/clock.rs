//! Wall clock and CPU time of the stages of a run.

use std::time::Instant;

use cpu_time::ProcessTime;

/// The seconds of a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Lap {
    /// Wall clock.
    pub(crate) wall: f64,
    /// CPU time of the whole process, all of its threads together; 0 where the system does not tell it.
    pub(crate) cpu: f64,
}

impl std::ops::AddAssign for Lap {
    fn add_assign(&mut self, other: Self) {
        self.wall += other.wall;
        self.cpu += other.cpu;
    }
}

/// A clock that measures one stage after another.
#[derive(Debug)]
pub(crate) struct Clock {
    wall: Instant,
    cpu: Option<ProcessTime>,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self {
            wall: Instant::now(),
            cpu: ProcessTime::try_now().ok(),
        }
    }

    /// Seconds since the start.
    pub(crate) fn elapsed(&self) -> Lap {
        let cpu = self.cpu.and_then(|began| began.try_elapsed().ok());
        Lap {
            wall: self.wall.elapsed().as_secs_f64(),
            cpu: cpu.unwrap_or_default().as_secs_f64(),
        }
    }

    /// Seconds since the last look.
    pub(crate) fn lap(&mut self) -> Lap {
        let lap = self.elapsed();
        *self = Self::start();
        lap
    }
}
