//! One cohort: everything that the program computes, against the truth.

use atomscope::cohort::Label;
use atomscope::control::Control;
use atomscope::fires::InMemory;
use atomscope::fires::by_atom::FiringsByAtom;
use atomscope::stats::evidence::{
    Adjusted, AtomCounts, Exchange, ExtendedTables, ListedPairs, Options, Partition,
};
use atomscope::stats::inference::multiplicity::Family;
use atomscope::stats::inference::{Estimate, PValue, Table2x2, effect};
use atomscope::stats::pairs::Pairs;
use atomscope::stats::resampling::blocks::Blocks;
use atomscope::stats::resampling::bootstrap::{Bootstrap, CallLabels};
use atomscope::tally::{Certificate, Strata, StratifyBy, Tally};

use super::truth::{Kind, Parameters, free};
use super::world::{Cohort, FEATURES};
use super::worlds::World;
use super::{Judgement, Study};

/// A cohort with what is true of it.
pub(crate) struct Seed {
    world: World,
    number: u64,
    cohort: Cohort,
    tally: Tally,
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
        let atoms = cohort.truth.len();
        let strata = Strata::by(&cohort.calls, &StratifyBy::ALL).expect("few strata");
        let tally = Tally::count(atoms, &strata, cohort.sets.iter(), Certificate::default());
        Self {
            world,
            number: seed,
            tally,
            cohort,
        }
    }

    /// What everything needs that is not asked of each atom alone.
    fn options(&self) -> Options {
        Options {
            permutations: PERMUTATIONS,
            seed: self.number,
            bootstrap: 0,
            pairs: ListedPairs::None,
            ..Options::default()
        }
    }

    fn evidence(&self, options: &Options) -> ExtendedTables {
        let details = InMemory {
            calls: &self.cohort.calls,
            sets: &self.cohort.sets,
        };
        ExtendedTables::of(&self.tally, Some(&details), options, &Control::default())
            .expect("a whole cohort")
    }

    /// Adds what the cohort says to a study.
    pub(crate) fn judge(&self, judgement: Judgement, study: &mut Study) {
        if self.world.rare().is_some() {
            return self.judge_rare(judgement, study);
        }
        let evidence = self.evidence(&self.options());
        self.discoveries(&evidence, judgement, study);
        self.max_t("max-T, calls", &evidence, judgement, study);
        for (name, block) in [
            ("max-T, loci", Exchange::Locus),
            ("max-T, samples", Exchange::Sample),
        ] {
            let other = self.evidence(&Options {
                block,
                ..self.options()
            });
            self.max_t(name, &other, judgement, study);
        }
        self.intervals(&evidence, judgement, study);
        self.bootstrap(judgement, study);
        homogeneity(
            "svtype, size, dataset",
            &evidence,
            &self.cohort.truth,
            study,
        );
        let by_type = self.evidence(&Options {
            strata: Some(StratifyBy::TYPE),
            ..self.options()
        });
        homogeneity("svtype", &by_type, &self.cohort.truth, study);
    }

    /// Every procedure that makes a list, on a cohort of rare atoms.
    fn judge_rare(&self, judgement: Judgement, study: &mut Study) {
        let pairs = self.world != World::Large;
        let options = Options {
            replicate: Some(Partition::Dataset),
            pairs: if pairs {
                ListedPairs::All
            } else {
                ListedPairs::None
            },
            ..self.options()
        };
        let evidence = self.evidence(&options);
        self.discoveries(&evidence, judgement, study);
        self.max_t("max-T, calls", &evidence, judgement, study);
        self.asymptotic(&evidence, judgement, study);
        let found = &evidence.replication.as_ref().expect("two datasets").found;
        self.take(study, "replication", |atom| {
            found.atoms[atom].replicated == Some(true)
        });
        // Whatever an atom is tied to, its odds ratio is one in all strata.
        let differs = evidence.homogeneity.bh.iter();
        let differs = differs.map(|p| p.is_some_and(|p| p.p() <= judgement.level));
        let free = free();
        let errors = study.errors.entry("Breslow-Day-Tarone, Benjamini-Hochberg");
        errors
            .or_default()
            .take(differs.map(|differs| (differs, &free)));
        if let Some(found) = evidence.pairs.as_ref().filter(|_| pairs) {
            self.pairs(found, judgement, study);
        }
    }

    /// The chi-square p-values that the exact ones replace, to see what they would have called.
    fn asymptotic(&self, evidence: &ExtendedTables, judgement: Judgement, study: &mut Study) {
        let tested = evidence.atoms.iter().zip(&evidence.cmh.bh);
        let p = tested.map(|(atom, bh)| bh.and(atom.stratified.cmh.map(|test| test.p)));
        let family = Family::of(&p.collect::<Vec<_>>());
        for (name, adjusted) in [
            ("CMH by chi-square, Holm", family.holm()),
            (
                "CMH by chi-square, Benjamini-Hochberg",
                family.benjamini_hochberg(),
            ),
            (
                "CMH by chi-square, Benjamini-Yekutieli",
                family.benjamini_yekutieli(),
            ),
        ] {
            self.take(study, name, |atom| {
                adjusted[atom].is_some_and(|p| p.p() <= judgement.level)
            });
        }
    }

    /// Pairs of which neither atom is tied to anything fire together as the free places of a call make
    /// them, on true calls and on false ones alike.
    fn pairs(&self, pairs: &Pairs, judgement: Judgement, study: &mut Study) {
        let columns = pairs.chunk(0..pairs.len());
        let truth = |atom: u32| self.cohort.truth[atom as usize];
        let of_pair = |(&a, &b): (&u32, &u32)| match (truth(a).kind, truth(b).kind) {
            (Kind::Free, Kind::Free) => free(),
            _ => Parameters {
                kind: Kind::Label,
                ..free()
            },
        };
        let truths: Vec<Parameters> = columns.a.iter().zip(&columns.b).map(of_pair).collect();
        for (name, fdr) in [
            ("pairs, Benjamini-Hochberg", &columns.all.fdr),
            (
                "pairs' difference, Benjamini-Hochberg",
                &columns.difference.fdr,
            ),
        ] {
            let found = fdr.iter().map(|&fdr| fdr <= judgement.level);
            study
                .errors
                .entry(name)
                .or_default()
                .take(found.zip(&truths));
        }
    }

    fn max_t(
        &self,
        name: &'static str,
        evidence: &ExtendedTables,
        judgement: Judgement,
        study: &mut Study,
    ) {
        let found = evidence.permutations.as_ref();
        let atoms = &found.expect("permutations").atoms;
        self.take(study, name, |atom| atoms[atom].p <= judgement.level);
    }

    /// Takes a procedure's discoveries; nothing is to be discovered of an atom that has an odds ratio
    /// of 1 within types.
    fn take(&self, study: &mut Study, name: &'static str, found: impl Fn(usize) -> bool) {
        let atoms = self.cohort.truth.iter().enumerate();
        let atoms = atoms.map(|(atom, truth)| (found(atom), truth));
        study.errors.entry(name).or_default().take(atoms);
    }

    fn discoveries(&self, evidence: &ExtendedTables, judgement: Judgement, study: &mut Study) {
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

    fn intervals(&self, evidence: &ExtendedTables, judgement: Judgement, study: &mut Study) {
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
                let (atom, truth) = (&evidence.atoms[place], &self.cohort.truth[place]);
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
                let is_in = |&place: &usize| {
                    is_in(&evidence.atoms[place].table, self.cohort.truth[place].kind)
                };
                take(group, &mut (0..FEATURES).filter(is_in));
            }
            take(STRONGEST, &mut strongest.iter().copied());
        }
    }

    /// Of all planted atoms: those that come out strongest have intervals that lie too far out, which
    /// is no fault of the interval's.
    fn bootstrap(&self, judgement: Judgement, study: &mut Study) {
        let Cohort {
            calls,
            sets,
            truth,
            planted,
        } = &self.cohort;
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
        let lists: Vec<_> = planted.iter().map(|&atom| fires(atom)).collect();
        let bootstrap = Bootstrap {
            blocks: &Blocks::loci(&chrom, &pos, Options::DEFAULT.locus_distance),
            replicates: REPLICATES,
            seed: self.number,
        };
        let log_odds = |_, tables: [Table2x2; 2]| effect::log_odds_ratio(&tables[0]).value;
        let intervals = bootstrap.intervals(
            &CallLabels::new(&is_tp, |_| false),
            &FiringsByAtom::of_lists(&lists),
            &log_odds,
            &Control::default(),
        );
        let held = intervals
            .expect("calls of one cohort")
            .into_iter()
            .zip(planted);
        let held = held.map(|((low, high), planted)| {
            let middle = f64::midpoint(low, high);
            let ends = (
                narrow(low, middle, judgement),
                narrow(high, middle, judgement),
            );
            holds(ends, truth[*planted as usize].log_odds)
        });
        study
            .coverage
            .entry(("bootstrap", PLANTED))
            .or_default()
            .take(held);
    }
}

fn homogeneity(
    strata: &'static str,
    evidence: &ExtendedTables,
    truth: &[Parameters],
    study: &mut Study,
) {
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
