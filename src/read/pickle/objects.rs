//! The opcodes of containers, names and calls.

use super::chain::Chain;
use super::chain::Id;
use super::machine::{LONGEST_NAME, Machine};
use super::opcode as op;
use super::scan::PickleError;
use super::value::{Document, Object, Value};

type Step<T = ()> = Result<T, PickleError>;

/// Containers.
impl Machine<'_> {
    pub(super) fn tuple(&mut self, opcode: u8) -> Step {
        let (start, len) = match opcode {
            op::TUPLE => self.above_mark(|machine, items| machine.pool.fixed(items))?,
            op::TUPLE1 => {
                let items = [self.pop()?];
                self.pool.fixed(&items)
            }
            op::TUPLE2 => {
                let (b, a) = (self.pop()?, self.pop()?);
                self.pool.fixed(&[a, b])
            }
            _ => {
                let (c, b, a) = (self.pop()?, self.pop()?, self.pop()?);
                self.pool.fixed(&[a, b, c])
            }
        };
        self.push(Value::Tuple(start, len));
        Ok(())
    }

    /// Makes a container of all items above the mark.
    pub(super) fn whole(&mut self, opcode: u8) -> Step {
        let (chain, count) = self
            .above_mark(|machine, items| (machine.pool.append(Chain::EMPTY, items), items.len()))?;
        self.push(match opcode {
            op::LIST => Value::List(chain),
            op::FROZENSET => Value::Set(chain),
            _ => {
                self.even(count)?;
                Value::Dict(chain)
            }
        });
        Ok(())
    }

    fn even(&self, count: usize) -> Step {
        if count.is_multiple_of(2) {
            return Ok(());
        }
        Err(self
            .scan
            .fail("a key without a value", "keys and values in turn"))
    }

    pub(super) fn append(&mut self, opcode: u8) -> Step {
        if opcode == op::APPEND {
            let item = self.pop()?;
            let container = self.top()?;
            return self.append_to(container, &[item]);
        }
        let items = self.above_mark(|_, items| items.to_vec())?;
        let container = self.top()?;
        self.append_to(container, &items)
    }

    fn append_to(&mut self, container: Id, items: &[Id]) -> Step {
        let grown = match self.value(container) {
            Value::List(chain) => Value::List(self.pool.append(chain, items)),
            Value::Set(chain) => Value::Set(self.pool.append(chain, items)),
            Value::Object(number) => {
                if let Some(object) = self.objects.get_mut(number as usize) {
                    object.items = self.pool.append(object.items, items);
                }
                return Ok(());
            }
            other => return Err(self.scan.fail(other.kind(), "a list or a set to add to")),
        };
        self.replace(container, grown);
        Ok(())
    }

    pub(super) fn set_items(&mut self, opcode: u8) -> Step {
        let items = if opcode == op::SETITEM {
            let (value, key) = (self.pop()?, self.pop()?);
            vec![key, value]
        } else {
            self.above_mark(|_, items| items.to_vec())?
        };
        self.even(items.len())?;
        let container = self.top()?;
        match self.value(container) {
            Value::Dict(chain) => {
                let grown = Value::Dict(self.pool.append(chain, &items));
                self.replace(container, grown);
            }
            Value::Object(number) => {
                if let Some(object) = self.objects.get_mut(number as usize) {
                    object.entries = self.pool.append(object.entries, &items);
                }
            }
            other => return Err(self.scan.fail(other.kind(), "a dict to set items of")),
        }
        Ok(())
    }

    fn replace(&mut self, id: Id, value: Value) {
        if let Some(slot) = self.values.get_mut(id as usize) {
            *slot = value;
        }
    }
}

/// Names, calls and persistent ids.
impl Machine<'_> {
    pub(super) fn named(&mut self, opcode: u8) -> Step {
        let (module, name) = if opcode == op::GLOBAL {
            let module = self.scan.line_text()?.to_owned();
            (module, self.scan.line_text()?.to_owned())
        } else {
            let (name, module) = (self.pop()?, self.pop()?);
            (self.owned_text(module)?, self.owned_text(name)?)
        };
        let id = self.intern(module, name);
        self.push_id(id);
        Ok(())
    }

    /// Returns a text that is a module or a name.
    fn owned_text(&self, id: Id) -> Step<String> {
        match self.value(id) {
            Value::Str(_, len) if len as usize > LONGEST_NAME => Err(self.scan.fail(
                format!("a name of {len} bytes"),
                "a module's or a class's name",
            )),
            Value::Str(start, len) => {
                Ok(String::from_utf8_lossy(self.raw(start, len)).into_owned())
            }
            other => Err(self.scan.fail(other.kind(), "a name as text")),
        }
    }

    pub(super) fn called(&mut self, opcode: u8) -> Step {
        match opcode {
            op::BUILD => return self.build(),
            op::INST => {
                let module = self.scan.line_text()?.to_owned();
                let name = self.scan.line_text()?.to_owned();
                let (start, len) = self.above_mark(|machine, items| machine.pool.fixed(items))?;
                let callable = self.intern(module, name);
                let args = self.add(Value::Tuple(start, len));
                self.object(callable, args);
            }
            op::OBJ => {
                let split = self.above_mark(|machine, items| {
                    let (callable, args) = items.split_first()?;
                    Some((*callable, machine.pool.fixed(args)))
                })?;
                let Some((callable, (start, len))) = split else {
                    return Err(self.scan.fail("nothing above the mark", "a class"));
                };
                let args = self.add(Value::Tuple(start, len));
                self.object(callable, args);
            }
            _ => {
                if opcode == op::NEWOBJ_EX {
                    // Keyword arguments: no known class takes any.
                    self.pop()?;
                }
                let (args, callable) = (self.pop()?, self.pop()?);
                if !matches!(self.value(args), Value::Tuple(..)) {
                    let found = self.value(args).kind();
                    return Err(self.scan.fail(found, "a tuple of arguments"));
                }
                self.object(callable, args);
            }
        }
        Ok(())
    }

    fn object(&mut self, callable: Id, args: Id) {
        let number = self.objects.len() as u32;
        self.objects.push(Object {
            callable,
            args,
            state: Document::NONE,
            items: Chain::EMPTY,
            entries: Chain::EMPTY,
        });
        self.push(Value::Object(number));
    }

    fn build(&mut self) -> Step {
        let state = self.pop()?;
        let target = self.top()?;
        match self.value(target) {
            Value::Object(number) => {
                if let Some(object) = self.objects.get_mut(number as usize) {
                    object.state = state;
                }
                Ok(())
            }
            other => Err(self.scan.fail(other.kind(), "an object to give a state")),
        }
    }

    pub(super) fn persistent(&mut self, opcode: u8) -> Step {
        let id = if opcode == op::BINPERSID {
            self.pop()?
        } else {
            let (start, len) = self.scan.line()?;
            self.add(Value::Str(start, len))
        };
        self.push(Value::Persistent(id));
        Ok(())
    }
}
