//! Which calls lie in which regions, and in which stratum each is.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::RegionOptions;
use crate::cohort::{Call, Label, TextColumn, plain_contig};
use crate::control::Control;
use crate::error::Result;
use crate::fires::{FiringBlock, FiringStore};
use crate::regions::Place;
use crate::stats::inference::Table2x2;
use crate::stats::resampling::blocks::Blocks;
use crate::tally::SizeBin;

/// The calls that have a firing set, in the cohort's order.
pub(super) struct RegionCalls {
    /// Whether each call lies in each region: words of 64 regions, call after call.
    bits: Vec<u64>,
    words: usize,
    /// The stratum of each call: of SV type and size.
    strata: Vec<u32>,
    /// True for each false call.
    is_fp: Vec<bool>,
    /// The contig of each call, and its position.
    places: (Vec<u32>, Vec<f64>),
    /// The contigs of the calls, numbered by first sight.
    pub(super) contigs: BTreeMap<String, u32>,
    /// The number of strata.
    pub(super) strata_count: usize,
    /// The number of regions.
    pub(super) regions: usize,
}

impl RegionCalls {
    pub(super) fn read(
        store: &dyn FiringStore,
        options: &RegionOptions,
        control: &Control,
    ) -> Result<Self> {
        let regions = options.sets.len();
        let mut all = Self {
            bits: Vec::new(),
            words: regions.div_ceil(64),
            strata: Vec::new(),
            is_fp: Vec::new(),
            places: Default::default(),
            contigs: BTreeMap::new(),
            strata_count: 0,
            regions,
        };
        let mut known = BTreeMap::new();
        store.blocks(&mut |block| {
            control.check()?;
            all.take(&block, options, &mut known);
            Ok(())
        })?;
        all.strata_count = known.len();
        Ok(all)
    }

    fn take(
        &mut self,
        block: &FiringBlock<'_>,
        options: &RegionOptions,
        known: &mut BTreeMap<(String, SizeBin), u32>,
    ) {
        let rows: Vec<usize> = block.sets.iter().map(|(row, _)| row).collect();
        for &row in &rows {
            let call = block.calls.get(row);
            let key = (
                call.svtype.unwrap_or_default().to_owned(),
                SizeBin::of(call.svlen.as_f64()),
            );
            let next = known.len() as u32;
            self.strata.push(*known.entry(key).or_insert(next));
            self.is_fp.push(block.calls.label(row) == Label::Fp);
            let contig = call
                .chrom
                .map_or(TextColumn::MISSING, |chrom| self.contig(chrom));
            self.places.0.push(contig);
            self.places.1.push(call.pos.as_f64());
        }
        if self.words == 0 {
            return;
        }
        let before = self.bits.len();
        self.bits.resize(before + rows.len() * self.words, 0);
        let places = self.bits[before..].par_chunks_mut(self.words);
        places.zip(&rows).for_each(|(bits, &row)| {
            let call = block.calls.get(row);
            let Some(place) = place_of(&call) else {
                return;
            };
            for (region, set) in options.sets.iter().enumerate() {
                let is_in = set.holds(&place, options.rule);
                bits[region / 64] |= u64::from(is_in) << (region % 64);
            }
        });
    }

    /// The number of a contig, whatever its spelling.
    fn contig(&mut self, name: &str) -> u32 {
        let plain = plain_contig(name);
        let next = self.contigs.len() as u32;
        match self.contigs.get(plain) {
            Some(&number) => number,
            None => *self.contigs.entry(plain.to_owned()).or_insert(next),
        }
    }

    /// The loci of the calls: neighbours within so many base pairs.
    pub(super) fn loci(&self, distance: u64) -> Blocks {
        Blocks::loci(&self.places.0, &self.places.1, distance)
    }

    /// Whether each call lies in each region, region after region.
    pub(super) fn all_regions(&self) -> Vec<bool> {
        let of = |region| (0..self.len()).map(move |call| self.is_in(call, region));
        (0..self.regions).flat_map(of).collect()
    }

    /// The stratum of each call, its label included, once for each region.
    pub(super) fn all_strata(&self) -> Vec<u32> {
        let strata: Vec<u32> = (0..self.len())
            .map(|call| self.stratum(call) as u32)
            .collect();
        strata.repeat(self.regions)
    }

    /// Says whether a call lies in a region.
    pub(super) fn is_in(&self, call: usize, region: usize) -> bool {
        self.bits[call * self.words + region / 64] >> (region % 64) & 1 == 1
    }

    /// The stratum of a call, its label included.
    pub(super) fn stratum(&self, call: usize) -> usize {
        2 * self.strata[call] as usize + usize::from(self.is_fp[call])
    }

    /// The number of calls.
    pub(super) fn len(&self) -> usize {
        self.strata.len()
    }

    /// Says whether there are no calls.
    pub(super) fn is_empty(&self) -> bool {
        self.strata.is_empty()
    }

    /// Of each stratum of SV type and size: false calls and true ones, in a region and outside.
    pub(super) fn labels(&self, region: usize) -> Vec<Table2x2> {
        let mut tables = vec![Table2x2::default(); self.strata_count];
        for call in 0..self.len() {
            let table = &mut tables[self.strata[call] as usize];
            *match (self.is_fp[call], self.is_in(call, region)) {
                (true, true) => &mut table.tp_on,
                (true, false) => &mut table.tp_off,
                (false, true) => &mut table.fp_on,
                (false, false) => &mut table.fp_off,
            } += 1;
        }
        tables
    }
}

/// The place of a call on the reference, from its position, type and length; `None` where it has no
/// chromosome or position. A deletion, as any other interval, follows the base at its position; an
/// insertion lies behind it; of a breakend it is the base itself.
pub(super) fn place_of<'a>(call: &Call<'a>) -> Option<Place<'a>> {
    let contig = call.chrom?;
    let pos = call.pos.as_f64();
    if !(pos.is_finite() && (0.0..9e15).contains(&pos)) {
        return None;
    }
    let pos = pos as u64;
    let svtype = call.svtype.unwrap_or_default();
    let is = |kind: &str| {
        svtype == kind
            || svtype
                .strip_prefix(kind)
                .is_some_and(|t| t.starts_with(':'))
    };
    let length = call.svlen.as_f64().abs();
    let length = if length.is_finite() {
        length.min(9e15) as u64
    } else {
        0
    };
    let mate = call.mate_chrom.map(|chrom| {
        let at = call.mate_pos.as_f64().clamp(1.0, 9e15);
        (chrom, at as u64 - 1)
    });
    let (start, end) = if is("INS") || matches!(svtype, "ALU" | "L1" | "LINE1" | "SVA" | "MEI") {
        (pos, pos)
    } else if mate.is_some() || is("BND") || is("TRA") || is("CTX") || length == 0 {
        let base = pos.saturating_sub(1);
        (base, base + 1)
    } else {
        (pos, pos + length)
    };
    Some(Place {
        contig,
        start,
        end,
        mate,
    })
}
