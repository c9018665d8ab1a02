//! The properties of calls that the tables need: one entry for each call that has a firing set, in
//! the cohort's order.

use std::collections::{BTreeMap, HashMap};

use super::categories::Category;
use super::strata::StratumKey;
use crate::cohort::{Label, TextColumn};
use crate::control::Control;
use crate::error::Result;
use crate::fires::{FiringBlock, FiringStore};
use crate::natural;
use crate::tally::{Strata, StratifyBy};

/// Categories of a kind that have a name of their own in the tables: the largest ones. The others
/// share one, so that a genome of thousands of contigs does not make a table of millions of rows.
pub(super) const OWN_CATEGORIES: usize = 64;

/// The facts, one of each a call.
#[derive(Debug, Clone, Default)]
pub struct CallFacts {
    /// True for each true call.
    pub is_tp: Vec<bool>,
    /// The stratum of each call, without the label; strata ascend.
    pub strata: Vec<u32>,
    /// |svlen| in base pairs; NaN where it is 0, missing, or no finite number.
    pub sizes: Vec<f64>,
    /// Position, in base pairs.
    pub positions: Vec<f64>,
    /// The chromosome of each call.
    pub chromosomes: Categories,
    /// The dataset of each call.
    pub datasets: Categories,
}

impl CallFacts {
    /// Reads all calls.
    ///
    /// # Errors
    /// Those of reading; calls without levels of a property.
    pub fn read(details: &dyn FiringStore, scheme: &StratifyBy, control: &Control) -> Result<Self> {
        let mut facts = Self::default();
        let mut strata = BTreeMap::<StratumKey, u32>::new();
        details.blocks(&mut |block| {
            control.check()?;
            facts.take(&block, scheme, &mut strata)
        })?;
        // From the order of their first sight to their own.
        let mut new = vec![0; strata.len()];
        for (number, &old) in strata.values().enumerate() {
            new[old as usize] = number as u32;
        }
        for stratum in &mut facts.strata {
            *stratum = new[*stratum as usize];
        }
        let (is_tp, missing) = (&facts.is_tp, ["(no chromosome)", Strata::NO_DATASET]);
        facts.chromosomes.finish(is_tp, missing[0]);
        facts.datasets.finish(is_tp, missing[1]);
        Ok(facts)
    }

    /// Returns the number of calls.
    pub fn len(&self) -> usize {
        self.is_tp.len()
    }

    /// Says whether there are no calls.
    pub fn is_empty(&self) -> bool {
        self.is_tp.is_empty()
    }

    fn take(
        &mut self,
        block: &FiringBlock,
        scheme: &StratifyBy,
        known: &mut BTreeMap<StratumKey, u32>,
    ) -> Result<()> {
        let calls = block.calls;
        let strata = Strata::by(calls, scheme)?;
        let numbers: Vec<u32> = strata
            .table()
            .iter()
            .map(|stratum| {
                let next = known.len() as u32;
                *known.entry(StratumKey::of(stratum, scheme)).or_insert(next)
            })
            .collect();
        let rows: Vec<usize> = block.sets.iter().map(|(row, _)| row).collect();
        for &row in &rows {
            let stratum = strata.of_row()[row] as usize;
            self.is_tp.push(strata.table()[stratum].label == Label::Tp);
            self.strata.push(numbers[stratum]);
            let size = calls.svlen.get(row).as_f64().abs();
            let is_size = size > 0.0 && size.is_finite();
            self.sizes.push(if is_size { size } else { f64::NAN });
            self.positions.push(calls.pos.get(row).as_f64());
        }
        self.chromosomes.take(&calls.chrom, &rows);
        self.datasets.take(&calls.dataset, &rows);
        Ok(())
    }
}

/// The name of each call, out of several.
#[derive(Debug, Clone, Default)]
pub struct Categories {
    numbers: HashMap<Option<Box<str>>, u32>,
    /// The number of each call's name, by first sight.
    pub of_call: Vec<u32>,
    /// The category in the tables of each number.
    pub category: Vec<u32>,
    /// The tables' categories, as people sort them; what is left of the smaller ones last.
    pub list: Vec<Category>,
    /// The number of the missing name, where calls have none.
    pub missing: Option<u32>,
}

impl Categories {
    fn take(&mut self, column: &TextColumn, rows: &[usize]) {
        let mut seen = HashMap::<u32, u32>::new();
        for &row in rows {
            let number = seen.entry(column.code(row)).or_insert_with(|| {
                let next = self.numbers.len() as u32;
                let name = column.get(row).map(Box::from);
                *self.numbers.entry(name).or_insert(next)
            });
            self.of_call.push(*number);
        }
    }

    fn finish(&mut self, is_tp: &[bool], missing: &str) {
        let mut names = vec![missing.to_owned(); self.numbers.len()];
        for (name, &number) in &self.numbers {
            match name {
                Some(name) => names[number as usize] = name.to_string(),
                None => self.missing = Some(number),
            }
        }
        let mut counts = vec![[0, 0]; names.len()];
        for (&number, &is_tp) in self.of_call.iter().zip(is_tp) {
            counts[number as usize][usize::from(!is_tp)] += 1;
        }
        let order = |&a: &u32, &b: &u32| natural::compare(&names[a as usize], &names[b as usize]);
        let size = |number: u32| counts[number as usize].iter().sum::<u64>();
        let mut numbers: Vec<u32> = (0..names.len() as u32).collect();
        numbers.sort_by(|a, b| size(*b).cmp(&size(*a)).then_with(|| order(a, b)));
        let rest = numbers.split_off(numbers.len().min(OWN_CATEGORIES));
        numbers.sort_by(order);
        self.category = vec![numbers.len() as u32; names.len()];
        for (category, &number) in numbers.iter().enumerate() {
            self.category[number as usize] = category as u32;
        }
        let of = |number: &u32| {
            let [tp, fp] = counts[*number as usize];
            let name = names[*number as usize].clone();
            Category { name, tp, fp }
        };
        self.list = numbers.iter().map(of).collect();
        if !rest.is_empty() {
            let sum = |label: usize| rest.iter().map(|&n| counts[n as usize][label]).sum();
            self.list.push(Category {
                name: format!("({} others)", rest.len()),
                tp: sum(0),
                fp: sum(1),
            });
        }
    }

    /// The number of each call's name, or the code of a missing one.
    pub(super) fn codes(&self) -> Vec<u32> {
        let code = |number: &u32| {
            if Some(*number) == self.missing {
                TextColumn::MISSING
            } else {
                *number
            }
        };
        self.of_call.iter().map(code).collect()
    }

    /// The category in the tables of a call.
    pub fn category_of(&self, call: u32) -> u32 {
        self.category[self.of_call[call as usize] as usize]
    }
}
