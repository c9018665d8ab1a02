//! `completions`: what a shell needs to complete the program's arguments.

use clap::Args;
use clap_complete::Shell;

use super::progress;
use crate::error::Result;

/// Print what a shell needs to complete arguments
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    atomscope completions bash > ~/.local/share/bash-completion/completions/atomscope\n  \
    atomscope completions zsh > \"${fpath[1]}/_atomscope\"\n  \
    atomscope completions fish > ~/.config/fish/completions/atomscope.fish")]
pub(super) struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", help_heading = super::arguments::REQUIRED)]
    shell: Shell,
}

impl Completions {
    pub(super) fn run(&self) -> Result<()> {
        let (mut command, mut text) = (super::help::command(), Vec::new());
        clap_complete::generate(self.shell, &mut command, "atomscope", &mut text);
        progress::print(&String::from_utf8_lossy(&text))
    }
}
