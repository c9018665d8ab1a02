//! Progress and notes on stderr, text on stdout, Ctrl-C.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::error::ContextValue;
use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::flags;
use crate::control::{self, Control, Progress, Stage};
use crate::engine::leave;
use crate::error::{Error, Result, Warning};
use crate::visible::visible;

/// Lets Ctrl-C end a run cleanly: nothing is half written. A second Ctrl-C ends it at once.
pub(super) fn watch_for_interrupt() {
    // Where no handler can be set, Ctrl-C ends the process at once, as it does by default.
    let _ = ctrlc::set_handler(|| {
        if control::interrupt() {
            std::process::exit(130);
        }
    });
}

/// Ctrl-C ends what this controls.
pub(super) fn control() -> Control<'static> {
    Control::default()
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
        // The bar counts calls.
        if !progress.stage.is_of_rows() {
            return;
        }
        self.0.set_message(match progress.stage {
            Stage::Cutting => "finding cuts of batches",
            stage => stage.as_str(),
        });
        self.0.update(|state| {
            state.set_len(progress.total);
            // Threads tell of their rows in any order.
            state.set_pos(state.pos().max(progress.done));
        });
    }
}

/// The one gate to stderr: a line of this program, in which nothing steers a terminal or forges a line,
/// whatever names are in it.
pub(super) fn say(text: &str) {
    // Nobody is left to be told that nothing can be told.
    let _ = writeln!(io::stderr(), "atomscope: {}", visible(text));
}

/// Shows what clap has to say, help on stdout and mistakes on stderr, and returns the exit code. What was
/// typed may be a file's name, with whatever is in it.
pub(super) fn show_usage(mut error: clap::Error) -> u8 {
    let typed: Vec<_> = error
        .context()
        .map(|(kind, value)| (kind, safe(value)))
        .collect();
    for (kind, value) in typed {
        error.insert(kind, value);
    }
    let plain = error.render().to_string();
    let is_safe = |text: &str| {
        text.lines()
            .all(|line| matches!(visible(line), Cow::Borrowed(_)))
    };
    // Nobody is left to be told that nothing can be told.
    if !error.use_stderr() || is_safe(&plain) {
        let _ = error.print();
    } else {
        let _ = writeln!(io::stderr(), "{}", visible(plain.trim_end()));
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// The same value, of which all is visible.
fn safe(value: &ContextValue) -> ContextValue {
    let shown = |text: &String| visible(text).into_owned();
    match value {
        ContextValue::String(text) => ContextValue::String(shown(text)),
        ContextValue::Strings(texts) => ContextValue::Strings(texts.iter().map(shown).collect()),
        other => other.clone(),
    }
}

/// Ends the process in one line, where there is no memory even for making the line.
pub fn end_without_memory() -> ! {
    const LINE: &[u8] =
        b"atomscope: memory: found no more of it, expected room for what is read and counted; use \
        a machine with more of it, raise the limit, or give fewer calls at a time\n";
    // Several threads may find none at once: one of them speaks, and no other ends the process meanwhile.
    static SPOKEN: AtomicBool = AtomicBool::new(false);
    if SPOKEN.swap(true, Ordering::Relaxed) {
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let _ = io::stderr().write_all(LINE);
    leave(2)
}

/// A line on stderr for whoever watches.
pub(super) fn note(quiet: bool, text: &str) {
    if !quiet {
        say(text);
    }
}

/// A line on stderr that is always shown.
fn warn(text: &str) {
    say(&format!("warning: {text}"));
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
