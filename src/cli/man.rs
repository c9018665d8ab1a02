//! `man`: the manual's pages, one a command, for those who make packages.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use clap_mangen::Man as Page;

use super::arguments::REQUIRED;
use crate::error::{Error, Result};
use crate::write::whole::{WholeFile, create_folder_of};

/// Write the manual's pages, atomscope.1 and one a command
#[derive(Debug, Args)]
pub(super) struct Man {
    /// The folder for the pages; made where it does not exist. Pages there are replaced
    #[arg(long, value_name = "DIR", help_heading = REQUIRED)]
    out: PathBuf,
}

impl Man {
    pub(super) fn run(&self) -> Result<()> {
        let mut command = super::help::command();
        command.build();
        self.page("atomscope", command.clone())?;
        for sub in command
            .get_subcommands()
            .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
        {
            let name = sub.get_display_name().unwrap_or(sub.get_name()).to_owned();
            self.page(&name, sub.clone())?;
        }
        Ok(())
    }

    fn page(&self, name: &str, command: clap::Command) -> Result<()> {
        let path = self.out.join(format!("{name}.1"));
        let failed = |e| Error::writing(&path, e);
        let mut page = Vec::new();
        Page::new(command).render(&mut page).map_err(failed)?;
        create_folder_of(&path)?;
        let whole = WholeFile::create(&path)?;
        whole.file().write_all(&page).map_err(failed)?;
        whole.publish()
    }
}
