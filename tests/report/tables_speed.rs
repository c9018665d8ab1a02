//! How fast tables are written. Run by hand:
//! `cargo test --release --test report tables_speed -- --ignored --nocapture`.

use std::io::{self, Write};
use std::time::Instant;

use atomscope::report::table::{Column, Table, Values, parquet, tsv};
use rand::{RngExt, SeedableRng};

/// Counts what is written, so that the memory for it is not part of what is timed.
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn name(i: usize) -> &'static str {
    Box::leak(format!("column_{i:02}").into_boxed_str())
}

/// As the tables are: some counts, figures with all their digits, some missing.
fn table(rows: usize, columns: usize) -> Table {
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(7);
    let mut column = |i: usize| {
        let value = |_| match i % 5 {
            _ if random.random::<f64>() < 0.01 => f64::NAN,
            0 => random.random::<f64>(),
            1 => -(random.random::<f64>().ln()) * 30.0,
            2 => (random.random::<f64>() - 0.5) * 4.0,
            3 => (random.random::<f64>() * 900.0).floor() / 64.0,
            _ => random.random::<f64>().powi(40),
        };
        let values = (0..rows).map(value).collect();
        Column::new(name(i), "A figure.", Values::F64(values))
    };
    let mut columns: Vec<_> = (2..columns).map(&mut column).collect();
    let counts = |by: u32| {
        Values::U32(
            (0..rows as u32)
                .map(|i| (i.wrapping_mul(by)) >> 12)
                .collect(),
        )
    };
    columns.insert(0, Column::new("atom", "Its number.", counts(4096)));
    columns.insert(1, Column::new("support", "Calls.", counts(2_654_435_761)));
    Table {
        name: "speed",
        about: "One row is a row.",
        columns,
    }
}

/// Processor time of the process in seconds, which others on the machine do not lengthen as they do
/// the wall clock's; 0 where there is no /proc.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace();
    // User and system time, fields 14 and 15, in hundredths.
    let ticks = fields
        .skip(11)
        .take(2)
        .filter_map(|x| x.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

fn time(what: &str, columns: usize, rows: usize, mut work: impl FnMut() -> usize) {
    const TIMES: u32 = 5;
    let raw = (rows * columns * 8) as f64;
    let (before, mut least, mut bytes) = (processor(), f64::INFINITY, 0);
    for _ in 0..TIMES {
        let start = Instant::now();
        bytes = work();
        least = least.min(start.elapsed().as_secs_f64());
    }
    let used = (processor() - before) / f64::from(TIMES);
    let (rate, share) = (raw / used / 1e6, bytes as f64 / raw);
    println!(
        "{what}: best of {TIMES} {least:.3} s; {used:.3} s of processor time, {rate:.0} MB of \
         values a second of it; {share:.3} of their bytes"
    );
}

#[test]
#[ignore = "by hand, in release"]
fn speed() {
    let atoms = table(65_536, 50);
    let threads = |n| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .expect("a pool")
    };
    for n in [1, 2] {
        threads(n).install(|| {
            time(
                &format!("Parquet, 65,536 x 50, {n} threads"),
                50,
                65_536,
                || {
                    let mut bytes = Counted(0);
                    parquet::write(&atoms, &mut bytes).expect("a counter takes it");
                    bytes.0
                },
            );
            time(
                &format!("TSV, 65,536 x 50, {n} threads"),
                50,
                65_536,
                || {
                    let mut bytes = Counted(0);
                    tsv::write(&atoms, &mut bytes).expect("a counter takes it");
                    bytes.0
                },
            );
        });
    }
    // Eight million rows, in pieces of a million.
    let pairs = table(1_000_000, 25);
    time("Parquet, 8,000,000 x 25", 25, 8_000_000, || {
        let mut bytes = Counted(0);
        let mut writer = parquet::Writer::begin(&pairs, &mut bytes).expect("a table");
        for _ in 0..8 {
            writer.add(&pairs).expect("a counter takes it");
        }
        writer.finish().expect("a counter takes it");
        bytes.0
    });
}
