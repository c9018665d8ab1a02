//! How the stand-in libraries are compiled and linked (see `emulator.rs`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const DRIVER: &str = "deadlock devices errors fiber_stacks fibers launch memory queues streams";
const BLAS: &str = "blas tensor_cores";
const NVRTC: &str = "nvrtc";
const SELF_TEST: &str = "selftest/arithmetic selftest/compile selftest/program selftest/queues";
const LIBRARIES: [&str; 3] = ["libcuda.so.1", "libcublas.so.13", "libnvrtc.so.13"];

/// Contraction and fast math would change what the kernels compute.
pub(super) const FLAGS: &str = "\
    -std=c++17 -g1 -fPIC -fvisibility=hidden -ffp-contract=off -fno-fast-math \
    -Wno-unknown-pragmas";
/// Sections of shared arrays are watched too; `alignment` finds vectors at odd addresses, which
/// are a fault on a device.
pub(super) const WATCH: &str = "\
    -fsanitize=address,alignment -fno-sanitize-recover=alignment -fsanitize-sections=shared_* \
    -fno-omit-frame-pointer";

fn words(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split_whitespace()
}

/// A C++ compiler, and what it says of its version.
pub(super) struct Compiler {
    pub(super) tool: cc::Tool,
    pub(super) version: Vec<u8>,
}

impl Compiler {
    /// The one of the machine, if it has one that can be started.
    pub(super) fn find(triple: &str) -> Option<Self> {
        let mut build = cc::Build::new();
        build
            .cpp(true)
            .target(triple)
            .host(triple)
            .opt_level(2)
            .no_default_flags(true);
        let tool = build.cargo_metadata(false).try_get_compiler().ok()?;
        let output = tool.to_command().arg("--version").output().ok()?;
        output.status.success().then_some(Self {
            tool,
            version: output.stdout,
        })
    }

    /// A library that comes with the compiler. That of another compiler would not do.
    pub(super) fn library(&self, name: &str) -> Option<PathBuf> {
        if self.tool.is_like_clang() {
            return None;
        }
        let output = self
            .tool
            .to_command()
            .arg(format!("-print-file-name={name}"))
            .output()
            .ok()?;
        let path = PathBuf::from(String::from_utf8(output.stdout).ok()?.trim());
        // The bare name comes back where there is no such library.
        path.is_absolute()
            .then(|| path.canonicalize().ok())
            .flatten()
    }
}

/// The libraries of one folder in the making.
pub(super) struct Work<'a> {
    pub(super) compiler: &'a Compiler,
    /// Under `AddressSanitizer`.
    pub(super) watch: bool,
    pub(super) folder: &'a Path,
}

impl Work<'_> {
    /// Compiles and links everything. `kernels`: paths of `.cu` files and their families.
    pub(super) fn all(&self, kernels: &[(PathBuf, String)], with_self_test: bool) {
        let mut compile: Vec<Command> = Vec::new();
        compile.extend(words(DRIVER).map(|name| self.compile(name, self.watch)));
        // What the products touch is checked before; under the sanitizer they would be too slow.
        let others = words(BLAS).chain(words(NVRTC));
        compile.extend(others.map(|name| self.compile(name, false)));
        compile.extend(
            kernels
                .iter()
                .map(|(path, family)| self.compile_kernels(path, family)),
        );
        if with_self_test {
            compile.extend(words(SELF_TEST).map(|name| self.compile(name, false)));
        }
        std::fs::create_dir(self.folder.join("objects")).expect("a folder for objects");
        run_all(compile);

        let families = kernels
            .iter()
            .map(|(_, family)| format!("kernels-of-{family}"));
        let driver = words(DRIVER).map(str::to_owned).chain(families);
        run(&mut self.link("libcuda.so.1", driver, self.watch));
        let mut blas = self.link("libcublas.so.13", words(BLAS).map(str::to_owned), false);
        run(blas.arg(self.folder.join("libcuda.so.1")));
        run(&mut self.link("libnvrtc.so.13", words(NVRTC).map(str::to_owned), false));
        if with_self_test {
            self.link_self_test();
        }
        // The libraries have all that debuggers and the sanitizer want to know.
        let _ = std::fs::remove_dir_all(self.folder.join("objects"));
    }

    fn command(&self, watch: bool) -> Command {
        let mut command = self.compiler.tool.to_command();
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(words(FLAGS));
        if watch {
            command.args(words(WATCH));
        }
        command
    }

    fn object(&self, name: &str) -> PathBuf {
        let name = format!("{}.o", name.replace('/', "-"));
        self.folder.join("objects").join(name)
    }

    fn compile(&self, name: &str, watch: bool) -> Command {
        let mut command = self.command(watch);
        let source = format!("tests/emulator/{name}.cpp");
        command
            .args(["-O3", "-c", &source, "-o"])
            .arg(self.object(name));
        command
    }

    fn compile_kernels(&self, path: &Path, family: &str) -> Command {
        let mut command = self.command(self.watch);
        command.args(["-O2", "-Ikernels", "-c", "tests/emulator/kernel_file.cpp"]);
        command.arg(format!("-DEMULATED_SOURCE=\"{}\"", path.display()));
        command.arg(format!("-DEMULATED_FAMILY={family}"));
        command
            .arg("-o")
            .arg(self.object(&format!("kernels-of-{family}")));
        command
    }

    fn link(&self, library: &str, objects: impl Iterator<Item = String>, watch: bool) -> Command {
        let mut command = self.command(watch);
        command
            .args(["-shared", "-Wl,-rpath,$ORIGIN"])
            .arg(format!("-Wl,-soname,{library}"));
        command.arg("-o").arg(self.folder.join(library));
        command.args(objects.map(|name| self.object(&name)));
        command
    }

    /// The program knows nothing of the sanitizer: it is started with it, as Rust programs are.
    fn link_self_test(&self) {
        let mut command = self.command(false);
        command.args([
            "-pthread",
            "-Wl,-rpath,$ORIGIN",
            "-Wl,--allow-shlib-undefined",
            "-o",
        ]);
        command.arg(self.folder.join("selftest"));
        command.args(words(SELF_TEST).map(|name| self.object(name)));
        command.args(LIBRARIES.map(|name| self.folder.join(name)));
        run(&mut command);
    }
}

fn run_all(commands: Vec<Command>) {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    let commands: Vec<_> = commands.into_iter().map(Mutex::new).collect();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(command) = commands.get(next.fetch_add(1, Ordering::Relaxed)) {
                    run(&mut command.lock().expect("taken once"));
                }
            });
        }
    });
}

fn run(command: &mut Command) {
    let output = command.output().expect("the C++ compiler starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{said}");
}
