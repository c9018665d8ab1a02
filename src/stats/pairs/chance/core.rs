//! The part that chance leaves open: calls without those on which no atom fires, or all do.
//!
//! An empty set, or one of all atoms, could not be another, so such calls are set aside. Then an
//! atom may fire on all calls that are left, or on none. It takes no part either, which may make
//! further sets empty or full. Such an atom fires wherever each atom that is left does, or on none
//! of those calls. The weights of what is left are finite in all but contrived cases.

use super::super::sizes::Sizes;
use super::weights::Classes;

/// The calls and atoms that chance leaves open.
#[derive(Debug, Clone)]
pub(super) struct Core {
    /// The number of calls that are left.
    pub(super) calls: u64,
    /// The number of calls set aside on which every atom fires that is left.
    pub(super) full: u64,
    /// True for each atom that fires on some of the calls that are left, and not on all.
    pub(super) varies: Vec<bool>,
    /// The number of atoms that fire on every call that is left, and so do not vary.
    always: usize,
    /// The sizes of the calls that are left, if they are known.
    sizes: Option<Sizes>,
}

impl Core {
    pub(super) fn of(calls: u64, fires: &[u64], sizes: Option<&Sizes>) -> Self {
        let mut core = Self {
            calls,
            full: 0,
            varies: vec![true; fires.len()],
            always: 0,
            sizes: sizes.cloned(),
        };
        let mut atoms = core.leave_out(fires, fires.len());
        while core.set_aside(atoms) {
            atoms = core.leave_out(fires, atoms);
        }
        core
    }

    /// Leaves out atoms that fire on all calls or on none; the number of those that are left.
    fn leave_out(&mut self, fires: &[u64], mut atoms: usize) -> usize {
        for (varies, fires) in self.varies.iter_mut().zip(fires) {
            let on = fires.saturating_sub(self.full);
            if *varies && (on == 0 || on >= self.calls) {
                *varies = false;
                atoms -= 1;
                self.always += usize::from(on > 0);
            }
        }
        atoms
    }

    /// Sets aside calls on which none of the `atoms` atoms fires, or all do. Says whether there
    /// were any.
    fn set_aside(&mut self, atoms: usize) -> bool {
        let Some(sizes) = self.sizes.as_mut().filter(|_| atoms > 0) else {
            return false;
        };
        let empty = sizes.remove(self.always);
        let full = sizes.remove(self.always + atoms);
        self.full += full;
        self.calls -= (empty + full).min(self.calls);
        empty + full > 0
    }

    /// Ascending, on how many of the calls that are left each atom fires that is left.
    pub(super) fn totals(&self, fires: &[u64]) -> Vec<u64> {
        let each = self.varies.iter().zip(fires);
        let left = each.filter(|(varies, _)| **varies);
        let mut totals: Vec<u64> = left.map(|(_, fires)| fires - self.full).collect();
        totals.sort_unstable();
        totals
    }

    /// The sizes of the calls that are left, with `sum` firings of the atoms that are left: each with
    /// its share of the calls, ascending.
    pub(super) fn sizes(&self, sum: u64) -> Classes {
        let sizes = self.sizes.iter().flat_map(Sizes::iter);
        let known: Vec<(usize, f64)> = sizes
            .map(|(size, calls)| {
                (
                    size.saturating_sub(self.always),
                    calls as f64 / self.calls as f64,
                )
            })
            .collect();
        if known.len() > 1 {
            return known;
        }
        let more = (sum % self.calls) as f64 / self.calls as f64;
        let size = (sum / self.calls) as usize;
        vec![(size, 1.0 - more), (size + 1, more)]
    }
}
