//! The screens that a run can use, and the choice between them. A run uses the screen that is
//! faster on its own rows, as measured on the first of them: by the CPU time of threads, which no other
//! work of the machine takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};

use super::options::CpuScreen;
use super::screen::{Kernel, Operand, Scaling, Screen, WhiteRows};
use super::spent::{Spent, Stopwatch};
use super::tile::ROW_LANES;
use crate::engine::lock;
#[cfg(target_arch = "x86_64")]
use crate::engine::simd::Level;
use crate::engine::simd::Simd;
use crate::error::{Choice as Chosen, Error, Result};
use crate::sae::Sae;

/// Blocks of each thread that are measured before anything is decided, besides its first, which
/// finds caches cold and touches its memory for the first time.
const BLOCKS_A_THREAD: u64 = 2;
/// The numbers of rows and features that the wide screen is measured on.
const SAMPLE_ROWS: usize = 128;
const SAMPLE_FEATURES: usize = 1024;

/// A model's screens. Where nothing speaks for one of them, the narrow one goes first. If it turns
/// out to be the slower one, the wide one is made, and takes over for good.
///
/// In the middle of a run nothing here waits for another thread or for the pool. A thread that
/// waits for the pool does the pool's work meanwhile, which is whole runs of blocks.
pub(super) struct Screens {
    sae: Sae,
    simd: Simd,
    first: Screen,
    wide: OnceLock<Screen>,
    /// The reason why the first is the only one.
    why: Option<&'static str>,
    /// Set by the thread that measures the wide screen.
    sampling: AtomicBool,
    /// Seconds a row that the wide screen's product takes.
    wide_seconds: OnceLock<f64>,
    judged: Mutex<Judged>,
}

/// The measurements of the narrow screen so far.
#[derive(Default)]
struct Judged {
    blocks: u64,
    rows: u64,
    open: u64,
    /// All of them together, and those of selection alone.
    seconds: f64,
    select: f64,
    /// `true` once enough was measured that screens were compared.
    compared: bool,
    /// `true` once it was found to be the slower one.
    slower: bool,
}

/// The screen that is asked for, as this machine can do it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Choice {
    /// `None` for binary32.
    kernel: Option<Kernel>,
    /// The reason for this one, where it is not to be left for another.
    why: Option<&'static str>,
}

impl Choice {
    /// # Errors
    /// A screen that was asked for by name, and that this CPU has no instructions for.
    pub(super) fn new(screen: CpuScreen, simd: Simd) -> Result<Self> {
        let kernel = match screen {
            CpuScreen::Auto => {
                let kernel = best(simd);
                let none = "the instructions in use have none for bfloat16";
                let why = kernel.is_none().then_some(none);
                return Ok(Self { kernel, why });
            }
            CpuScreen::Single => None,
            CpuScreen::Bfloat16 => Some(best(simd).unwrap_or(Kernel::Plain(simd))),
            CpuScreen::Bfloat16Tiles => Some(Kernel::tiles().ok_or_else(|| not_here(screen))?),
            CpuScreen::Bfloat16Vectors => Some(Kernel::vectors().ok_or_else(|| not_here(screen))?),
            CpuScreen::Bfloat16Plain => Some(Kernel::Plain(simd)),
        };
        let why = Some("as asked for");
        Ok(Self { kernel, why })
    }
}

impl Screens {
    /// The screens that `choice` allows.
    ///
    /// # Errors
    /// Memory, for a screen that was asked for by name.
    pub(super) fn new(sae: &Sae, scaling: &Scaling, simd: Simd, choice: Choice) -> Result<Self> {
        let Choice { kernel, mut why } = choice;
        let pack = |kernel| Screen::bfloat16(sae, scaling, simd, kernel);
        let narrow = match kernel.map(pack).transpose() {
            Err(_) if why.is_none() => {
                why = Some("no memory for the model in bfloat16 besides");
                None
            }
            narrow => narrow?,
        };
        let binary32 = || Screen::binary32(sae, scaling, simd, sae.feature_dim());
        Ok(Self {
            sae: sae.clone(),
            simd,
            first: narrow.unwrap_or_else(binary32),
            wide: OnceLock::new(),
            why,
            sampling: AtomicBool::new(false),
            wide_seconds: OnceLock::new(),
            judged: Mutex::default(),
        })
    }

    /// The screen for the next block.
    pub(super) fn current(&self) -> &Screen {
        self.wide.get().unwrap_or(&self.first)
    }

    /// Takes note of what a block of `rows` took with the narrow screen, one of `threads` threads'
    /// but not its first, and leaves that screen where the other would have been faster.
    pub(super) fn judge(
        &self,
        scaling: &Scaling,
        rows: WhiteRows,
        spent: Spent,
        operand: &mut Operand,
        threads: usize,
    ) {
        if self.why.is_some() || self.wide.get().is_some() || rows.facts.is_empty() {
            return;
        }
        if !self.sampling.swap(true, Ordering::Relaxed) {
            let _ = self
                .wide_seconds
                .set(self.sample_wide(scaling, rows, operand));
        }
        let Some(&wide_product) = self.wide_seconds.get() else {
            return;
        };
        let switch = {
            let mut judged = lock(&self.judged);
            judged.blocks += 1;
            judged.rows += rows.facts.len() as u64;
            judged.open += spent.open;
            judged.select += spent.select;
            judged.seconds += spent.product + spent.select + spent.resolve;
            // Selection sees as many scores behind either.
            let of_wide = wide_product * judged.rows as f64 + judged.select;
            let enough = judged.blocks >= BLOCKS_A_THREAD * threads as u64;
            let switch = enough && judged.seconds > of_wide && !judged.slower;
            judged.compared |= enough;
            judged.slower |= switch;
            switch
        };
        if switch {
            let features = self.sae.feature_dim();
            let screen = Screen::binary32(&self.sae, scaling, self.simd, features);
            // The others go on with the narrow one until it is there.
            let _ = self.wide.set(screen);
        }
    }

    /// Seconds a row of the wide screen's product, from some rows and features.
    fn sample_wide(&self, scaling: &Scaling, rows: WhiteRows, operand: &mut Operand) -> f64 {
        let all = self.sae.feature_dim();
        let features = all.min(SAMPLE_FEATURES);
        let screen = Screen::binary32(&self.sae, scaling, self.simd, features);
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
            let began = Stopwatch::start();
            screen.scores(&taken, 0..features, &mut scores, stride);
            began.seconds()
        });
        seconds[0].min(seconds[1]) * all as f64 / features as f64 / count as f64
    }

    /// The screen in use, and why.
    pub(super) fn describe(&self) -> String {
        let name = self.current().name();
        if let Some(why) = self.why {
            return format!("{name} ({why})");
        }
        let judged = lock(&self.judged);
        let Some(wide) = self.wide_seconds.get().filter(|_| judged.compared) else {
            return format!("{name} (the first; too few rows to measure another)");
        };
        let rows = judged.rows as f64;
        format!(
            "{name} (bfloat16 {}: {:.1} us a row and thread, for {:.1} atoms left open too, where \
             binary32 would take {:.1})",
            if judged.slower {
                "was slower"
            } else {
                "is faster"
            },
            1e6 * judged.seconds / rows,
            judged.open as f64 / rows,
            1e6 * (wide + judged.select / rows)
        )
    }
}

/// The fastest kernel for bfloat16 that goes with these instructions.
fn best(simd: Simd) -> Option<Kernel> {
    match simd.0 {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => Kernel::tiles().or_else(Kernel::vectors),
        _ => None,
    }
}

/// A screen that this CPU cannot do.
fn not_here(choice: CpuScreen) -> Error {
    let mut here = vec!["auto", "single", "bfloat16"];
    here.extend(Kernel::tiles().map(|_| "bfloat16-tiles"));
    here.extend(Kernel::vectors().map(|_| "bfloat16-vectors"));
    here.push("bfloat16-plain");
    let expected = format!("what this CPU has: {}", here.join(", "));
    Error::choice(Chosen::Screen, choice.to_string(), expected)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::cpu::test_cases::plain_sae;
    use crate::engine::cpu::whiten::row_facts;

    /// As on a machine that has instructions for bfloat16, whichever this one is.
    fn plain_or_wide(sae: &Sae, scaling: &Scaling) -> Screens {
        let simd = Simd::detect();
        let kernel = Some(Kernel::Plain(simd));
        Screens::new(sae, scaling, simd, Choice { kernel, why: None }).expect("small")
    }

    #[test]
    fn the_slower_screen_is_left_for_good_once_enough_is_measured() {
        let simd = Simd::detect();
        let weight = (0..2000).map(|i| (i % 7) as f32).collect();
        let sae = plain_sae(3, weight, vec![0.0; 50]);
        let scaling = Scaling::new(&sae, simd);
        let numbers = vec![1.0; 400];
        let facts: Vec<_> = numbers.chunks(40).map(|row| row_facts(simd, row)).collect();
        let rows = WhiteRows {
            numbers: &numbers,
            facts: &facts,
            exponents: &[0; 10],
        };
        let judged = |wide: f64, blocks: &[f64]| {
            let mut screens = plain_or_wide(&sae, &scaling);
            screens.sampling = AtomicBool::new(true);
            screens.wide_seconds = OnceLock::from(wide);
            for &resolve in blocks {
                let spent = Spent {
                    product: resolve / 4.0,
                    // The same behind either screen.
                    select: 100.0,
                    resolve: resolve * 0.75,
                    open: 70,
                };
                screens.judge(&scaling, rows, spent, &mut Operand::default(), 2);
            }
            screens.describe()
        };
        // Two threads, two blocks each; a row takes 1 s with the wide screen, so 10 s a block.
        let words = judged(1.0, &[15.0, 15.0, 15.0]);
        assert!(words.contains("too few rows to measure"), "{words}");
        for blocks in [&[30.0, 3.0, 3.0, 3.0][..], &[9.0; 9]] {
            let words = judged(1.0, blocks);
            assert!(
                words.starts_with("bfloat16 screen by plain loops"),
                "{words}"
            );
            assert!(
                words.contains("is faster") && words.contains("7.0 atoms left open"),
                "{words}"
            );
        }
        for blocks in [&[11.0; 4][..], &[30.0, 5.0, 5.0, 5.0, 0.0, 0.0]] {
            let words = judged(1.0, blocks);
            assert!(words.starts_with("binary32 screen"), "{words}");
            assert!(words.contains("bfloat16 was slower"), "{words}");
        }
    }

    #[test]
    fn the_other_screen_is_measured_on_the_rows_at_hand() {
        let simd = Simd::detect();
        let sae = plain_sae(2, vec![1.0; 15], vec![0.0; 5]);
        let scaling = Scaling::new(&sae, simd);
        let screens = plain_or_wide(&sae, &scaling);
        let facts = [row_facts(simd, &[1.0; 3])];
        let rows = WhiteRows {
            numbers: &[1.0; 3],
            facts: &facts,
            exponents: &[0],
        };
        screens.judge(&scaling, rows, Spent::default(), &mut Operand::default(), 1);
        assert!(
            screens
                .wide_seconds
                .get()
                .is_some_and(|&seconds| seconds > 0.0)
        );
    }
}
