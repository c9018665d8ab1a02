//! Every activation on the CPU: its rate beside that of top-k, torch's rate by thresholds, and rows
//! unlike the definition.
//!
//! ```sh
//! cargo bench --bench activations                              # rates, 4096 -> 32768
//! cargo bench --bench activations -- --python PROGRAM          # and torch's, in the same rounds
//! cargo bench --bench activations -- --exact-rows 100000       # rows unlike the definition
//! ```
//!
//! Rates are medians of rounds in which all take turns; *±* is half the spread. `--rows` and
//! `--rounds` change their numbers. PROGRAM is a Python with numpy and torch.

#[allow(dead_code)]
#[path = "shared/definition.rs"]
mod definition;
#[path = "activations/exact.rs"]
mod exact;
#[path = "activations/model.rs"]
mod model;
#[path = "activations/rates.rs"]
mod rates;
#[path = "shared/rules.rs"]
mod rules;
#[path = "activations/torch.rs"]
mod torch;

/// The number behind an option's name, or `default`.
fn number(arguments: &[String], name: &str, default: usize) -> usize {
    text(arguments, name).map_or(default, |text| text.parse().expect("a whole number"))
}

/// What stands behind an option's name.
fn text<'a>(arguments: &'a [String], name: &str) -> Option<&'a String> {
    let place = arguments.iter().position(|argument| argument == name)?;
    arguments.get(place + 1)
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let exact_rows = number(&arguments, "--exact-rows", 0);
    if exact_rows > 0 {
        exact::check(exact_rows);
        return;
    }
    let rows = number(&arguments, "--rows", 2048);
    let rounds = number(&arguments, "--rounds", 5);
    rates::measure(rows, rounds, text(&arguments, "--python"));
}
