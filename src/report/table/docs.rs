//! The meaning of tables and their columns, in Markdown, from the words that are in the tables.

use std::fmt::Write;

use super::Table;

/// A section a table: what it holds, and its columns with type and meaning. The tables may be
/// without rows.
///
/// ```
/// use atomscope::report::table::{Column, Table, Values, docs};
///
/// let table = Table {
///     name: "atoms",
///     about: "One row is an atom.",
///     columns: vec![Column::new("atom", "Its number.", Values::U32(vec![]))],
/// };
/// let text = docs::markdown(&[table]);
/// assert!(text.starts_with("## `atoms`\n\nOne row is an atom.\n\n"));
/// assert!(text.contains("| `atom` | uint32 | Its number. |\n"));
/// ```
pub fn markdown(tables: &[Table]) -> String {
    let sections: Vec<_> = tables.iter().map(section).collect();
    sections.join("\n")
}

fn section(table: &Table) -> String {
    let mut text = format!("## `{}`\n\n{}\n\n", table.name, table.about);
    text += "| column | type | meaning |\n|---|---|---|\n";
    for column in &table.columns {
        let (kind, about) = (column.values.type_name(), cell(column.about));
        let missing = if column.values.may_miss() {
            ", or missing"
        } else {
            ""
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "| `{}` | {kind}{missing} | {about} |", column.name);
    }
    text
}

/// Text within one cell of one row.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
