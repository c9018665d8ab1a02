//! What the memo's opcodes do to the machine.

use super::machine::Machine;
use super::opcode as op;
use super::scan::PickleError;

impl Machine<'_> {
    fn line_index(&mut self) -> Result<u32, PickleError> {
        let line = self.scan.line_text()?;
        line.trim()
            .parse()
            .map_err(|_| self.scan.fail(format!("memo index {line:?}"), "a number"))
    }

    pub(super) fn recall(&mut self, opcode: u8) -> Result<(), PickleError> {
        let index = match opcode {
            op::BINGET => u32::from(u8::from_le_bytes(self.scan.array()?)),
            op::LONG_BINGET => u32::from_le_bytes(self.scan.array()?),
            _ => self.line_index()?,
        };
        let Some(id) = self.memo.get(index) else {
            let found = format!("memo index {index}, which nothing was put under");
            return Err(self.scan.fail(found, "an index in the memo"));
        };
        self.push_id(id);
        Ok(())
    }

    pub(super) fn remember(&mut self, opcode: u8) -> Result<(), PickleError> {
        let id = self.top()?;
        match opcode {
            op::MEMOIZE => self.memo.push(id),
            op::BINPUT => {
                let [index] = self.scan.array()?;
                self.memo.put(u32::from(index), id);
            }
            op::LONG_BINPUT => {
                let index = u32::from_le_bytes(self.scan.array()?);
                self.memo.put(index, id);
            }
            _ => {
                let index = self.line_index()?;
                self.memo.put(index, id);
            }
        }
        Ok(())
    }
}
