//! Atoms against quantities of the calls, such as QUAL or depth, as they are compared with sizes.

use rayon::prelude::*;

use super::firings::{Sizes, sizes};
use crate::cohort::Calls;
use crate::control::Control;
use crate::error::Result;
use crate::fires::by_atom::{Carry, FiringsByAtom, groups};
use crate::fires::{FiringBlock, FiringStore};
use crate::stats::inference::multiplicity::Adjusted;
use crate::stats::inference::spearman::MidRanks;

/// Quantities, and every atom against each of them.
#[derive(Debug, Clone)]
pub struct ValueTables {
    /// The quantities.
    pub values: Vec<DescribedValue>,
    /// Every atom against each quantity, quantity by quantity, \[F\] each.
    pub atoms: Vec<Sizes>,
    /// The p-values of Spearman's correlation adjusted, over all quantities and all atoms that fire on
    /// enough calls.
    pub spearman: Adjusted,
    /// Sentences on quantities that only some of the calls were counted with.
    pub warnings: Vec<String>,
}

/// A quantity.
#[derive(Debug, Clone, PartialEq)]
pub struct DescribedValue {
    /// Its name: `info:QUAL`, `col:depth`.
    pub name: String,
    /// Calls that have it.
    pub calls: u64,
    /// Its median over all of them.
    pub median: Option<f64>,
}

impl ValueTables {
    /// Compares every atom with each quantity that the calls of a store have; `None` if they have none.
    /// `fires` \[F\] are the calls on which each atom fires; `memory` is what firings may take at a time.
    ///
    /// # Errors
    /// Those of reading; firing sets that are not those that were counted; memory; cancellation.
    pub fn of(
        store: &dyn FiringStore,
        fires: &[u64],
        (min_support, memory): (u64, u64),
        control: &Control,
    ) -> Result<Option<Self>> {
        let (columns, warnings) = read(store, control)?;
        if columns.is_empty() && warnings.is_empty() {
            return Ok(None);
        }
        let ranks: Vec<MidRanks> = columns.iter().map(|(_, of)| MidRanks::of(of)).collect();
        let mut by_value: Vec<Vec<Sizes>> = vec![Vec::with_capacity(fires.len()); columns.len()];
        for group in groups(fires, Carry::Calls, memory) {
            control.check()?;
            let rows = FiringsByAtom::gather(store, group, fires, Carry::Calls)?;
            for ((to, (_, of)), ranks) in by_value.iter_mut().zip(&columns).zip(&ranks) {
                let atoms = rows.atoms().into_par_iter().with_min_len(16);
                to.par_extend(atoms.map(|atom| sizes(rows.of(atom), of, ranks)));
            }
        }
        let atoms: Vec<Sizes> = by_value.into_iter().flatten().collect();
        let enough = fires.iter().map(|&fires| fires >= min_support.max(1));
        let p = atoms.iter().zip(enough.cycle());
        let p = p.map(|(atom, enough)| Some(atom.spearman?.p).filter(|_| enough));
        Ok(Some(Self {
            spearman: Adjusted::of(&p.collect::<Vec<_>>()),
            values: columns.into_iter().map(DescribedValue::of).collect(),
            atoms,
            warnings,
        }))
    }
}

impl DescribedValue {
    fn of((name, mut of): (String, Vec<f64>)) -> Self {
        of.retain(|value| !value.is_nan());
        Self {
            name,
            calls: of.len() as u64,
            median: super::firings::median(&mut of),
        }
    }
}

/// Quantities by name, NaN where one is missing, and sentences on those that only some calls have.
pub(crate) type Columns = (Vec<(String, Vec<f64>)>, Vec<String>);

/// The quantities of calls that are read block by block.
#[derive(Default)]
pub(crate) struct Described {
    columns: Vec<(String, Vec<f64>)>,
    rows: usize,
}

impl Described {
    /// Takes those of a block's calls that have a firing set.
    pub(crate) fn take(&mut self, block: &FiringBlock<'_>) {
        let (all, rows) = (&mut self.columns, self.rows);
        for (name, column) in block.calls.described() {
            let at = all.iter().position(|(known, _)| known == name);
            let at = at.unwrap_or_else(|| {
                all.push((name.to_owned(), Vec::new()));
                all.len() - 1
            });
            if let Some((_, to)) = all.get_mut(at).filter(|(_, to)| to.len() == rows) {
                let number = |(row, _)| column.get(row).map_or(f64::NAN, Calls::described_number);
                to.extend(block.sets.iter().map(number));
            }
        }
        self.rows += block.sets.iter().count();
    }

    /// Parts the quantities that all calls were counted with from the others.
    pub(crate) fn finish(self) -> Columns {
        let rows = self.rows;
        let columns = self.columns.into_iter();
        let (whole, partly): (Vec<_>, Vec<_>) = columns.partition(|(_, of)| of.len() == rows);
        let words = |(name, _): &(String, Vec<f64>)| {
            format!("{name} is not described: only some of the calls were counted with it")
        };
        let words = partly.iter().map(words).collect();
        (whole, words)
    }
}

/// Reads the quantities of all calls that have a firing set.
fn read(store: &dyn FiringStore, control: &Control) -> Result<Columns> {
    let mut described = Described::default();
    store.blocks(&mut |block| {
        control.check()?;
        described.take(&block);
        Ok(())
    })?;
    Ok(described.finish())
}
