//! The screens that a run can use, and which one it does: the faster one on its own rows, as
//! measured on the first of them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use super::block::Spent;
use super::options::CpuScreen;
use super::screen::{Kernel, Operand, Scaling, Screen, WhiteRows};
use super::tile::ROW_LANES;
use crate::engine::lock;
use crate::engine::simd::{Level, Simd};
use crate::error::{Error, Result};
use crate::sae::Sae;

/// Blocks in a row that must be slower than the other screen would be: one may be disturbed by
/// what else the machine does.
const SLOW_BLOCKS: u32 = 2;
/// The other screen is measured on so many rows and features.
const SAMPLE_ROWS: usize = 128;
const SAMPLE_FEATURES: usize = 1024;

/// A model's screens. With two, the narrow one goes first; where it turns out to be the slower
/// one, the wide one is made, and takes over for good.
pub(super) struct Screens<'a> {
    sae: &'a Sae,
    simd: Simd,
    narrow: Option<Screen<'a>>,
    wide: OnceLock<Screen<'a>>,
    /// Why there is only one.
    why: Option<&'static str>,
    slow_blocks: AtomicU32,
    /// Seconds a row that the wide screen's product takes.
    wide_seconds: OnceLock<f64>,
    judged: Mutex<Judged>,
}

/// What was measured so far of the narrow screen.
#[derive(Default)]
struct Judged {
    rows: u64,
    open: u64,
    seconds: f64,
}

impl<'a> Screens<'a> {
    /// The screens that `choice` allows on this machine.
    ///
    /// # Errors
    /// A screen that was asked for by name, and that this processor has no instructions for.
    pub(super) fn new(
        sae: &'a Sae,
        scaling: &Scaling,
        simd: Simd,
        choice: CpuScreen,
    ) -> Result<Self> {
        let named = |kernel: Option<Kernel>| {
            let kernel = kernel.ok_or_else(|| not_here(choice))?;
            Ok((Some(kernel), Some("as asked for")))
        };
        let (kernel, why) = match choice {
            CpuScreen::Single => (None, Some("as asked for")),
            CpuScreen::Bfloat16 => named(best(simd).or(Some(Kernel::Plain(simd))))?,
            CpuScreen::Bfloat16Tiles => named(Kernel::tiles())?,
            CpuScreen::Bfloat16Vectors => named(Kernel::vectors())?,
            CpuScreen::Bfloat16Plain => named(Some(Kernel::Plain(simd)))?,
            CpuScreen::Auto => match best(simd) {
                Some(kernel) => (Some(kernel), None),
                None => (None, Some("the instructions in use have none for bfloat16")),
            },
        };
        let features = sae.feature_dim();
        Ok(Self {
            sae,
            simd,
            narrow: kernel.map(|kernel| Screen::packed(sae, scaling, simd, kernel, features)),
            wide: OnceLock::new(),
            why,
            slow_blocks: AtomicU32::new(0),
            wide_seconds: OnceLock::new(),
            judged: Mutex::default(),
        })
    }

    /// Whether the narrow screen has turned out to be the slower one.
    fn narrow_is_slow(&self) -> bool {
        self.slow_blocks.load(Ordering::Relaxed) >= SLOW_BLOCKS
    }

    /// The screen for the next block.
    pub(super) fn current(&self, scaling: &Scaling) -> &Screen<'a> {
        match &self.narrow {
            Some(narrow) if !self.narrow_is_slow() => narrow,
            _ => self.wide.get_or_init(|| {
                Screen::binary32(self.sae, scaling, self.simd, self.sae.feature_dim())
            }),
        }
    }

    /// Takes note of what a block of `rows` took with the narrow screen, and leaves that screen
    /// where the other would have been faster.
    pub(super) fn judge(
        &self,
        scaling: &Scaling,
        rows: WhiteRows,
        spent: Spent,
        operand: &mut Operand,
    ) {
        let to_judge = self.narrow.is_some() && self.why.is_none();
        if !to_judge || self.narrow_is_slow() || rows.facts.is_empty() {
            return;
        }
        let count = rows.facts.len() as f64;
        let wide_product = *self
            .wide_seconds
            .get_or_init(|| self.sample_wide(scaling, rows, operand));
        // Selection sees as many scores behind either.
        let of_wide = wide_product * count + spent.select;
        let of_narrow = spent.product + spent.select + spent.settle;
        {
            let mut judged = lock(&self.judged);
            judged.rows += rows.facts.len() as u64;
            judged.open += spent.open;
            judged.seconds += of_narrow;
        }
        if of_narrow > of_wide {
            self.slow_blocks.fetch_add(1, Ordering::Relaxed);
        } else if !self.narrow_is_slow() {
            self.slow_blocks.store(0, Ordering::Relaxed);
        }
    }

    /// Seconds a row of the wide screen's product, from some rows and features.
    fn sample_wide(&self, scaling: &Scaling, rows: WhiteRows, operand: &mut Operand) -> f64 {
        let all = self.sae.feature_dim();
        let features = all.min(SAMPLE_FEATURES);
        let screen = Screen::binary32(self.sae, scaling, self.simd, features);
        let count = rows.facts.len().min(SAMPLE_ROWS);
        let some = WhiteRows {
            numbers: &rows.numbers[..count * self.sae.input_dim()],
            facts: &rows.facts[..count],
            exponents: &rows.exponents[..count],
        };
        let stride = count.next_multiple_of(ROW_LANES);
        let mut scores = vec![0.0f32; features.next_multiple_of(ROW_LANES) * stride];
        let taken = screen.take_rows(self.simd, scaling, some, operand, |_, _, _| ());
        // Twice: the first time warms up.
        let seconds = [(); 2].map(|()| {
            let began = Instant::now();
            screen.scores(&taken, 0..features, &mut scores, stride);
            began.elapsed().as_secs_f64()
        });
        seconds[0].min(seconds[1]) * all as f64 / features as f64 / count as f64
    }

    /// The screen in use, and why.
    pub(super) fn describe(&self, scaling: &Scaling) -> String {
        if let Some(why) = self.why {
            return format!("{} ({why})", self.current(scaling).name());
        }
        let name = self.current(scaling).name();
        let judged = lock(&self.judged);
        let Some(wide) = self.wide_seconds.get().filter(|_| judged.rows > 0) else {
            return format!("{name} (no rows yet to measure it on)");
        };
        let rows = judged.rows as f64;
        format!(
            "{name} (bfloat16 {}: {:.1} us a row and thread with {:.1} atoms left open, where the \
             binary32 product alone takes {:.1})",
            if self.narrow_is_slow() {
                "was slower"
            } else {
                "is faster"
            },
            1e6 * judged.seconds / rows,
            judged.open as f64 / rows,
            1e6 * wide
        )
    }
}

/// The fastest kernel for bfloat16 that goes with these instructions.
fn best(simd: Simd) -> Option<Kernel> {
    #[cfg(target_arch = "x86_64")]
    if simd.0 == Level::Avx512 {
        return Kernel::tiles().or_else(Kernel::vectors);
    }
    let _: Level = simd.0;
    None
}

/// A screen that this processor cannot do.
fn not_here(choice: CpuScreen) -> Error {
    let mut here = vec!["auto", "single", "bfloat16"];
    here.extend(Kernel::tiles().map(|_| "bfloat16-tiles"));
    here.extend(Kernel::vectors().map(|_| "bfloat16-vectors"));
    here.push("bfloat16-plain");
    Error::Argument {
        name: "--screen",
        found: choice.to_string(),
        expected: format!("what this processor has: {}", here.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::whiten::row_facts;
    use crate::sae::SaeParts;

    #[test]
    fn the_slower_screen_is_left_after_two_slow_blocks_in_a_row() {
        let simd = Simd::detect();
        let sae = Sae::new(SaeParts {
            name: "case".into(),
            input_dim: 40,
            feature_dim: 50,
            k: 3,
            weight: (0..2000).map(|i| (i % 7) as f32).collect(),
            bias: vec![0.0; 50],
            mean: vec![0.0; 40],
            std: vec![1.0; 40],
        })
        .expect("finite numbers");
        let scaling = Scaling::new(&sae, simd);
        // As on a machine that has instructions for bfloat16, whichever this one is.
        let mut screens =
            Screens::new(&sae, &scaling, simd, CpuScreen::Bfloat16Plain).expect("any machine");
        screens.why = None;
        let numbers = vec![1.0; 400];
        let facts: Vec<_> = numbers.chunks(40).map(|row| row_facts(simd, row)).collect();
        let rows = WhiteRows {
            numbers: &numbers,
            facts: &facts,
            exponents: &[0; 10],
        };
        let mut operand = Operand::default();
        let mut judge = |settle| {
            let spent = Spent {
                settle,
                open: 70,
                ..Spent::default()
            };
            screens.judge(&scaling, rows, spent, &mut operand);
            screens.describe(&scaling)
        };
        // Instantly, slowly, instantly: one slow block may be an accident.
        for settle in [0.0, 1e3, 0.0, 1e3] {
            let words = judge(settle);
            assert!(
                words.starts_with("bfloat16 screen by plain loops"),
                "{words}"
            );
            assert!(
                words.contains("is faster") && words.contains("7.0 atoms left open"),
                "{words}"
            );
        }
        let words = judge(1e3);
        assert!(words.starts_with("binary32 screen"), "{words}");
        assert!(words.contains("bfloat16 was slower"), "{words}");
        // For good.
        assert_eq!(judge(0.0), words);
    }
}
