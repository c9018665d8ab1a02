//! Encoding: the stages of a run, and all of it, by shape and screen.

use std::cell::LazyCell;

use atomscope::engine::CpuScreen;
use criterion::{BenchmarkId, Criterion, Throughput};

use crate::floors::Floors;
use crate::group;
use crate::lines::{Lines, sum};
use crate::shapes::{Case, SHAPES, screens};
use crate::stage::Stage;

pub(crate) fn bench(criterion: &mut Criterion, floors: &Floors, lines: &mut Lines) {
    let screens = screens();
    // A shape after the other: the weights of all together would take gigabytes.
    for shape in SHAPES {
        let case = Case::new(shape);
        for &screen in &screens {
            bench_stages(criterion, floors, lines, &case, screen);
        }
    }
}

/// A stage is timed by what the engine says that it took, in runs of all stages.
fn bench_stages(
    criterion: &mut Criterion,
    floors: &Floors,
    lines: &mut Lines,
    case: &Case,
    screen: CpuScreen,
) {
    let shape = case.shape;
    let rows = shape.timed_rows(screen);
    let engine = LazyCell::new(|| case.engine(screen, false));
    let scoring = LazyCell::new(|| case.engine(screen, true));
    for (name, stage) in Stage::ALL {
        let mut runs = Vec::new();
        let mut group = group(criterion, name);
        group.throughput(Throughput::Elements(rows as u64));
        group.bench_function(BenchmarkId::new(screen.to_string(), shape), |bencher| {
            // Made, and compared, before the clock starts.
            let engine = if stage == Stage::Score {
                LazyCell::force(&scoring)
            } else {
                LazyCell::force(&engine)
            };
            bencher.iter_custom(|times| {
                let first = runs.len();
                runs.extend((0..times).map(|_| engine.encode(rows)));
                sum(runs[first..].iter().map(|run| stage.seconds(run)))
            });
        });
        group.finish();
        if !runs.is_empty() {
            let name = format!("{name}/{screen}/{shape}");
            lines.add(&stage.line(name, shape, screen, floors, &runs));
        }
    }
}
