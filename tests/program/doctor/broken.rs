//! Libraries that are there and cannot be used.

use std::fs;
use std::os::unix::fs::symlink;

use super::{Command, Path, doctor, doctor_with, folder, line, nvrtc, skipped, text};

/// Every library, as the report calls it and as its file is called.
const LIBRARIES: [(&str, &str); 3] = [
    ("NVIDIA driver", "libcuda.so.1"),
    ("NVRTC", "libnvrtc.so.13"),
    ("cuBLAS", "libcublas.so.13"),
];

/// The functions of cuBLAS that are called.
const OF_CUBLAS: [&str; 6] = [
    "cublasCreate_v2",
    "cublasDestroy_v2",
    "cublasSetStream_v2",
    "cublasGetVersion_v2",
    "cublasGetProperty",
    "cublasGemmEx_64",
];

/// A library of nothing but these functions, which do nothing; `None` without a C compiler.
fn stub(path: &Path, soname: &str, functions: &[&str]) -> Option<()> {
    let source = path.with_extension("c");
    let code = functions.iter().fold(String::new(), |code, function| {
        code + &format!("int {function}(void) {{ return 1; }}\n")
    });
    fs::write(&source, code).expect("written");
    let built = Command::new("cc")
        .args([
            "-shared",
            "-fPIC",
            "-nostdlib",
            &format!("-Wl,-soname,{soname}"),
            "-o",
        ])
        .args([path, &source])
        .status();
    fs::remove_file(&source).expect("removed");
    built.is_ok_and(|status| status.success()).then_some(())
}

/// A report's line says that this library is missing, and why, and names the file.
fn assert_missing(folder: &Path, what: &str, file: &Path, words: &str) {
    let (code, report) = doctor_with(folder);
    let line = line(&report, what);
    assert!(line.starts_with("missing  "), "{line}");
    assert!(line.contains(&file.display().to_string()), "{line}");
    assert!(line.contains(words), "{words:?} is not in {line}");
    // A broken driver hides the devices; with another library broken, a device that is there
    // cannot be used.
    let usable = report.contains("ok       cuda:");
    assert_eq!(code, Some(if usable { 3 } else { 0 }), "{report}");
}

#[test]
fn a_file_that_is_no_library_is_named() {
    let elf = fs::read(env!("CARGO_BIN_EXE_atomscope")).expect("read");
    let mut other_processor = elf[..4096].to_vec();
    other_processor[18..20].copy_from_slice(&8_u16.to_le_bytes());
    let mut narrow = elf[..4096].to_vec();
    narrow[4] = 1;
    for (content, words) in [
        (&b""[..], "empty file"),
        (b"not a library\n", "no library"),
        (b"\x7fELF", "no library"),
        (&elf[..elf.len() - 1], "cut short"),
        (&elf[..4096], "cut short"),
        (&other_processor, "another kind of processor"),
        (&narrow, "no library"),
    ] {
        for (what, name) in LIBRARIES {
            let folder = folder();
            let file = folder.path().join(name);
            fs::write(&file, content).expect("written");
            assert_missing(folder.path(), what, &file, words);
        }
    }
}

#[test]
fn a_name_that_is_no_file_is_named() {
    for (what, name) in LIBRARIES {
        let folder = folder();
        let file = folder.path().join(name);
        symlink("nowhere", &file).expect("linked");
        assert_missing(folder.path(), what, &file, "cannot read it");
        fs::remove_file(&file).expect("removed");
        fs::create_dir(&file).expect("made");
        assert_missing(folder.path(), what, &file, "cannot read it");
    }
}

#[test]
fn a_library_without_its_functions_is_named_with_one() {
    for ((what, name), function) in
        LIBRARIES
            .into_iter()
            .zip(["cuInit", "nvrtcVersion", "cublasCreate_v2"])
    {
        let folder = folder();
        let file = folder.path().join(name);
        if stub(&file, name, &[]).is_none() {
            return skipped("libraries without functions", "there is no C compiler (cc)");
        }
        let words = format!("has no function {function}");
        assert_missing(folder.path(), what, &file, &words);
        // cudarc asks the loader, and would be given the same.
        let found = doctor(&[("LD_LIBRARY_PATH", folder.path())], &[]);
        let report = text(&found.stdout);
        let line = line(&report, what);
        assert!(line.contains(&format!("{name} {words}")), "{line}");
    }
}

#[test]
fn a_library_that_lacks_any_one_function_is_not_used() {
    for lacking in OF_CUBLAS {
        let folder = folder();
        let file = folder.path().join("libcublas.so.13");
        let others: Vec<_> = OF_CUBLAS.into_iter().filter(|f| *f != lacking).collect();
        if stub(&file, "libcublas.so.13", &others).is_none() {
            return skipped(
                "libraries that lack a function",
                "there is no C compiler (cc)",
            );
        }
        assert_missing(
            folder.path(),
            "cuBLAS",
            &file,
            &format!("has no function {lacking}"),
        );
    }
    let folder = folder();
    let file = folder.path().join("libcublas.so.13");
    stub(&file, "libcublas.so.13", &OF_CUBLAS).expect("built as before");
    let (_, report) = doctor_with(folder.path());
    let found = line(&report, "cuBLAS");
    assert!(found.starts_with("ok "), "{found}");

    // It is called by its path, whatever it calls itself.
    stub(&file, "libelse.so", &OF_CUBLAS).expect("built as before");
    let (_, report) = doctor_with(folder.path());
    let found = line(&report, "cuBLAS");
    assert!(found.contains(&file.display().to_string()), "{found}");
}

/// A toolkit's folder on the loader's path has the library's name without a version, which the loader
/// is asked for first.
#[test]
fn a_named_folder_wins_over_an_unversioned_library_of_the_loaders() {
    let (named, other) = (folder(), folder());
    let file = named.path().join("libcublas.so.13");
    let of_loader = other.path().join("libcublas.so");
    if stub(&file, "libcublas.so.13", &OF_CUBLAS).is_none() {
        return skipped("two versions of a library", "there is no C compiler (cc)");
    }
    stub(&of_loader, "libcublas.so.12", &OF_CUBLAS).expect("built as before");
    let variables = [
        ("LD_LIBRARY_PATH", other.path()),
        ("ATOMSCOPE_CUDA_LIBRARIES", named.path()),
    ];
    let report = text(&doctor(&variables, &[]).stdout);
    let found = line(&report, "cuBLAS");
    assert!(found.starts_with("ok "), "{found}");
    assert!(found.contains(&file.display().to_string()), "{found}");
    // Without the folder it is the loader's.
    let report = text(&doctor(&[("LD_LIBRARY_PATH", other.path())], &[]).stdout);
    assert!(
        line(&report, "cuBLAS").contains("libcublas.so)"),
        "{report}"
    );
}

/// NVRTC asks for the driver by itself, and would end the process.
#[test]
#[ignore = "needs an NVRTC: ATOMSCOPE_TEST_NVRTC=FOLDER"]
fn a_driver_without_functions_does_not_end_nvrtc_and_the_process() {
    let nvrtc = nvrtc();
    let folder = folder();
    if stub(
        &folder.path().join("libcuda.so.1"),
        "libcuda.so.1",
        &["cuInit"],
    )
    .is_none()
    {
        return skipped(
            "a broken driver beside NVRTC",
            "there is no C compiler (cc)",
        );
    }
    let variables = [
        ("LD_LIBRARY_PATH", folder.path()),
        ("ATOMSCOPE_CUDA_LIBRARIES", &nvrtc),
    ];
    let output = doctor(&variables, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    let line = line(&report, "NVRTC");
    assert!(line.starts_with("missing  "), "{line}");
    assert!(
        line.contains("libcuda.so.1 has no function cuGetExportTable"),
        "{line}"
    );
    assert_eq!(
        doctor(&variables, &["--kernels", "90"]).status.code(),
        Some(3)
    );
}
