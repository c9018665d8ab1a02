//! The places of foreign names in a pickle. A breadth-first walk from the root finds a shortest
//! path to each.

use std::collections::{HashMap, VecDeque};

use super::allow::{is_harmful, is_known};
use super::chain::Id;
use super::value::{Document, Value};

/// A Python name without a meaning here, and the keys that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Foreign {
    /// `module.name`.
    pub(crate) name: String,
    /// The path, as `config.optimizer`, or the byte offset if no key leads there.
    pub(crate) place: String,
}

/// Lists all foreign names of a pickle.
pub(crate) fn foreign_globals(document: &Document) -> Vec<Foreign> {
    let names = document.globals.iter().zip(0..);
    let foreign = names.filter(|(global, _)| !is_known(&global.module, &global.name));
    places(document, foreign.map(|(_, number)| number))
}

/// Finds the first call that would run something if Python loaded the pickle.
pub(crate) fn harmful_call(document: &Document) -> Option<Foreign> {
    let called = document.objects.iter().find_map(|object| {
        let Value::Global(number) = document.value(object.callable) else {
            return None;
        };
        let global = document.globals.get(number as usize)?;
        is_harmful(&global.module, &global.name).then_some(number)
    });
    places(document, called.into_iter()).pop()
}

/// Returns names by their numbers, and their places.
fn places(document: &Document, numbers: impl Iterator<Item = u32>) -> Vec<Foreign> {
    let mut wanted: Vec<(u32, Option<String>)> = numbers.map(|number| (number, None)).collect();
    if !wanted.is_empty() {
        Walk::new(document).find(&mut wanted);
    }
    wanted
        .into_iter()
        .filter_map(|(number, place)| {
            let global = document.globals.get(number as usize)?;
            let place = place.unwrap_or_else(|| format!("pickle byte {}", global.offset));
            Some(Foreign {
                name: global.path(),
                place,
            })
        })
        .collect()
}

/// The step by which a value was reached from its parent.
#[derive(Clone, Copy)]
enum Step {
    Unseen,
    Part,
    Key(Id),
    Index(u32),
}

struct Walk<'a> {
    document: &'a Document,
    reached: Vec<(Id, Step)>,
    queue: VecDeque<Id>,
}

impl<'a> Walk<'a> {
    fn new(document: &'a Document) -> Self {
        let mut walk = Self {
            document,
            reached: vec![(0, Step::Unseen); document.values.len()],
            queue: VecDeque::new(),
        };
        walk.reach(document.root, document.root, Step::Part);
        walk
    }

    fn reach(&mut self, id: Id, parent: Id, step: Step) {
        if let Some(slot) = self.reached.get_mut(id as usize)
            && matches!(slot.1, Step::Unseen)
        {
            *slot = (parent, step);
            self.queue.push_back(id);
        }
    }

    fn find(&mut self, wanted: &mut [(u32, Option<String>)]) {
        let mut left = wanted.len();
        let numbers = wanted.iter().map(|(number, _)| *number);
        let places: HashMap<u32, usize> = numbers.zip(0..).collect();
        while left > 0
            && let Some(id) = self.queue.pop_front()
        {
            if let Value::Global(number) = self.document.value(id)
                && let Some((_, place)) = places.get(&number).and_then(|&at| wanted.get_mut(at))
            {
                *place = Some(self.path(id));
                left -= 1;
            }
            self.visit(id);
        }
    }

    fn visit(&mut self, id: Id) {
        let document = self.document;
        match document.value(id) {
            Value::Dict(chain) => {
                let mut items = document.pool.iter(chain);
                while let (Some(key), Some(value)) = (items.next(), items.next()) {
                    self.reach(key, id, Step::Part);
                    self.reach(value, id, Step::Key(key));
                }
            }
            Value::Object(_) => self.visit_object(id),
            Value::Persistent(inner) => {
                for &part in document.tuple(inner).unwrap_or_default() {
                    self.reach(part, id, Step::Part);
                }
            }
            _ => {
                let items = document.items(id).into_iter().flatten();
                for (item, index) in items.zip(0..) {
                    self.reach(item, id, Step::Index(index));
                }
            }
        }
    }

    fn visit_object(&mut self, id: Id) {
        let document = self.document;
        let Some(&object) = document.object(id) else {
            return;
        };
        for part in [object.callable, object.state] {
            self.reach(part, id, Step::Part);
        }
        for &arg in document.args(&object) {
            self.reach(arg, id, Step::Part);
        }
        for (item, index) in document.pool.iter(object.items).zip(0..) {
            self.reach(item, id, Step::Index(index));
        }
        let mut entries = document.pool.iter(object.entries);
        while let (Some(key), Some(value)) = (entries.next(), entries.next()) {
            self.reach(key, id, Step::Part);
            self.reach(value, id, Step::Key(key));
        }
    }

    fn path(&self, mut id: Id) -> String {
        const LONGEST: usize = 12;
        let mut steps = Vec::new();
        // Each value was reached once, from one reached before it, so this ends at the root.
        while id != self.document.root
            && let Some(&(parent, step)) = self.reached.get(id as usize)
        {
            match step {
                Step::Unseen => break,
                Step::Part => {}
                Step::Key(key) => steps.push(match self.document.text(key) {
                    Some(text) => format!(".{text}"),
                    None => ".?".to_owned(),
                }),
                Step::Index(index) => steps.push(format!("[{index}]")),
            }
            id = parent;
        }
        let hidden = steps.len().saturating_sub(LONGEST);
        let path: String = steps.into_iter().rev().skip(hidden).collect();
        let path = path.trim_start_matches('.');
        let start = if hidden > 0 { "…" } else { "" };
        match path {
            "" => "the top level".to_owned(),
            _ => format!("{start}{path}"),
        }
    }
}
