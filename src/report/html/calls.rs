//! The calls that are examples of atoms.

use std::collections::HashMap;

use serde_json::json;

use super::columns::Island;
use super::escape::short;
use super::pack::{pack, sections};
use crate::cohort::Label;
use crate::control::Control;
use crate::error::Result;
use crate::fires::FiringStore;

/// The most calls whose IDs a page has.
const MOST_IDS: usize = 200_000;

/// Texts that many calls share, each once.
#[derive(Default)]
struct Names {
    numbers: HashMap<String, u32>,
    list: Vec<String>,
}

impl Names {
    /// The number of a text, from 1; 0 of a missing one.
    fn number(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return 0 };
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        self.list.push(short(text));
        let number = self.list.len() as u32;
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

/// The island with the given calls of a store (numbers among those that have a firing set, ascending).
///
/// Numbers come first: their length in bytes, and then sections: chromosome, position, type, |length|,
/// sign of the length, label, dataset, reason, chromosome and position of the other end. JSON follows:
/// the names that these refer to, and IDs.
pub(super) fn island(store: &dyn FiringStore, wanted: &[u32], control: &Control) -> Result<Island> {
    let mut arrays = vec![Vec::new(); 10];
    let mut names: [Names; 4] = Default::default();
    let has_ids = wanted.len() <= MOST_IDS;
    let mut ids: Vec<Option<String>> = Vec::new();
    let (mut number, mut next) = (0_u32, wanted.iter().copied().peekable());
    store.blocks(&mut |block| {
        control.check()?;
        for (row, _) in block.sets.iter() {
            if next.next_if_eq(&number).is_some() {
                let call = block.calls.get(row);
                let length = call.svlen.as_f64();
                let values = [
                    names[0].number(call.chrom),
                    whole(call.pos.as_f64()),
                    names[1].number(call.svtype),
                    whole(length.abs()),
                    u32::from(length < 0.0),
                    u32::from(block.calls.label(row) == Label::Tp),
                    names[2].number(call.dataset),
                    names[3].number(call.reason),
                    names[0].number(call.mate_chrom),
                    whole(call.mate_pos.as_f64()),
                ];
                for (array, value) in arrays.iter_mut().zip(values) {
                    array.push(value);
                }
                if has_ids {
                    ids.push(call.id.map(short));
                }
            }
            number += 1;
        }
        Ok(())
    })?;
    let numbers = sections(&arrays);
    let [chrom, svtype, dataset, reason] = names.map(|names| names.list);
    let texts = json!({
        "chrom": chrom, "svtype": svtype, "dataset": dataset, "reason": reason, "id": ids,
    });
    let mut bytes = (numbers.len() as u32).to_le_bytes().to_vec();
    bytes.extend(numbers);
    bytes.extend(texts.to_string().into_bytes());
    Ok(Island {
        id: "calls".to_owned(),
        text: pack(&bytes),
    })
}

/// A position or a length as a whole number; 0 of what is none.
fn whole(number: f64) -> u32 {
    number as u32
}
