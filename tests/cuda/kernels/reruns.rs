//! The tests of kernels again, as a device may differ: in the order of its threads, in its age, and
//! in what it does about accesses beyond the end of memory.

use std::process::Command;

use crate::common::{emulator, gpu};

/// Tests whose size is their point, and these ones.
const SKIPPED: [&str; 2] = ["large", "reruns"];

/// The test program, to run the quick tests of kernels with a setting.
fn again() -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["kernels::", "twins::"]);
    for name in SKIPPED {
        command.args(["--skip", name]);
    }
    // Fewer cases each: there are many runs.
    command.env("PROPTEST_CASES", "20");
    command
}

fn assert_passes(command: &mut Command, way: &str) {
    let output = command.output().expect("this program starts again");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{way}:\n{out}\n{errors}");
    // A filter that matches nothing passes as well.
    let ran = out.lines().filter(|line| line.ends_with("... ok")).count();
    assert!(ran >= 15, "{way}: only {ran} tests ran:\n{out}");
}

#[test]
fn threads_may_take_turns_in_any_order() {
    if gpu::is_real() || gpu::device().is_none() {
        return;
    }
    for seed in [0, 2, 3, 4, 5, 6, 7, 8] {
        let seed = u64::to_string(&seed);
        let setting = ("ATOMSCOPE_EMULATOR_SEED", seed.as_str());
        assert_passes(again().envs([setting]), &format!("seed {seed}"));
    }
}

#[test]
fn old_devices_have_the_bound_of_their_own() {
    if gpu::is_real() || gpu::device().is_none() {
        return;
    }
    assert_passes(
        again().env("ATOMSCOPE_EMULATOR_CC", "75"),
        "compute capability 7.5",
    );
}

#[test]
fn nothing_beyond_the_end_of_memory_is_touched() {
    if gpu::is_real() || gpu::device().is_none() {
        return;
    }
    let Some(watched) = emulator::libraries_with_address_sanitizer() else {
        return;
    };
    let mut command = again();
    command.env(
        atomscope::engine::cuda::probe::FOLDERS_VARIABLE,
        &watched.folder,
    );
    assert_passes(watched.watch(&mut command), "under AddressSanitizer");
}
