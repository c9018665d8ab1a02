//! The calls that predictions are made of: their labels, places and features.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::design::SparseRows;
use super::quantities::{Part, Quantity};
use crate::cohort::{Call, Label};
use crate::control::Control;
use crate::error::Result;
use crate::fires::{FiringBlock, FiringStore};
use crate::natural;
use crate::stats::evidence::regions::{RegionOptions, lies_in};
use crate::stats::evidence::values::Described;
use crate::stats::resampling::blocks::Blocks;
use crate::tally::{SizeBin, Strata, StratifyBy, Stratum};

/// The most datasets that are features: the largest.
const DATASETS: usize = 64;

/// The properties of a call that are features beside its atoms: type and size make strata.
const PROPERTIES: StratifyBy = StratifyBy {
    svtype: true,
    size: true,
    dataset: false,
    properties: BTreeSet::new(),
};

/// The calls of a cohort that have a firing set, in its order.
#[derive(Debug, Clone, Default)]
pub struct PredictedCalls {
    /// The cohort's row of each call.
    pub rows: Vec<u64>,
    /// The name of each call's chromosome in `chromosomes`; beyond them where it is missing.
    pub chrom: Vec<u32>,
    /// The chromosomes, by first sight.
    pub chromosomes: Vec<String>,
    /// The position of each call in base pairs, from 1; NaN where it is missing.
    pub positions: Vec<f64>,
    /// The ID of each call.
    pub ids: Vec<Option<String>>,
    /// True for each false call.
    pub is_fp: Vec<bool>,
    /// The features of each call: first those of type, size, dataset, regions and quantities, then its
    /// atoms. Empty once models were fitted.
    pub features: SparseRows,
    /// What the first features are: a type, a size, both, a dataset, a region, or a part of a quantity's
    /// values.
    pub properties: Vec<String>,
    /// The number of `properties` that are no quantities; those come last.
    pub first_quantity: usize,
    /// What the baseline knows beside type, size and dataset: "regions", "quantities".
    pub beside: Vec<&'static str>,
    /// The atoms that the others are.
    pub atoms: Vec<u32>,
}

/// What is gathered call by call.
#[derive(Default)]
struct Gathered {
    calls: PredictedCalls,
    firings: SparseRows,
    /// The properties of each call, by their places in `names`.
    properties: Vec<[u32; 4]>,
    /// The call and the property of each region that a call lies in, call after call.
    regions: Vec<(usize, u32)>,
    names: BTreeMap<Property, u32>,
    places: BTreeMap<String, u32>,
}

/// A property of calls, in the order in which they are features.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Property {
    Type(String),
    Size(Option<SizeBin>),
    TypeAndSize(String, Option<SizeBin>),
    Dataset(String),
    Region(String),
    Quantity(Part),
}

impl PredictedCalls {
    /// Reads all calls, with the regions they lie in and the quantities they have. Atoms that fire on fewer than `min_support` calls are no features, nor are
    /// properties of as few, or of all. Memory: 8 bytes for each firing, 16 with scores.
    ///
    /// # Errors
    /// Those of reading; cancellation.
    pub fn read(
        store: &dyn FiringStore,
        regions: Option<&RegionOptions>,
        min_support: u64,
        control: &Control,
    ) -> Result<Self> {
        let mut gathered = Gathered::default();
        let sets = regions.iter().flat_map(|regions| &regions.sets);
        let names = sets.map(|set| Property::Region(set.name.clone()));
        let numbers: Vec<u32> = names.map(|region| gathered.number(region)).collect();
        let regions = regions.map(|regions| (regions, &*numbers));
        let mut described = Described::default();
        store.blocks(&mut |block| {
            control.check()?;
            described.take(&block);
            gathered.take(&block, regions)
        })?;
        let quantities = Quantity::all(described);
        let mut calls = gathered.finish(&quantities, min_support.max(1));
        let has_regions = !numbers.is_empty();
        let beside = [
            ("regions", has_regions),
            ("quantities", !quantities.is_empty()),
        ];
        let beside = beside.into_iter().filter(|(_, is_there)| *is_there);
        calls.beside = beside.map(|(words, _)| words).collect();
        Ok(calls)
    }

    /// Loci: calls of one chromosome within `distance` base pairs of the next.
    pub fn loci(&self, distance: u64) -> Blocks {
        // Numbered along the genome in natural order, so that the order of files does not matter.
        let blocks = super::folds::named_blocks(&self.chromosomes, &self.chrom);
        let missing = self.chromosomes.len() as u32;
        let codes = blocks.of_call.iter().zip(&self.chrom);
        let codes: Vec<u32> = codes
            .map(|(&code, &chrom)| if chrom >= missing { u32::MAX } else { code })
            .collect();
        Blocks::loci(&codes, &self.positions, distance)
    }
}

impl Gathered {
    /// Takes a block's calls. With regions comes the number of each as a property.
    fn take(
        &mut self,
        block: &FiringBlock<'_>,
        regions: Option<(&RegionOptions, &[u32])>,
    ) -> Result<()> {
        let calls = block.calls;
        let strata = Strata::by(calls, &PROPERTIES)?;
        let mut seen = HashMap::<(u32, u32), [u32; 4]>::new();
        for (at, (row, atoms)) in block.sets.iter().enumerate() {
            let number = strata.of_row()[row];
            let stratum = &strata.table()[number as usize];
            let key = (number, calls.dataset.code(row));
            let properties = seen.entry(key).or_insert_with(|| {
                let dataset = calls.dataset.get(row).unwrap_or(Strata::NO_DATASET);
                self.properties_of(stratum, dataset)
            });
            let properties = *properties;
            self.properties.push(properties);
            if let Some((regions, numbers)) = regions {
                self.take_regions(&calls.get(row), regions, numbers);
            }
            self.firings.features.extend_from_slice(atoms);
            self.firings.ends.push(self.firings.features.len());
            if let Some(scores) = block.sets.scores() {
                let of_row = scores[block.sets.place(at)]
                    .iter()
                    .map(|&score| score as f32);
                self.firings.values.get_or_insert_default().extend(of_row);
            }
            let chrom = calls.chrom.get(row);
            let chrom = chrom.map_or(u32::MAX, |name| self.place(name));
            let own = &mut self.calls;
            own.rows.push(block.first + row as u64);
            own.is_fp.push(stratum.label == Label::Fp);
            own.ids.push(calls.id.get(row).map(str::to_owned));
            let position = calls.pos.get(row).as_f64();
            let is_place = position >= 1.0 && position.is_finite();
            own.positions
                .push(if is_place { position } else { f64::NAN });
            own.chrom.push(chrom);
        }
        Ok(())
    }

    /// Notes the regions that the last call lies in.
    fn take_regions(&mut self, call: &Call<'_>, regions: &RegionOptions, numbers: &[u32]) {
        let at = self.properties.len() - 1;
        for (set, &number) in regions.sets.iter().zip(numbers) {
            if lies_in(set, call, regions.rule) == Some(true) {
                self.regions.push((at, number));
            }
        }
    }

    /// The number of a property.
    fn number(&mut self, property: Property) -> u32 {
        let next = self.names.len() as u32;
        *self.names.entry(property).or_insert(next)
    }

    /// The numbers of a call's properties.
    fn properties_of(&mut self, stratum: &Stratum, dataset: &str) -> [u32; 4] {
        let (svtype, size) = (stratum.svtype.clone(), stratum.size);
        let properties = [
            Property::Type(svtype.clone()),
            Property::Size(size),
            Property::TypeAndSize(svtype, size),
            Property::Dataset(dataset.to_owned()),
        ];
        properties.map(|property| self.number(property))
    }

    /// The number of a chromosome.
    fn place(&mut self, name: &str) -> u32 {
        if let Some(&place) = self.places.get(name) {
            return place;
        }
        let next = self.places.len() as u32;
        self.places.insert(name.to_owned(), next);
        self.calls.chromosomes.push(name.to_owned());
        next
    }

    fn finish(mut self, quantities: &[Quantity], min_support: u64) -> PredictedCalls {
        let of_quantities: Vec<Vec<u32>> = quantities
            .iter()
            .map(|quantity| {
                let parts = quantity.parts.iter();
                let parts = parts.map(|part| self.number(Property::Quantity(part.clone())));
                let numbers: Vec<u32> = parts.collect();
                let of_calls = quantity.of_calls.iter();
                of_calls.map(|&part| numbers[usize::from(part)]).collect()
            })
            .collect();
        let Self {
            mut calls,
            firings,
            properties,
            regions,
            names,
            ..
        } = self;
        let all = calls.rows.len() as u64;
        let mut counts = vec![0_u64; names.len()];
        let of_regions = regions.iter().map(|(_, number)| number);
        let numbers = properties.iter().flatten().chain(of_regions);
        for &number in numbers.chain(of_quantities.iter().flatten()) {
            counts[number as usize] += 1;
        }
        let kept = kept(&names, &counts, min_support, all);
        let mut place = vec![None; names.len()];
        for (at, (property, number)) in (0..).zip(&kept) {
            place[*number as usize] = Some(at);
            calls.properties.push(property.name());
            calls.first_quantity += usize::from(!matches!(property, Property::Quantity(_)));
        }
        let mut regions = regions.into_iter().peekable();
        calls.take_features(&firings, min_support, |call| {
            let in_regions = std::iter::from_fn(|| regions.next_if(|&(of, _)| of == call));
            let own = properties[call].iter().copied();
            let own = own.chain(in_regions.map(|(_, number)| number));
            let own = own.chain(of_quantities.iter().map(|of_calls| of_calls[call]));
            let mut own: Vec<u32> = own.filter_map(|at| place[at as usize]).collect();
            own.sort_unstable();
            own
        });
        calls
    }
}

impl PredictedCalls {
    /// Makes features of the atoms that fire on enough calls, after those that `properties` gives.
    fn take_features(
        &mut self,
        firings: &SparseRows,
        min_support: u64,
        mut properties: impl FnMut(usize) -> Vec<u32>,
    ) {
        let most = firings
            .features
            .iter()
            .max()
            .map_or(0, |&most| most as usize + 1);
        let mut fires = vec![0_u64; most];
        for &atom in &firings.features {
            fires[atom as usize] += 1;
        }
        let mut feature_of = vec![None; most];
        let enough = (0..)
            .zip(&fires)
            .filter(|(_, fires)| **fires >= min_support);
        self.atoms = enough.map(|(atom, _)| atom).collect();
        for (at, &atom) in (self.properties.len() as u32..).zip(&self.atoms) {
            feature_of[atom as usize] = Some(at);
        }
        let rows = &mut self.features;
        // A block without scores leaves all without.
        let scores = firings
            .values
            .as_ref()
            .filter(|values| values.len() == firings.features.len());
        rows.values = scores.map(|_| Vec::new());
        let mut start = 0;
        for (call, &end) in firings.ends.iter().enumerate() {
            let own = properties(call);
            if let Some(values) = &mut rows.values {
                values.extend(own.iter().map(|_| 1.0));
            }
            rows.features.extend(own);
            for at in start..end {
                let Some(feature) = feature_of[firings.features[at] as usize] else {
                    continue;
                };
                rows.features.push(feature);
                if let (Some(values), Some(scores)) = (&mut rows.values, scores) {
                    values.push(scores[at]);
                }
            }
            rows.ends.push(rows.features.len());
            start = end;
        }
    }
}

/// The properties that are features, in order: of datasets the largest, then regions and quantities.
fn kept(
    names: &BTreeMap<Property, u32>,
    counts: &[u64],
    min_support: u64,
    all: u64,
) -> Vec<(Property, u32)> {
    let count = |number: u32| counts[number as usize];
    let mut kept: Vec<(Property, u32)> = names
        .iter()
        .filter(|(_, number)| (min_support..all).contains(&count(**number)))
        .map(|(property, &number)| (property.clone(), number))
        .collect();
    let is_dataset = |property: &Property| matches!(property, Property::Dataset(_));
    let mut datasets: Vec<(Property, u32)> = kept
        .iter()
        .filter(|(property, _)| is_dataset(property))
        .cloned()
        .collect();
    kept.retain(|(property, _)| !is_dataset(property));
    let is_beside =
        |property: &Property| matches!(property, Property::Region(_) | Property::Quantity(_));
    let begin = kept.partition_point(|(property, _)| !is_beside(property));
    let beside = kept.split_off(begin);
    let order = |a: &Property, b: &Property| natural::compare(&a.name(), &b.name());
    datasets.sort_by(|a, b| count(b.1).cmp(&count(a.1)).then_with(|| order(&a.0, &b.0)));
    datasets.truncate(DATASETS);
    datasets.sort_by(|a, b| order(&a.0, &b.0));
    kept.extend(datasets);
    kept.extend(beside);
    kept
}

impl Property {
    fn name(&self) -> String {
        let size = |bin: &Option<SizeBin>| bin.map_or("", SizeBin::name);
        match self {
            Self::Type(svtype) => svtype.clone(),
            Self::Size(bin) => size(bin).to_owned(),
            Self::TypeAndSize(svtype, bin) => format!("{svtype} {}", size(bin)),
            Self::Dataset(dataset) => dataset.clone(),
            Self::Region(region) => format!("in {region}"),
            Self::Quantity(part) => part.name.clone(),
        }
    }
}
