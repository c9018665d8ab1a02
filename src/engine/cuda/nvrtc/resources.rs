//! The resources that each kernel takes of a device, as the assembler reports them.

/// The resources that one kernel takes, for one architecture. Zero stands for a figure that the
/// assembler does not report.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Resources {
    /// The kernel's name.
    pub kernel: String,
    /// Registers of a thread.
    pub registers: u32,
    /// Shared memory of a block, in bytes, besides what the launcher adds.
    pub shared_bytes: u32,
    /// Constant memory for arguments, in bytes.
    pub constant_bytes: u32,
    /// Stack of a thread, in bytes.
    pub stack_bytes: u32,
    /// Bytes of registers that are stored to memory for want of registers, in the code.
    pub spill_store_bytes: u32,
    /// Bytes of registers that are loaded back.
    pub spill_load_bytes: u32,
}

impl Resources {
    /// Says whether the registers did not suffice.
    pub fn spills(&self) -> bool {
        self.spill_store_bytes > 0 || self.spill_load_bytes > 0
    }
}

/// Reads the log of a compilation with `--ptxas-options=-v`; kernels in the order of the log.
///
/// Functions that were not inlined are listed below the kernel that calls them; their spills are
/// added to the kernel's, and the largest stack counts.
pub fn resources(log: &str) -> Vec<Resources> {
    let mut kernels: Vec<Resources> = Vec::new();
    for line in log.lines() {
        if let Some(name) = between(line, "Compiling entry function '", "'") {
            kernels.push(Resources {
                kernel: name.to_owned(),
                ..Resources::default()
            });
            continue;
        }
        let Some(kernel) = kernels.last_mut() else {
            continue;
        };
        if let Some(stack) = number_before(line, " bytes stack frame") {
            kernel.stack_bytes = kernel.stack_bytes.max(stack);
            kernel.spill_store_bytes += number_before(line, " bytes spill stores").unwrap_or(0);
            kernel.spill_load_bytes += number_before(line, " bytes spill loads").unwrap_or(0);
        } else if let Some(registers) = number_before(line, " registers") {
            kernel.registers = registers;
            kernel.shared_bytes = number_before(line, " bytes smem").unwrap_or(0);
            kernel.constant_bytes = number_before(line, " bytes cmem[0]").unwrap_or(0);
        }
    }
    kernels
}

fn between<'a>(line: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

/// The number that stands right before some words.
fn number_before(line: &str, words: &str) -> Option<u32> {
    let (before, _) = line.split_once(words)?;
    let start = before
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    before.get(start..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As NVRTC 13.0 says it, and in the midst of it as CUDA 12 does.
    const LOG: &str = "\
ptxas info    : 8 bytes gmem, 16 bytes cmem[4]
ptxas info    : Compiling entry function 'whiten_half' for 'sm_75'
ptxas info    : Function properties for whiten_half
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 61 registers, used 1 barriers, 288 bytes smem, 376 bytes cmem[0]
ptxas info    : Compile time = 4.766 ms
ptxas info    : Compiling entry function 'select_top' for 'sm_75'
ptxas info    : Function properties for select_top
    40 bytes stack frame, 36 bytes spill stores, 52 bytes spill loads
ptxas info    : Used 255 registers, 352 bytes cmem[0]
ptxas info    : Function properties for helper
    16 bytes stack frame, 4 bytes spill stores, 8 bytes spill loads
ptxas info    : Compiling entry function 'tally_counts' for 'sm_90'
ptxas info    : Function properties for tally_counts
ptxas         .     0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 17 registers, used 0 barriers
";

    #[test]
    fn each_kernel_is_read_with_what_it_takes() {
        let found = resources(LOG);
        let names: Vec<_> = found.iter().map(|r| r.kernel.as_str()).collect();
        assert_eq!(names, ["whiten_half", "select_top", "tally_counts"]);
        assert_eq!(
            (
                found[0].registers,
                found[0].shared_bytes,
                found[0].constant_bytes
            ),
            (61, 288, 376)
        );
        assert!(!found[0].spills());
        assert_eq!(
            (
                found[1].stack_bytes,
                found[1].spill_store_bytes,
                found[1].spill_load_bytes
            ),
            (40, 40, 60)
        );
        assert!(found[1].spills());
        assert_eq!((found[2].registers, found[2].shared_bytes), (17, 0));
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        assert!(resources("").is_empty());
        assert!(resources("Used 9 registers").is_empty());
        let odd = "Compiling entry function 'k' for\nUsed 99999999999 registers\n bytes stack frame\né registers";
        assert_eq!(resources(odd).len(), 1);
        for end in (0..LOG.len()).filter(|&end| LOG.is_char_boundary(end)) {
            resources(&LOG[..end]);
        }
    }
}
