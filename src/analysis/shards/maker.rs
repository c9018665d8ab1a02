//! Makers of the firing sets of a shard's rows: an encoder, or a reader of activations.

use std::ops::Range;
use std::time::Instant;

use super::content::Content;
use super::picked::{self, Picked};
use crate::analysis::session::{CountOptions, Encoder, Session};
use crate::cohort::Calls;
use crate::control::Control;
use crate::engine::{Cuts, Encoded, Seconds, check_dim};
use crate::error::{Choice, Error, Result};
use crate::fires::FiringSets;
use crate::read::{Activations, ActiveAtoms};
use crate::rows::RowRange;
use crate::sae::{Activation, Sae};
use crate::tally::{Certificate, Strata, Tally};

/// Atoms that fire on a row, where the model does not say how many do.
const TYPICAL_FIRINGS: usize = 64;

/// A maker of firing sets.
pub(super) enum Maker {
    /// A model; its session is opened for the first part that has to be encoded.
    Encoder {
        sae: Sae,
        /// Where the scores end that fire in each batch, for a model of batch top-k.
        cuts: Option<Cuts>,
        session: Option<Box<Session>>,
    },
    /// Activations; the number of atoms, and the file that has it, are known with the first shard.
    Reader(Option<(usize, String)>),
}

impl Maker {
    /// Looks whether a shard goes together with those before it.
    pub(super) fn check(&mut self, content: &Content) -> Result<()> {
        let (Self::Reader(first), Content::Activations(rows)) = (self, content) else {
            return Ok(());
        };
        let (atoms, name) = first.get_or_insert_with(|| (rows.atoms(), rows.name()));
        if *atoms == rows.atoms() {
            return Ok(());
        }
        Err(Error::input(
            rows.name(),
            "the number of atoms",
            rows.atoms().to_string(),
            format!("{atoms}, as {name} has it"),
            "give activations of one model",
        ))
    }

    /// Checks a shard without a row.
    pub(super) fn check_empty(&self, content: &Content) -> Result<()> {
        match (self, content) {
            (Self::Encoder { sae, .. }, Content::Embeddings(rows)) => check_dim(sae, &**rows),
            _ => Ok(()),
        }
    }

    /// F, the number of atoms.
    pub(super) fn feature_dim(&self) -> usize {
        match self {
            Self::Encoder { sae, .. } => sae.feature_dim(),
            Self::Reader(known) => known.as_ref().map_or(0, |(atoms, _)| *atoms),
        }
    }

    /// The number of atoms that fire on a row, about. Where rows differ, about as many as fire by top-k
    /// elsewhere.
    pub(super) fn firings_a_row(&self, content: &Content) -> usize {
        match (self, content) {
            (Self::Encoder { sae, .. }, _) => sae.top_k().unwrap_or(TYPICAL_FIRINGS),
            (Self::Reader(_), Content::Activations(rows)) => rows.firings_a_row(),
            (Self::Reader(_), Content::Embeddings(_)) => TYPICAL_FIRINGS,
        }
    }

    /// Makes the firing sets of some rows, and counts them. `about` is the number of rows in all, `before`
    /// that of the cohort's rows before these.
    pub(super) fn make(
        &mut self,
        content: &Content,
        rows: Range<usize>,
        calls: &Calls,
        (options, about, before): (&CountOptions, usize, u64),
        control: &Control,
    ) -> Result<Encoded> {
        let Some(kept) = picked::with_call(calls) else {
            return self.make_all(content, rows, calls, (options, about, before), control);
        };
        let calls = calls.pick(&kept);
        let count = rows.len();
        let mut encoded = match (&mut *self, content) {
            (Self::Encoder { sae, .. }, _)
                if matches!(sae.activation(), Activation::BatchTopK { .. }) =>
            {
                return Err(Error::choice(
                    Choice::BatchTopK,
                    format!("{} rows without a call", count - kept.len()),
                    "a call for every row: what fires in a batch depends on all of its rows",
                ));
            }
            (Self::Encoder { sae, session, .. }, Content::Embeddings(all)) => {
                let session = match session {
                    Some(session) => session,
                    none => none.insert(Box::new(Session::open(sae, about, options)?)),
                };
                session.encode(
                    &Picked::new(&**all, rows.start, &kept),
                    &calls,
                    before,
                    control,
                )?
            }
            (_, Content::Activations(all)) => {
                given(all, rows, Some(&kept), &calls, options, control)?
            }
            (Self::Reader(_), Content::Embeddings(_)) => return Err(no_model()),
        };
        encoded.fires = picked::with_all_dropped(encoded.fires, &kept, count);
        Ok(encoded)
    }

    /// Makes the firing sets of rows that all have a call.
    fn make_all(
        &mut self,
        content: &Content,
        rows: Range<usize>,
        calls: &Calls,
        (options, about, before): (&CountOptions, usize, u64),
        control: &Control,
    ) -> Result<Encoded> {
        match (self, content) {
            (Self::Encoder { sae, cuts, session }, Content::Embeddings(all)) => {
                let session = match session {
                    Some(session) => session,
                    none => {
                        let session = Session::open(sae, about, options)?;
                        none.insert(Box::new(session.with_cuts(cuts.take())))
                    }
                };
                session.encode(&RowRange::new(&**all, rows), calls, before, control)
            }
            (_, Content::Activations(all)) => given(all, rows, None, calls, options, control),
            (Self::Reader(_), Content::Embeddings(_)) => Err(no_model()),
        }
    }

    /// The encoder, if it was at work.
    pub(super) fn encoder(&self) -> Option<Encoder> {
        match self {
            Self::Encoder { session, .. } => session.as_deref().map(Session::encoder),
            Self::Reader(_) => None,
        }
    }
}

fn no_model() -> Error {
    Error::Argument {
        name: "embeddings",
        found: "no model".to_owned(),
        expected: "a model that encodes them".to_owned(),
    }
}

/// Returns the activations of the rows at these places alone.
fn of_kept(active: &ActiveAtoms, kept: &[usize]) -> ActiveAtoms {
    let mut found = ActiveAtoms {
        row_ends: Vec::with_capacity(kept.len()),
        atoms: Vec::new(),
        values: Vec::new(),
    };
    for &row in kept {
        let start = row
            .checked_sub(1)
            .map_or(0, |before| active.row_ends[before]);
        let firings = start..active.row_ends[row];
        found
            .atoms
            .extend_from_slice(&active.atoms[firings.clone()]);
        found.values.extend_from_slice(&active.values[firings]);
        found.row_ends.push(found.atoms.len());
    }
    found
}

/// Reads which atoms fire on some rows, of which those at the places in `kept` have a call, and counts
/// them.
fn given(
    activations: &Activations,
    rows: Range<usize>,
    kept: Option<&[usize]>,
    calls: &Calls,
    options: &CountOptions,
    control: &Control,
) -> Result<Encoded> {
    let began = Instant::now();
    let strata = Strata::by(calls, &options.stratify_by)?;
    let active = activations.read(rows, control)?;
    let ActiveAtoms {
        row_ends,
        atoms,
        values,
    } = match kept {
        Some(kept) => of_kept(&active, kept),
        None => active,
    };
    let sets = FiringSets::ragged(row_ends, atoms, Vec::new());
    let certificate = Certificate::default();
    let tally = Tally::count(activations.atoms(), &strata, sets.iter(), certificate);
    Ok(Encoded {
        fires: if options.engine.scores {
            sets.with_scores(values)
        } else {
            sets
        },
        tally,
        seconds: Seconds {
            encode: began.elapsed().as_secs_f64(),
            ..Seconds::default()
        },
    })
}
