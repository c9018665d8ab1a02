//! `report.html`: the report as one file that needs nothing else.
//!
//! The page has three layers. The first needs no script: the findings in words, the strongest atoms, and
//! plots as SVG. The second is data: columns of tables, compressed, in script elements that no browser
//! runs. The third is one script and one style, which a content security policy allows by their hashes.
//! Judgments are those of [`Summary`], in the words of the printed report.
//!
//! | file | what it does |
//! |---|---|
//! | `layout` | the first layer |
//! | `frame` | the frame of all |
//! | `plots`, `svg` | its plots |
//! | `glossary` | the words that it explains |
//! | `data`, `about` | the second layer: tables, cards, and what scripts know of them |
//! | `columns` | columns of tables |
//! | `cards`, `examples`, `neighbours`, `directions`, `calls` | what single atoms' cards show |
//! | `pack`, `escape` | bytes as text; text as HTML and JSON |
//! | `earlier`, `earlier_atoms` | a page of results of which only tables are left |
//! | `redress` | an earlier page with other names and links |
//! | `page/` | the script and the style |

mod about;
mod calls;
mod cards;
mod columns;
mod data;
mod directions;
mod earlier;
mod earlier_atoms;
mod escape;
mod examples;
mod frame;
mod glossary;
mod layout;
mod letters;
mod neighbours;
mod pack;
mod plots;
mod redress;
mod svg;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use crate::control::Control;
use crate::error::{Error, Result};
use crate::fires::FiringStore;
use crate::report::table::Table;
use crate::rows::Rows;
use crate::stats::evidence::{CallFacts, ExtendedTables, Summary};
use crate::stats::notebook::NotebookTables;
use crate::tally::CohortTally;

pub use earlier::{Earlier, Meaning};
pub use neighbours::{Nearest, Neighbour};
pub use redress::{NoPage, redress};

/// The version of a page's data.
const PAGE_FORMAT: u32 = 2;

/// The script of the page.
const SCRIPT: &str = concat!(
    include_str!("page/data.js"),
    include_str!("page/plot.js"),
    include_str!("page/scatter.js"),
    include_str!("page/table.js"),
    include_str!("page/claims.js"),
    include_str!("page/panels.js"),
    include_str!("page/card.js"),
    include_str!("page/main.js"),
);

/// What runs before anything is shown: it tells the style that the script will draw.
const EARLY: &str = include_str!("page/early.js");

/// The style of the page.
const STYLE: &str = include_str!("page/page.css");

/// An assembly of a genome, by which a genome browser finds a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Genome {
    /// The assembly `GRCh38`.
    Hg38,
    /// The assembly `GRCh37`.
    Hg19,
    /// T2T-CHM13 2.0.
    Chm13,
}

impl Genome {
    /// Every assembly that is known.
    pub const ALL: [Self; 3] = [Self::Hg38, Self::Hg19, Self::Chm13];

    /// Returns its name, as UCSC has it; that of CHM13 as people do.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hg38 => "hg38",
            Self::Hg19 => "hg19",
            Self::Chm13 => "chm13",
        }
    }
}

/// What a reader adds to a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The assembly of the calls' positions; without it there are no links to genome browsers.
    pub genome: Option<Genome>,
    /// Names of atoms.
    pub labels: BTreeMap<u32, String>,
}

/// The results that a page shows.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// The summary: claims, the strongest atoms, cautions.
    pub summary: &'a Summary,
    /// The extended tables; `None` where they were not made.
    pub extended: Option<&'a ExtendedTables>,
    /// The counts, and what they are of.
    pub cohort: &'a CohortTally,
    /// The firing sets, where they were kept.
    pub store: Option<&'a dyn FiringStore>,
    /// What the notebook says.
    pub notebook: &'a NotebookTables,
    /// The directions of the model's decoder, \[F, D\], where its file is at hand.
    pub decoder: Option<&'a dyn Rows>,
    /// Sentences on what is odd about the calls.
    pub warnings: &'a [String],
    /// The printed report.
    pub report: &'a str,
    /// The tables that are written.
    pub tables: &'a [Table],
    /// What the reader adds.
    pub settings: &'a Settings,
    /// Bytes that firings may take at a time.
    pub memory: u64,
}

impl Page<'_> {
    /// Writes the page. The same results give the same bytes.
    ///
    /// # Errors
    /// Those of reading firing sets, and of writing; cancellation.
    pub fn write(&self, control: &Control, out: &mut dyn Write) -> Result<()> {
        let scheme = self.cohort.tally.scheme();
        let facts = match (self.store, self.extended) {
            (Some(store), Some(_)) => Some(CallFacts::read(store, &scheme, control)?),
            _ => None,
        };
        let data = match self.extended {
            Some(extended) => Some(data::Data::of(self, extended, facts.as_ref(), control)?),
            None => None,
        };
        let text = layout::page(self, facts.as_ref(), data.as_ref());
        let written = out.write_all(text.as_bytes());
        written.map_err(|source| Error::writing(Path::new("report.html"), source))
    }
}
