//! Models in our own form know where they are from.

use std::fs;
use std::path::{Path, PathBuf};

use atomscope::Error;
use atomscope::analysis::convert::convert;
use atomscope::control::Control;
use atomscope::digest::Digest;
use atomscope::read::{Identity, LoadedModel, ModelAnswers, read_model_with};

use super::{expected, folder};

fn converted(model: &Path, out: PathBuf, answers: &ModelAnswers) -> PathBuf {
    convert(model, answers, &out, false, &Control::default()).expect("converted");
    out
}

fn read(path: &Path) -> atomscope::Result<LoadedModel> {
    read_model_with(path, &ModelAnswers::default())
}

/// A file of the notebook's kind.
fn notebook() -> PathBuf {
    folder().with_file_name("cohort/data/models/24to72_k6/sae.pt")
}

/// A safetensors file with its header's text changed.
fn with_header(path: &Path, change: impl Fn(&str) -> String) {
    let bytes = fs::read(path).expect("a file");
    let (length, rest) = bytes.split_first_chunk::<8>().expect("8 bytes");
    let (header, numbers) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let changed = change(std::str::from_utf8(header).expect("JSON"));
    let length = (changed.len() as u64).to_le_bytes();
    fs::write(path, [&length, changed.as_bytes(), numbers].concat()).expect("writable");
}

#[test]
fn conversion_of_a_converted_model_keeps_its_whole_origin() {
    let place = tempfile::tempdir().expect("a folder");
    let name = "overcomplete-topk";
    let model = folder().join(name);
    let answers = expected()[name].answers();
    let none = ModelAnswers::default();
    let first = converted(&model, place.path().join("first.safetensors"), &answers);
    let second = converted(&first, place.path().join("second.safetensors"), &none);
    let third = converted(&second, place.path().join("third.safetensors"), &none);
    let [once, twice, thrice] = [&first, &second, &third].map(|path| {
        let about = read(path).expect("a model").about;
        assert_eq!(about.family, "atomscope");
        about.origin.expect("an origin")
    });
    assert!(once.family.starts_with("overcomplete"), "{}", once.family);
    assert!(
        once.assumed
            .iter()
            .any(|sentence| sentence.contains("as answered"))
    );
    assert_eq!(
        (&twice.family, &twice.assumed),
        (&once.family, &once.assumed)
    );
    let names: Vec<_> = thrice.files.iter().map(|file| &*file.name).collect();
    assert!(
        names.ends_with(&["first.safetensors", "second.safetensors"]),
        "{names:?}"
    );
    assert_eq!(thrice.files[..twice.files.len()], twice.files);
    assert_eq!(twice.files[..once.files.len()], once.files);
    let digest = Digest::of(&fs::read(&second).expect("a file")).to_string();
    assert_eq!(thrice.files.last().expect("a file").sha256, digest);
}

#[test]
fn identity_of_a_converted_model_is_of_its_own_numbers_alone() {
    let place = tempfile::tempdir().expect("a folder");
    let none = ModelAnswers::default();
    let of_file = Digest::of(&fs::read(notebook()).expect("a file"));
    let first = converted(&notebook(), place.path().join("first.safetensors"), &none);
    let path = converted(&first, place.path().join("second.safetensors"), &none);
    let digest = |model: &LoadedModel| model.identity.digest(&model.sae, Digest::of(b"its file"));
    let good = read(&path).expect("a model");
    assert_eq!(digest(&good).expect("its own"), of_file);

    // One bit of a weight.
    let bytes = fs::read(&path).expect("a file");
    let mut spoiled = bytes.clone();
    *spoiled.last_mut().expect("a byte") ^= 0x40;
    fs::write(&path, spoiled).expect("writable");
    let model = read(&path).expect("a model, of other numbers");
    assert!(matches!(digest(&model), Err(Error::Input { .. })));
    let text = digest(&model).expect_err("not its own").to_string();
    assert!(
        text.contains("content") && text.contains("convert the model again"),
        "{text}"
    );
    let again = convert(
        &path,
        &none,
        &place.path().join("n"),
        false,
        &Control::default(),
    );
    assert!(again.is_err());

    // Without the digest of the content the identity is not taken.
    fs::write(&path, &bytes).expect("writable");
    with_header(&path, |header| {
        header.replacen("\"content\"", "\"contents\"", 1)
    });
    let model = read(&path).expect("a model");
    assert_eq!(model.identity, Identity::Content);
    assert_eq!(digest(&model).expect("its own"), model.sae.digest());
}

#[test]
fn origins_that_no_conversion_writes_are_refused() {
    let place = tempfile::tempdir().expect("a folder");
    let none = ModelAnswers::default();
    let path = converted(&notebook(), place.path().join("a.safetensors"), &none);
    let bytes = fs::read(&path).expect("a file");
    for (from, to, key) in [
        ("\\\"name\\\"", "\\\"nome\\\"", "files"),
        ("\\\"sha256\\\":\\\"", "\\\"sha256\\\":\\\"x", "files"),
        ("\"assumed\":\"[", "\"assumed\":\"{", "assumed"),
        ("\"identity\":\"", "\"identity\":\"x", "identity"),
        ("\"content\":\"", "\"content\":\"x", "content"),
    ] {
        fs::write(&path, &bytes).expect("writable");
        with_header(&path, |header| {
            assert!(header.contains(from), "{from} in {header}");
            header.replacen(from, to, 1)
        });
        let text = read(&path).expect_err(key).to_string();
        assert!(
            text.contains(key) && text.contains("convert the model again"),
            "{text}"
        );
    }
}
