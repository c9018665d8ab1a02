#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| atomscope_fuzz::bodies::vcf::run(bytes));
