//! torch in a process of its own, which takes a pass over all rows when it is asked to.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use atomscope::sae::Sae;

const SCRIPT: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/benches/activations/thresholds.py"
);

pub(crate) struct Torch {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Torch {
    /// Starts it, and waits until it has read the model and the rows.
    pub(crate) fn start(python: &str, sae: &Sae, rows: &[f32], thresholds: &[f64]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let thresholds: Vec<f32> = thresholds.iter().map(|&t| t as f32).collect();
        for (name, numbers) in [
            ("weight", sae.weight()),
            ("bias", sae.bias()),
            ("threshold", &thresholds),
            ("rows", rows),
        ] {
            let path = folder.path().join(name);
            std::fs::write(path, bytemuck::cast_slice(numbers)).expect("room on the disk");
        }
        let mut child = Command::new(python)
            .arg(SCRIPT)
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python");
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("piped"));
        let mut torch = Self {
            child,
            requests,
            answers,
        };
        println!("torch: {}", torch.line());
        torch
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("text");
        line.trim().to_owned()
    }

    /// Seconds of a pass over all rows, and the number of firings.
    pub(crate) fn pass(&mut self) -> (f64, u64) {
        let requests = self.requests.as_mut().expect("open");
        writeln!(requests).expect("torch listens");
        let line = self.line();
        let mut words = line.split(' ');
        let mut next = || words.next().expect("seconds and firings");
        let seconds = next().parse().expect("seconds");
        (seconds, next().parse().expect("firings"))
    }
}

impl Drop for Torch {
    fn drop(&mut self) {
        // At the end of its requests it ends.
        self.requests = None;
        let _ = self.child.wait();
    }
}
