//! Progress and notes on stderr, text on stdout, Ctrl-C.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::error::{Error, Result};

/// Set by Ctrl-C, and by SIGTERM.
pub(super) static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Lets Ctrl-C end a run cleanly: nothing is half written. A second Ctrl-C ends it at once.
pub(super) fn watch_for_interrupt() {
    // Where no handler can be set, Ctrl-C ends the process at once, as it does by default.
    let _ = ctrlc::set_handler(|| {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
}

/// An error if Ctrl-C was pressed.
pub(super) fn check_interrupt() -> Result<()> {
    if INTERRUPTED.load(Ordering::Relaxed) {
        Err(Error::Cancelled)
    } else {
        Ok(())
    }
}

/// A bar of rows done, rows per second and time left; shown only where stderr is a terminal.
pub(super) fn rows_bar(rows: u64, what: &'static str, quiet: bool) -> ProgressBar {
    if quiet || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(rows), ProgressDrawTarget::stderr());
    let template = "{msg} [{bar:30}] {human_pos}/{human_len} calls, {rate} calls/s, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        let rate = |state: &ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
        };
        bar.set_style(style.with_key("rate", rate).progress_chars("=> "));
    }
    bar.set_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
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
pub(super) fn show_warnings(warnings: &[String]) {
    for warning in warnings {
        warn(warning);
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
