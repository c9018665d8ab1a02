#!/usr/bin/env bash
# zip 9.8.1 (the Rust crate), torch 2.15.0 and numpy 2.4.6, Python 3.11
# torch.save names the folder in its archive after the file, and its archives have 64-bit end records
# though nothing in them is large. One would guess that a reader of zip opens all of them or none.
# The crate, with its default options, refuses those whose file name has 21 characters before .pt: it
# looks for the directory by its size before the last record, finds itself 76 bytes further on (the
# 64-bit records), and where the first entry takes just 76 bytes, takes the second entry for the first.
# With Config { archive_offset: ArchiveOffset::Known(0) } it reads them.
# Seen: 20 characters opens; 21 InvalidArchive("Invalid Central Directory header"); 22 opens.
# Exit code 0 while that is so. Needs cargo.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv env
env/bin/pip install --quiet torch==2.15.0 numpy==2.4.6
env/bin/python - <<'EOF'
import torch

for length in (20, 21, 22):
    torch.save(torch.zeros(2), "x" * length + ".pt")
EOF
mkdir -p reader/src
cat > reader/Cargo.toml <<'EOF'
[package]
name = "reader"
version = "0.1.0"
edition = "2021"

[dependencies]
zip = { version = "=9.8.1", default-features = false }
EOF
cat > reader/src/main.rs <<'EOF'
fn main() {
    let opens: Vec<bool> = [20, 21, 22]
        .iter()
        .map(|&length| {
            let file = std::fs::File::open("x".repeat(length) + ".pt").unwrap();
            let found = zip::ZipArchive::new(std::io::BufReader::new(file));
            println!("{length} characters: {:?}", found.as_ref().map(|zip| zip.len()));
            found.is_ok()
        })
        .collect();
    std::process::exit(if opens == [true, false, true] { 0 } else { 1 });
}
EOF
cargo build --quiet --release --manifest-path reader/Cargo.toml
reader/target/release/reader
