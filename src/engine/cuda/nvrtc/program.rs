//! One program of NVRTC's, from its source to its code.

use std::ffi::{CString, c_char, c_int};

use cudarc::nvrtc::sys::{nvrtcProgram, nvrtcResult};

use super::calls::{Calls, Size, Write, calls};
use super::{Family, REINSTALL, REPORT, succeeded};
use crate::engine::cuda::fault::Fault;

/// A program of NVRTC's.
pub(super) struct Program {
    raw: nvrtcProgram,
    calls: &'static Calls,
}

impl Program {
    pub(super) fn new(family: &Family) -> Result<Self, Fault> {
        let calls = calls()?;
        let text = |text: String| {
            CString::new(text).map_err(|_| {
                Fault::failed(
                    format!("kernels/{}.cu has a zero byte", family.name),
                    REPORT,
                )
            })
        };
        let source = text(family.source.to_owned())?;
        let name = text(format!("{}.cu", family.name))?;
        let mut program = std::ptr::null_mut();
        // SAFETY: the texts end in zero and outlive the call, which copies them; there are no
        // headers.
        let result = unsafe {
            (calls.create)(
                &raw mut program,
                source.as_ptr(),
                name.as_ptr(),
                0,
                std::ptr::null(),
                std::ptr::null(),
            )
        };
        succeeded(result, "take a program")?;
        Ok(Self {
            raw: program,
            calls,
        })
    }

    pub(super) fn compile(&self, options: &[String]) -> nvrtcResult {
        let options: Vec<CString> = options
            .iter()
            .filter_map(|option| CString::new(option.as_str()).ok())
            .collect();
        let pointers: Vec<*const c_char> = options.iter().map(|option| option.as_ptr()).collect();
        let count = c_int::try_from(pointers.len()).unwrap_or(0);
        // SAFETY: the program is alive; so are as many texts that end in zero as are announced.
        unsafe { (self.calls.compile)(self.raw, count, pointers.as_ptr()) }
    }

    /// Returns the messages of the compilation; empty where NVRTC gives none.
    pub(super) fn log(&self) -> String {
        let bytes = self.bytes(self.calls.log_size, self.calls.log);
        let bytes = bytes.unwrap_or_default();
        let end = bytes
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(bytes.len());
        String::from_utf8_lossy(&bytes[..end]).into_owned()
    }

    pub(super) fn cubin(&self) -> Result<Vec<u8>, Fault> {
        let bytes = self
            .bytes(self.calls.cubin_size, self.calls.cubin)
            .map_err(|result| format!("{result:?}"));
        match bytes {
            Ok(bytes) if !bytes.is_empty() => Ok(bytes),
            Ok(_) => Err("0 bytes".to_owned()),
            Err(result) => Err(result),
        }
        .map_err(|why| {
            Fault::failed(
                format!("NVRTC gave no code for a kernel ({why})"),
                REINSTALL,
            )
        })
    }

    /// Reads the bytes that `write` writes; `size` says how many there are.
    fn bytes(&self, size: Size, write: Write) -> Result<Vec<u8>, nvrtcResult> {
        let check = |result| match result {
            nvrtcResult::NVRTC_SUCCESS => Ok(()),
            other => Err(other),
        };
        let mut bytes = 0;
        // SAFETY: the program is alive; the size is written to `bytes`.
        check(unsafe { size(self.raw, &raw mut bytes) })?;
        let mut buffer = vec![0_u8; bytes];
        if !buffer.is_empty() {
            // SAFETY: as many bytes are written as were said to be needed.
            check(unsafe { write(self.raw, buffer.as_mut_ptr().cast()) })?;
        }
        Ok(buffer)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // SAFETY: the program is alive, and nobody has it after this. A failure would leave
        // memory behind, which nobody can do anything about.
        let _ = unsafe { (self.calls.destroy)(&raw mut self.raw) };
    }
}
