//! Firing sets as arrays.

use std::any::Any;
use std::sync::Arc;

use atomscope::analysis::Counted;
use atomscope::fires::FiringSets;
use pyo3::prelude::*;

use crate::errors::{OrRaise, bad};
use crate::numbers::Numbers;

/// The atoms that fire on each call, with their activations.
#[pyclass(frozen, module = "atomscope._core")]
pub(crate) struct Firings {
    /// The owner of the sets.
    owner: Sets,
    d_sae: usize,
    /// Rows of the input, dropped ones counted.
    rows: usize,
}

/// Where the sets are.
enum Sets {
    /// In one piece in memory, with what was counted.
    Counted(Arc<Counted>),
    /// Gathered from parts.
    Gathered(Arc<FiringSets>),
}

impl Sets {
    fn get(&self) -> Option<&FiringSets> {
        match self {
            Self::Counted(counted) => counted.firings.as_ref()?.sets(),
            Self::Gathered(sets) => Some(sets),
        }
    }

    fn owner(&self) -> Arc<dyn Any + Send + Sync> {
        match self {
            Self::Counted(counted) => counted.clone(),
            Self::Gathered(sets) => sets.clone(),
        }
    }
}

impl Firings {
    /// The sets of what was counted; those in several parts, or in files, are gathered.
    ///
    /// # Errors
    /// No firing sets; those of reading them.
    pub(crate) fn of(counted: &Arc<Counted>) -> PyResult<Self> {
        let Some(firings) = &counted.firings else {
            let expected = "firing sets, which were kept";
            return Err(bad("fires", "counts alone", expected));
        };
        let owner = match firings.sets() {
            Some(_) => Sets::Counted(counted.clone()),
            None => Sets::Gathered(Arc::new(gathered(counted).or_raise()?)),
        };
        Ok(Self {
            owner,
            d_sae: counted.cohort.tally.feature_dim(),
            rows: counted.cohort.shards.rows() as usize,
        })
    }

    fn sets(&self) -> PyResult<&FiringSets> {
        self.owner
            .get()
            .ok_or_else(|| bad("fires", "none", "firing sets"))
    }

    fn shape(sets: &FiringSets) -> Vec<usize> {
        match sets.uniform_size() {
            Some(size) => vec![sets.rows(), size],
            None => vec![sets.firings()],
        }
    }
}

/// All sets in one piece.
fn gathered(counted: &Counted) -> atomscope::Result<FiringSets> {
    let (mut atoms, mut scores, mut ends) = (Vec::new(), Vec::new(), Vec::new());
    let (mut size, mut dropped) = (None, Vec::new());
    let mut has_scores = true;
    if let Some(store) = counted.store() {
        store.blocks(&mut |block| {
            let sets = block.sets;
            let before = atoms.len();
            ends.extend((0..sets.rows()).map(|row| before + sets.place(row).end));
            atoms.extend_from_slice(sets.atoms());
            has_scores &= sets.scores().is_some();
            scores.extend_from_slice(sets.scores().unwrap_or_default());
            size = sets.uniform_size();
            dropped.extend(sets.dropped().iter().map(|row| block.first as usize + row));
            Ok(())
        })?;
    }
    let is_uniform = size.filter(|size| ends.len() * size == atoms.len());
    let is_uniform =
        is_uniform.filter(|size| ends.iter().zip(1..).all(|(end, row)| *end == row * size));
    let sets = match is_uniform {
        Some(size) => FiringSets::uniform(size, atoms, dropped),
        None => FiringSets::ragged(ends, atoms, dropped),
    };
    Ok(if has_scores {
        sets.with_scores(scores)
    } else {
        sets
    })
}

#[pymethods]
impl Firings {
    /// Calls that have a firing set.
    fn __len__(&self) -> PyResult<usize> {
        Ok(self.sets()?.rows())
    }

    #[getter]
    fn d_sae(&self) -> usize {
        self.d_sae
    }

    /// Calls, dropped ones counted.
    #[getter]
    fn rows(&self) -> usize {
        self.rows
    }

    /// The atoms: uint32 [calls, k] ascending in each row, or [firings] where calls differ.
    fn indices(&self) -> PyResult<Numbers> {
        let sets = self.sets()?;
        let address = sets.atoms().as_ptr() as usize;
        Ok(Numbers::shared(
            self.owner.owner(),
            address,
            "<u4",
            Self::shape(sets),
        ))
    }

    /// Their activations: float64, likewise. None where they were not kept.
    fn acts(&self) -> PyResult<Option<Numbers>> {
        let sets = self.sets()?;
        Ok(sets.scores().map(|scores| {
            let address = scores.as_ptr() as usize;
            Numbers::shared(self.owner.owner(), address, "<f8", Self::shape(sets))
        }))
    }

    /// The begin of each row's firings, and the end of the last: int64 [calls + 1].
    fn indptr(&self) -> PyResult<Numbers> {
        let sets = self.sets()?;
        let ends = (0..sets.rows()).map(|row| sets.place(row).end as i64);
        let all: Vec<i64> = std::iter::once(0).chain(ends).collect();
        Ok(Numbers::of(all, "<i8"))
    }

    /// Rows that were dropped for a NaN or an infinity: int64.
    fn dropped(&self) -> PyResult<Numbers> {
        let dropped = self.sets()?.dropped().iter().map(|&row| row as i64);
        Ok(Numbers::of(dropped.collect::<Vec<_>>(), "<i8"))
    }

    /// Atoms that fire on every call; None where calls differ.
    #[getter]
    fn k(&self) -> PyResult<Option<usize>> {
        Ok(self.sets()?.uniform_size())
    }
}
