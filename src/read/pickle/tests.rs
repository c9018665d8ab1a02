//! Tests of the machine on pickles that Python wrote (`pickle.dumps(value, protocol)`).

use super::{Document, Id, Value, load};

fn loaded(bytes: &[u8]) -> Document {
    load(bytes.to_vec(), u64::MAX).unwrap()
}

/// Prints a value as Python does, without cycles: an independent description of the result.
fn shown(document: &Document, id: Id, depth: usize) -> String {
    if depth > 6 {
        return "…".to_owned();
    }
    let inner = |id| shown(document, id, depth + 1);
    let list = |ids: Vec<Id>| ids.into_iter().map(inner).collect::<Vec<_>>().join(", ");
    match document.value(id) {
        Value::None => "None".to_owned(),
        Value::Bool(flag) => if flag { "True" } else { "False" }.to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Long(_, len) => format!("long of {len}"),
        Value::Float(x) => crate::python::repr(x),
        Value::Str(..) => format!("'{}'", document.text(id).unwrap()),
        Value::Bytes(start, len) => format!("{:?}", document.raw(start, len)),
        Value::Tuple(..) => format!("({})", list(document.items(id).unwrap().collect())),
        Value::List(_) => format!("[{}]", list(document.items(id).unwrap().collect())),
        Value::Set(_) => format!("set({})", list(document.items(id).unwrap().collect())),
        Value::Dict(_) => {
            let entries = document.entries(id).unwrap();
            let entries: Vec<_> = entries
                .map(|(k, v)| format!("{}: {}", inner(k), inner(v)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Global(_) => document.global(id).unwrap().path(),
        Value::Persistent(id) => format!("persistent {}", inner(id)),
        Value::Object(_) => {
            let object = document.object(id).unwrap();
            format!(
                "{}{} state {}",
                inner(object.callable),
                inner(object.args),
                inner(object.state)
            )
        }
    }
}

fn read(bytes: &[u8]) -> String {
    let document = loaded(bytes);
    shown(&document, document.root, 0)
}

fn error(bytes: &[u8]) -> String {
    load(bytes.to_vec(), u64::MAX)
        .unwrap_err()
        .in_file("x.pt", "data.pkl", 0)
        .to_string()
}

#[test]
fn machine_gives_the_same_values_for_every_protocol() {
    let value = "{'a': [1, -2, 70000, 0.5, None, True], 'b': (1, 'é')}";
    for bytes in [
        &b"(dp0\nVa\np1\n(lp2\nI1\naI-2\naI70000\naF0.5\naNaI01\nasVb\np3\n(I1\nV\xe9\np4\ntp5\ns."[..],
        b"}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xffJp\x11\x01\0G?\xe0\0\0\0\0\0\0NI01\neX\x01\0\0\0bq\x03(K\x01X\x02\0\0\0\xc3\xa9q\x04tq\x05u.",
        b"\x80\x02}q\0(X\x01\0\0\0aq\x01]q\x02(K\x01J\xfe\xff\xff\xffJp\x11\x01\0G?\xe0\0\0\0\0\0\0N\x88eX\x01\0\0\0bq\x03K\x01X\x02\0\0\0\xc3\xa9q\x04\x86q\x05u.",
        b"\x80\x04\x95.\0\0\0\0\0\0\0}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffJp\x11\x01\0G?\xe0\0\0\0\0\0\0N\x88e\x8c\x01b\x94K\x01\x8c\x02\xc3\xa9\x94\x86\x94u.",
    ] {
        assert_eq!(read(bytes), value);
    }
}

#[test]
fn machine_follows_rarer_opcodes() {
    for (bytes, value) in [
        (&b"\x80\x04\x8f\x94(K\x01K\x02\x90."[..], "set(1, 2)"),
        (b"\x80\x04(K\x01K\x02\x91\x94.", "set(1, 2)"),
        (b"\x80\x05\x96\x02\0\0\0\0\0\0\0ab\x94.", "[97, 98]"),
        (b"\x80\x04\x8e\x01\0\0\0\0\0\0\0z.", "[122]"),
        (b"\x80\x04\x8d\x01\0\0\0\0\0\0\0z.", "'z'"),
        (b"\x80\x02\x8a\x02\xff\xff.", "-1"),
        (b"\x80\x02\x8a\0.", "0"),
        (b"\x80\x02\x8a\x09\0\0\0\0\0\0\0\0\x01.", "long of 9"),
        (b"\x80\x02\x8b\x01\0\0\0\x07.", "7"),
        (b"L123L\n.", "123"),
        (b"S'a\\x41\\n\\''\n.", "'aA\n''"),
        (b"V\\u00e9\\\\x\n.", "'é\\\\x'"),
        (b"ios\nsystem\n(S'x'\ntR.", "os.system('x') state None"),
        (b"\x80\x04\x8c\x01m\x8c\x01n\x93)\x81}b.", "m.n() state {}"),
        (
            b"\x80\x04\x8c\x01m\x8c\x01n\x93K\x01\x85}\x92.",
            "m.n(1) state None",
        ),
        (b"(cm\nn\nK\x01o.", "m.n(1) state None"),
        (b"(K\x01im\nn\n.", "m.n(1) state None"),
        (b"Pkey\n.", "persistent 'key'"),
        (b"K\x01K\x022\x87.", "(1, 2, 2)"),
        (b"K\x01K\x020.", "1"),
        (b"K\x01(K\x02K\x031.", "1"),
    ] {
        // INST calls a class with its arguments alone; REDUCE needs GLOBAL.
        let bytes = if bytes.starts_with(b"ios") {
            b"c".iter().chain(&bytes[1..]).copied().collect()
        } else {
            bytes.to_vec()
        };
        assert_eq!(read(&bytes), value, "{bytes:?}");
    }
}

#[test]
fn machine_keeps_shared_values_and_survives_cycles() {
    let document = loaded(b"\x80\x02]q\0(]q\x01h\x01h\x01K\x05ah\0e.");
    let items: Vec<_> = document.items(document.root).unwrap().collect();
    assert_eq!((items[0], items[3]), (items[1], document.root));
    assert_eq!(shown(&document, items[0], 0), "[5]");
}

#[test]
fn machine_ignores_bytes_after_stop() {
    let document = loaded(b"\x80\x02K\x01.\x80\x02K\x02.");
    assert_eq!((document.end, document.bytes.len()), (5, 5));
}

#[test]
fn errors_name_byte_and_opcode() {
    for (bytes, parts) in [
        (&b"\x80\x02K"[..], ["byte 3", "BININT1", "cut short"]),
        (b"\x80\x02]", ["byte 3", "the end", "cut short"]),
        (
            b"\x80\x02X\xff\xff\xff\x7fab",
            ["BINUNICODE", "2 of 2147483647", "cut short"],
        ),
        (b"\x80\x02h\x09.", ["byte 2", "BINGET", "memo index 9"]),
        (b"\x80\x02.", ["byte 2", "STOP", "an empty stack"]),
        (b"\x80\x02t.", ["byte 2", "TUPLE", "no mark"]),
        (b"\x80\x02K\x01(a.", ["byte 5", "APPEND", "an empty stack"]),
        (
            b"\x80\x02K\x01K\x02a.",
            ["APPEND", "an int", "a list or a set"],
        ),
        (
            b"\x80\x02}(K\x01u.",
            ["SETITEMS", "a key without a value", "damaged"],
        ),
        (b"\x80\x06.", ["PROTO", "protocol 6", "at most 5"]),
        (b"\xfe", ["byte 0", "0xfe", "protocols 0 to 5"]),
    ] {
        let message = error(bytes);
        for part in parts {
            assert!(message.contains(part), "{part:?} in {message}");
        }
    }
}

/// Checks that Python's registry and out-of-band buffers become names without a meaning.
#[test]
fn machine_takes_outside_values_as_foreign_names() {
    for (bytes, name) in [
        (&b"\x80\x02]\x82\x01a."[..], "copyreg.extension 1"),
        (b"\x80\x02]\x83\x01\x02a.", "copyreg.extension 513"),
        (b"\x80\x02]\x84\x01\0\0\x01a.", "copyreg.extension 16777217"),
        (b"\x80\x05]\x97a.", "pickle.PickleBuffer"),
        (b"\x80\x05]\x97\x98a.", "pickle.PickleBuffer"),
    ] {
        let document = loaded(bytes);
        let foreign = super::foreign_globals(&document);
        assert_eq!((&*foreign[0].name, &*foreign[0].place), (name, "[0]"));
    }
}

#[test]
fn harmful_calls_are_found_anywhere() {
    for bytes in [
        &b"\x80\x02}X\x01\0\0\0acposix\nsystem\nX\x02\0\0\0ls\x85Rs."[..],
        b"\x80\x02}X\x01\0\0\0a(c__builtin__\neval\nX\x01\0\0\x001os.",
        b"\x80\x02}X\x01\0\0\0a(X\x01\0\0\x001iposix\nsystem\ns.",
        b"\x80\x02}X\x01\0\0\0acsubprocess\nPopen\n)\x81s.",
    ] {
        let call = super::harmful_call(&loaded(bytes)).unwrap();
        assert_eq!(call.place, "a", "{call:?}");
    }
    // A name that is not called is unused data.
    let named = loaded(b"\x80\x02}X\x01\0\0\0acposix\nsystem\ns.");
    assert_eq!(super::harmful_call(&named), None);
}

#[test]
fn machine_huge_memo_index_costs_one_entry() {
    assert_eq!(read(b"K\x01r\xff\xff\xff\xff0j\xff\xff\xff\xff."), "1");
}
