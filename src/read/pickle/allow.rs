//! The Python names that have a meaning here. Even these are never called: a later step reads what
//! their call would have made. Any other name is foreign.

/// Says whether `module.name` is known and harmless.
pub(super) fn is_known(module: &str, name: &str) -> bool {
    match module {
        "collections" => matches!(name, "OrderedDict" | "defaultdict" | "Counter"),
        "torch" => is_torch(name),
        "torch.cuda" => name.ends_with("Storage"),
        "torch._utils" => matches!(
            name,
            "_rebuild_tensor"
                | "_rebuild_tensor_v2"
                | "_rebuild_tensor_v3"
                | "_rebuild_parameter"
                | "_rebuild_parameter_with_state"
        ),
        "torch.nn.parameter" => matches!(name, "Parameter" | "Buffer"),
        "torch._tensor" => name == "_rebuild_from_type_v2",
        "torch.storage" => matches!(name, "UntypedStorage" | "TypedStorage" | "_UntypedStorage"),
        "torch.serialization" => name == "_get_layout",
        "numpy" => matches!(name, "ndarray" | "dtype" | "generic") || is_numpy_scalar(name),
        "numpy.dtypes" => name.ends_with("DType"),
        "numpy.core.multiarray" | "numpy._core.multiarray" => {
            matches!(name, "_reconstruct" | "scalar")
        }
        "numpy.core.numeric" | "numpy._core.numeric" => name == "_frombuffer",
        "_codecs" => name == "encode",
        "builtins" | "__builtin__" => is_builtin(name),
        "pathlib" | "pathlib._local" => matches!(
            name,
            "Path" | "PosixPath" | "WindowsPath" | "PurePath" | "PurePosixPath" | "PureWindowsPath"
        ),
        "argparse" => name == "Namespace",
        "types" => name == "SimpleNamespace",
        "datetime" => matches!(
            name,
            "datetime" | "date" | "time" | "timedelta" | "timezone"
        ),
        _ => false,
    }
}

/// Says whether a call of `module.name` makes no object, but runs commands or code, changes files,
/// or reaches other machines.
pub(super) fn is_harmful(module: &str, name: &str) -> bool {
    const RUN: [&str; 8] = [
        "eval",
        "exec",
        "execfile",
        "compile",
        "open",
        "__import__",
        "breakpoint",
        "input",
    ];
    match module {
        "builtins" | "__builtin__" => RUN.contains(&name),
        // These are facts about files, in plain tuples.
        "os" | "posix" | "nt" => !name.ends_with("_result"),
        "code" => name.starts_with("Interactive") || name == "interact",
        _ => matches!(
            module,
            "_posixsubprocess"
                | "bdb"
                | "commands"
                | "ctypes"
                | "importlib"
                | "importlib._bootstrap"
                | "pdb"
                | "pip"
                | "pip._internal"
                | "pty"
                | "runpy"
                | "shutil"
                | "socket"
                | "subprocess"
                | "sys"
                | "timeit"
                | "urllib.request"
                | "webbrowser"
        ),
    }
}

fn is_torch(name: &str) -> bool {
    name.ends_with("Storage")
        || matches!(
            name,
            "Size" | "device" | "Tensor" | "dtype" | "strided" | "contiguous_format"
        )
        || is_torch_dtype(name)
}

fn is_torch_dtype(name: &str) -> bool {
    const STEMS: [&str; 8] = [
        "float", "bfloat", "int", "uint", "complex", "double", "half", "long",
    ];
    name == "bool"
        || name == "short"
        || STEMS.iter().any(|stem| {
            name.strip_prefix(stem).is_some_and(|rest| {
                rest.chars().all(|c| c.is_ascii_digit()) || rest.starts_with("8_")
            })
        })
}

fn is_numpy_scalar(name: &str) -> bool {
    [
        "float",
        "int",
        "uint",
        "bool",
        "str",
        "bytes",
        "void",
        "longdouble",
    ]
    .iter()
    .any(|stem| {
        name.strip_prefix(stem)
            .is_some_and(|rest| rest.chars().all(|c| c.is_ascii_digit() || c == '_'))
    })
}

fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "set"
            | "frozenset"
            | "list"
            | "tuple"
            | "dict"
            | "complex"
            | "slice"
            | "range"
            | "bytearray"
            | "bytes"
            | "str"
            | "unicode"
            | "int"
            | "long"
            | "float"
            | "bool"
            | "object"
    )
}

#[cfg(test)]
mod tests {
    use super::{is_harmful, is_known};

    #[test]
    fn is_known_accepts_harmless_names_only() {
        for (module, name) in [
            ("torch", "FloatStorage"),
            ("torch", "uint16"),
            ("torch", "float8_e4m3fn"),
            ("numpy", "float64"),
            ("builtins", "set"),
        ] {
            assert!(is_known(module, name), "{module}.{name}");
        }
        for (module, name) in [
            ("builtins", "eval"),
            ("builtins", "getattr"),
            ("os", "system"),
            ("torch", "load"),
            ("torch", "Storage.load"),
            ("torch", "intrusive"),
            ("numpy", "load"),
            ("torch.nn.modules.linear", "Linear"),
            ("", ""),
        ] {
            assert!(!is_known(module, name), "{module}.{name}");
        }
    }

    #[test]
    fn is_harmful_recognizes_calls_that_run_something() {
        for (module, name) in [
            ("posix", "system"),
            ("nt", "system"),
            ("builtins", "eval"),
            ("__builtin__", "execfile"),
            ("subprocess", "Popen"),
            ("importlib", "import_module"),
        ] {
            assert!(is_harmful(module, name), "{module}.{name}");
        }
        for (module, name) in [
            ("builtins", "getattr"),
            ("builtins", "slice"),
            ("os", "stat_result"),
            ("decimal", "Decimal"),
            ("pandas.core.frame", "DataFrame"),
            ("codecs", "lookup"),
            ("urllib.parse", "ParseResult"),
            ("code.models", "Encoder"),
        ] {
            assert!(!is_harmful(module, name), "{module}.{name}");
        }
    }
}
