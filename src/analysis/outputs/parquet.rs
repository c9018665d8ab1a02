//! Tables as Parquet, where that is built in.

#[cfg(feature = "parquet")]
pub(super) use written::*;

#[cfg(not(feature = "parquet"))]
pub(super) use left_out::*;

#[cfg(feature = "parquet")]
mod written {
    use std::io;

    use crate::report::table::{Table, parquet};
    use crate::report::tables;
    use crate::stats::pairs::Pairs;

    pub(in crate::analysis::outputs) const IS_WRITTEN: bool = true;

    pub(in crate::analysis::outputs) fn write(
        table: &Table,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        parquet::write(table, out)
    }

    pub(in crate::analysis::outputs) fn write_pairs(
        pairs: &Pairs,
        out: &mut dyn io::Write,
    ) -> io::Result<()> {
        let mut writer = parquet::Writer::begin(&tables::pairs(pairs.chunk(0..0)), out)?;
        let numbers = serde_json::to_string(&pairs.numbers())?;
        writer.note(parquet::PAIRS, numbers);
        for start in (0..pairs.len()).step_by(parquet::GROUP) {
            let end = pairs.len().min(start + parquet::GROUP);
            writer.add(&tables::pairs(pairs.chunk(start..end)))?;
        }
        writer.finish()
    }
}

/// Without Parquet, its tables are not written.
#[cfg(not(feature = "parquet"))]
#[expect(clippy::unnecessary_wraps, reason = "stands for what can fail")]
mod left_out {
    use std::io;

    use crate::report::table::Table;
    use crate::stats::pairs::Pairs;

    pub(in crate::analysis::outputs) const IS_WRITTEN: bool = false;

    pub(in crate::analysis::outputs) fn write(_: &Table, _: &mut dyn io::Write) -> io::Result<()> {
        Ok(())
    }

    pub(in crate::analysis::outputs) fn write_pairs(
        _: &Pairs,
        _: &mut dyn io::Write,
    ) -> io::Result<()> {
        Ok(())
    }
}
