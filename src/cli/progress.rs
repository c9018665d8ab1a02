//! Progress and notes on stderr, text on stdout, Ctrl-C.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::flags;
use crate::control::{Control, Progress, Stage};
use crate::error::{Error, Result, Warning};

/// Set by Ctrl-C, and by SIGTERM.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Lets Ctrl-C end a run cleanly: nothing is half written. A second Ctrl-C ends it at once.
pub(super) fn watch_for_interrupt() {
    // Where no handler can be set, Ctrl-C ends the process at once, as it does by default.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// Ctrl-C ends what this controls.
pub(super) fn control() -> Control<'static> {
    Control::default().cancel_when(&|| INTERRUPTED.load(Ordering::Relaxed))
}

/// A bar of rows done, rows per second and time left; shown only where stderr is a terminal.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// A bar of rows, as many as the work says.
    pub(super) fn of_rows(quiet: bool) -> Self {
        if quiet || !io::stderr().is_terminal() {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
        let template = "{msg} [{bar:30}] {human_pos}/{human_len} calls, {rate} calls/s, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
            };
            bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Does some work, and shows how far it is; Ctrl-C ends it.
    pub(super) fn show<T>(&self, work: impl FnOnce(Control<'_>) -> Result<T>) -> Result<T> {
        let progress = |progress: Progress| self.update(progress);
        let done = work(control().on_progress(&progress));
        self.0.finish_and_clear();
        done
    }

    /// Shows how far the work is.
    pub(super) fn update(&self, progress: Progress) {
        self.0.set_message(match progress.stage {
            Stage::Encoding => "encoding",
            Stage::Cutting => "finding cuts of batches",
            Stage::Reading => "reading",
            Stage::Scoring => "scoring",
            Stage::Simulating => "simulating",
        });
        self.0.update(|state| {
            state.set_len(progress.total);
            // Threads tell of their rows in any order.
            state.set_pos(state.pos().max(progress.done));
        });
    }
}

/// A line on stderr for whoever watches.
pub(super) fn note(quiet: bool, text: &str) {
    if !quiet {
        let _ = writeln!(io::stderr(), "atomscope: {text}");
    }
}

/// A line on stderr that is always shown.
fn warn(text: &str) {
    let _ = writeln!(io::stderr(), "atomscope: warning: {text}");
}

/// Shows all that is odd.
pub(super) fn show_warnings(warnings: &[Warning]) {
    for warning in warnings {
        warn(&flags::warning(warning));
    }
}

/// Says which of a user's files have the name of an output that was not written.
pub(super) fn show_staying(names: &[String]) {
    if !names.is_empty() {
        warn(&format!(
            "{}: not of this run, and left as it was",
            names.join(", ")
        ));
    }
}

/// Prints a result. A reader that has seen enough (`| head`) is no error.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::printing(error)),
        _ => Ok(()),
    }
}
