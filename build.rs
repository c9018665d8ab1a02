//! Embeds the CUDA kernels into the program: one text a family, whole in itself, so that NVRTC
//! needs no folder of headers where the program runs. Neither a GPU nor a compiler for one is
//! needed to build.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

use sha2::{Digest, Sha256};

/// The folder of the kernels.
const KERNELS: &str = "kernels";

/// One file each, in the order in which they are compiled and listed.
const FAMILIES: [&str; 8] = [
    "whiten",
    "input",
    "select",
    "select_groups",
    "select_threshold",
    "rescore",
    "tally",
    "coactivate",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={KERNELS}");
    println!("cargo::rerun-if-changed=build.rs");
    let out = env::var("OUT_DIR")?;
    match generated() {
        Ok(text) => fs::write(Path::new(&out).join("kernels.rs"), text)?,
        // Cargo shows this as it is, where it would show an error of `main` between quotes.
        Err(problem) => println!("cargo::error={problem}"),
    }
    Ok(())
}

/// The Rust file that `src/engine/cuda/nvrtc.rs` includes.
fn generated() -> Result<String, String> {
    let mut families = String::new();
    let mut digest = Sha256::new();
    for name in FAMILIES {
        let source = expand(&format!("{name}.cu"), &mut BTreeSet::new())?;
        digest.update((source.len() as u64).to_le_bytes());
        digest.update(&source);
        let _ = writeln!(
            families,
            "    Family {{ name: {name:?}, source: {source:?} }},"
        );
    }
    let digest: String = digest
        .finalize()
        .iter()
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    Ok(format!(
        "/// Every family of kernels, in the order in which they are compiled and listed.\n\
         pub static FAMILIES: &[Family] = &[\n{families}];\n\n\
         /// The SHA-256 of all their sources, in hexadecimal.\n\
         pub const KERNELS_DIGEST: &str = {digest:?};\n"
    ))
}

/// The text of a file with every `#include "…"` replaced by the file that it names, once each.
/// Messages of the compiler still name the file and line that people edit.
fn expand(file: &str, included: &mut BTreeSet<String>) -> Result<String, String> {
    let path = Path::new(KERNELS).join(file);
    let text = fs::read_to_string(&path).map_err(|error| {
        format!(
            "{}: cannot read it: {error}; it must exist to be built into the program",
            path.display()
        )
    })?;
    let mut whole = format!("#line 1 \"{file}\"\n");
    for (index, line) in text.lines().enumerate() {
        if let Some(header) = included_by(line) {
            if included.insert(header.to_owned()) {
                whole += &expand(header, included)?;
            }
            let _ = writeln!(whole, "#line {} \"{file}\"", index + 2);
        } else if line.trim() == "#pragma once" {
            // It would be one in the main file, which compilers warn of.
            whole.push('\n');
        } else {
            whole += line;
            whole.push('\n');
        }
    }
    Ok(whole)
}

/// The file that a line includes.
fn included_by(line: &str) -> Option<&str> {
    let name = line.trim().strip_prefix("#include \"")?;
    name.strip_suffix('"')
}
