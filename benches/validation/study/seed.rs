//! One cohort: everything that the program computes, against the truth.

use atomscope::cohort::Label;
use atomscope::details::InMemory;
use atomscope::stats::blocks::Blocks;
use atomscope::stats::bootstrap::{Bootstrap, CallLabels};
use atomscope::stats::evidence::{Adjusted, AtomCounts, Evidence, Exchange, Options};
use atomscope::stats::firing_rows::FiringRows;
use atomscope::stats::inference::{Estimate, PValue, Table2x2, effect};
use atomscope::tally::{Certificate, Scheme, SharedTally, Strata, Tally};

use super::truth::{Kind, Parameters, parameters};
use super::world::{Cohort, FEATURES, World};
use super::{Judgement, Study};

/// A cohort with what is true of it.
pub(crate) struct Seed {
    number: u64,
    cohort: Cohort,
    tally: Tally,
    truth: Vec<Parameters>,
}

/// Permutations of a cohort: the smallest p is a fiftieth of the level.
const PERMUTATIONS: usize = 999;
/// Bootstrap replicates, as many as the program draws.
const REPLICATES: usize = Options::DEFAULT.bootstrap;

type Pick = fn(&Adjusted) -> &Vec<Option<PValue>>;
type Interval = fn(&AtomCounts) -> Option<Estimate>;
type Value = fn(&Parameters) -> f64;

impl Seed {
    /// Simulates and counts.
    pub(crate) fn draw(world: World, seed: u64) -> Self {
        let cohort = Cohort::draw(world, seed);
        let strata = Strata::by(&cohort.calls, Scheme::ALL, FEATURES).expect("few strata");
        let tally = SharedTally::new(FEATURES, strata.table().to_vec()).expect("few counters");
        for (row, atoms) in cohort.sets.iter() {
            tally.add_row(strata.of_row()[row], atoms);
        }
        Self {
            number: seed,
            tally: tally.finish(Certificate::default()),
            truth: parameters(world, &cohort.truth, FEATURES),
            cohort,
        }
    }

    fn evidence(&self, block: Exchange, strata: Scheme) -> Evidence {
        let details = InMemory {
            calls: &self.cohort.calls,
            sets: &self.cohort.sets,
        };
        let options = Options {
            permutations: PERMUTATIONS,
            block,
            strata: Some(strata),
            seed: self.number,
            bootstrap: 0,
            min_coactivation: u64::MAX,
            ..Options::default()
        };
        Evidence::of(&self.tally, Some(&details), &options, &|| Ok(())).expect("a whole cohort")
    }

    /// Adds what the cohort says to a study.
    pub(crate) fn judge(&self, judgement: Judgement, study: &mut Study) {
        let evidence = self.evidence(Exchange::Call, Scheme::ALL);
        self.discoveries(&evidence, judgement, study);
        for (name, block) in [
            ("max-T, calls", Exchange::Call),
            ("max-T, loci", Exchange::Locus),
            ("max-T, samples", Exchange::Sample),
        ] {
            let other = (block != Exchange::Call).then(|| self.evidence(block, Scheme::ALL));
            let found = other.as_ref().unwrap_or(&evidence).permutations.as_ref();
            let atoms = &found.expect("permutations").atoms;
            self.take(study, name, |atom| atoms[atom].p <= judgement.level);
        }
        self.intervals(&evidence, judgement, study);
        self.bootstrap(judgement, study);
        homogeneity("svtype, size, dataset", &evidence, &self.truth, study);
        let by_type = Scheme {
            svtype: true,
            size: false,
            dataset: false,
        };
        let by_type = self.evidence(Exchange::Call, by_type);
        homogeneity("svtype", &by_type, &self.truth, study);
    }

    /// Takes a procedure's discoveries; nothing is to be discovered of an atom that has an odds ratio
    /// of 1 within types.
    fn take(&self, study: &mut Study, name: &'static str, found: impl Fn(usize) -> bool) {
        let atoms = self.truth.iter().enumerate();
        let atoms = atoms.map(|(atom, truth)| (found(atom), truth));
        study.errors.entry(name).or_default().take(atoms);
    }

    fn discoveries(&self, evidence: &Evidence, judgement: Judgement, study: &mut Study) {
        let within = |p: Option<PValue>| p.is_some_and(|p| p.p() <= judgement.level);
        let firings = evidence.firings.as_ref().expect("firing sets");
        let (bh, by): (Pick, Pick) = (|p| &p.bh, |p| &p.by);
        let (holm, storey): (Pick, Pick) = (|p| &p.holm, |p| &p.storey);
        for (name, of, pick) in [
            ("Fisher, Benjamini-Hochberg", &evidence.fisher, bh),
            ("Fisher, Benjamini-Yekutieli", &evidence.fisher, by),
            ("Fisher, Holm", &evidence.fisher, holm),
            ("Fisher, Storey", &evidence.fisher, storey),
            ("CMH, Benjamini-Hochberg", &evidence.cmh, bh),
            ("CMH, Benjamini-Yekutieli", &evidence.cmh, by),
            ("CMH, Holm", &evidence.cmh, holm),
            ("CMH, Storey", &evidence.cmh, storey),
            (
                "Mann-Whitney, Benjamini-Hochberg",
                &firings.mann_whitney,
                bh,
            ),
        ] {
            let adjusted = pick(of);
            self.take(study, name, |atom| within(adjusted[atom]));
        }
    }

    fn intervals(&self, evidence: &Evidence, judgement: Judgement, study: &mut Study) {
        let of: [(&'static str, Interval, Value); 4] = [
            ("Woolf", |atom| atom.log_odds, |truth| truth.log_odds),
            ("Wilson", |atom| atom.precision, |truth| truth.precision),
            (
                "Newcombe",
                |atom| atom.risk_difference,
                |truth| truth.risk_difference,
            ),
            (
                "Robins-Breslow-Greenland",
                |atom| atom.stratified.adjusted,
                |truth| truth.log_odds_within,
            ),
        ];
        let strongest = strongest(&evidence.atoms);
        for (name, interval, value) in of {
            let held = |place: usize| {
                let (atom, truth) = (&evidence.atoms[place], &self.truth[place]);
                let Estimate {
                    value: at,
                    low,
                    high,
                } = interval(atom)?;
                let ends = (narrow(low, at, judgement), narrow(high, at, judgement));
                Some(holds(ends, value(truth)))
            };
            let mut take = |group, places: &mut dyn Iterator<Item = usize>| {
                let coverage = study.coverage.entry((name, group)).or_default();
                coverage.take(places.filter_map(held));
            };
            for (group, is_in) in groups() {
                let is_in =
                    |&place: &usize| is_in(&evidence.atoms[place].table, self.truth[place].kind);
                take(group, &mut (0..FEATURES).filter(is_in));
            }
            take(STRONGEST, &mut strongest.iter().copied());
        }
    }

    /// Of all planted atoms: those that come out strongest have intervals that lie too far out, which
    /// is no fault of the interval's.
    fn bootstrap(&self, judgement: Judgement, study: &mut Study) {
        let Cohort { calls, sets, truth } = &self.cohort;
        let chrom: Vec<u32> = (0..calls.len()).map(|row| calls.chrom.code(row)).collect();
        let pos: Vec<f64> = (0..calls.len())
            .map(|row| calls.pos.get(row).as_f64())
            .collect();
        let is_tp: Vec<bool> = (0..calls.len())
            .map(|row| calls.label(row) == Label::Tp)
            .collect();
        let fires = |atom| {
            let rows = sets.iter().filter(move |(_, set)| set.contains(&atom));
            rows.map(|(row, _)| row as u32).collect::<Vec<_>>()
        };
        let lists: Vec<_> = truth
            .planted
            .iter()
            .map(|planted| fires(planted.atom))
            .collect();
        let bootstrap = Bootstrap {
            blocks: &Blocks::loci(&chrom, &pos, Options::DEFAULT.locus_distance),
            replicates: REPLICATES,
            seed: self.number,
        };
        let log_odds = |_, tables: [Table2x2; 2]| effect::log_odds_ratio(&tables[0]).value;
        let intervals = bootstrap.intervals(
            &CallLabels::new(&is_tp, |_| false),
            &FiringRows::of_lists(&lists),
            &log_odds,
            &|| Ok(()),
        );
        let held = intervals
            .expect("calls of one cohort")
            .into_iter()
            .zip(&truth.planted);
        let held = held.map(|((low, high), planted)| {
            let middle = f64::midpoint(low, high);
            let ends = (
                narrow(low, middle, judgement),
                narrow(high, middle, judgement),
            );
            holds(ends, self.truth[planted.atom as usize].log_odds)
        });
        study
            .coverage
            .entry(("bootstrap", PLANTED))
            .or_default()
            .take(held);
    }
}

fn homogeneity(strata: &'static str, evidence: &Evidence, truth: &[Parameters], study: &mut Study) {
    for kind in [Kind::Free, Kind::Type, Kind::Label] {
        let atoms = evidence.atoms.iter().zip(truth);
        let of_kind = atoms.filter(|(_, truth)| truth.kind == kind);
        let enough = of_kind.filter(|(atom, _)| least_expected(&atom.table) >= 5.0);
        let tested = enough.filter_map(|(atom, _)| atom.stratified.breslow_day_tarone);
        let rejected = tested.map(|test| test.p.p() <= super::LEVEL);
        let key = (strata, kind.name());
        study.homogeneity.entry(key).or_default().take(rejected);
    }
}

/// The places of the atoms with the smallest p-values by Fisher's test.
fn strongest(atoms: &[AtomCounts]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..atoms.len()).collect();
    order.sort_by(|&a, &b| atoms[a].fisher.p.ln().total_cmp(&atoms[b].fisher.p.ln()));
    order.truncate(10);
    order
}

/// Atoms that were planted, by any tie.
pub(crate) const PLANTED: &str = "planted atoms";
/// The ten atoms with the smallest p-values of each cohort.
pub(crate) const STRONGEST: &str = "the ten strongest atoms";
/// Atoms with an expected count below 5.
pub(crate) const SPARSE: &str = "sparse free atoms";

type IsIn = fn(&Table2x2, Kind) -> bool;

/// Atoms whose intervals are looked at together. Which of these an atom is in depends on its margins,
/// not on what its interval is of.
fn groups() -> [(&'static str, IsIn); 4] {
    [
        (Kind::Free.name(), |table, kind| {
            kind == Kind::Free && least_expected(table) >= 5.0
        }),
        (Kind::Type.name(), |table, kind| {
            kind == Kind::Type && least_expected(table) >= 5.0
        }),
        (Kind::Label.name(), |table, kind| {
            kind == Kind::Label && least_expected(table) >= 5.0
        }),
        (SPARSE, |table, kind| {
            let least = least_expected(table);
            kind == Kind::Free && table.fires() >= 5 && least < 5.0
        }),
    ]
}

fn least_expected(table: &Table2x2) -> f64 {
    let margins = |of: u64, n: u64| of.min(n - of) as f64;
    margins(table.fires(), table.n()) * margins(table.tp(), table.n()) / table.n().max(1) as f64
}

fn narrow(end: f64, at: f64, judgement: Judgement) -> f64 {
    at + judgement.width * (end - at)
}

fn holds((low, high): (f64, f64), value: f64) -> bool {
    (low..=high).contains(&value)
}
