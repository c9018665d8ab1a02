//! Folders that some library takes for one thing.

use std::path::Path;

use crate::error::Error;

/// The advice for a checkpoint of torch.distributed.checkpoint, or a part of it.
const DISTRIBUTED: &str = "make one file of its folder: python -m \
     torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER FILE.pt";

/// The error of a file that is part of a checkpoint in a folder; `None` of any other file. Some tensors
/// of it may look like a file of their own.
pub(super) fn part(path: &Path) -> Option<Error> {
    let is_shard = path.extension().is_some_and(|ending| ending == "distcp");
    let is_index = || {
        path.file_name().is_some_and(|name| name == ".metadata")
            && path.with_file_name("__0_0.distcp").is_file()
    };
    (is_shard || is_index()).then(|| {
        Error::input(
            path.display().to_string(),
            "the file",
            "a part of a checkpoint of torch.distributed.checkpoint",
            "a whole file",
            DISTRIBUTED,
        )
    })
}

/// The error of a folder that some library takes for one thing; `None` of any other folder.
pub(super) fn folder(path: &Path) -> Option<Error> {
    let has = |name: &str| path.join(name).exists();
    let ends = |ending: &str| {
        let mut entries = std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .take(1000);
        entries.any(|entry| entry.path().extension().is_some_and(|e| e == ending))
    };
    let (found, action) = if has(".metadata") && ends("distcp") || ends("distcp") {
        ("a checkpoint of torch.distributed.checkpoint", DISTRIBUTED)
    } else if [".zarray", ".zgroup", "zarr.json"].into_iter().any(has) {
        (
            "a Zarr store",
            "in Python: numpy.save(\"embeddings.npy\", zarr.open(FOLDER)[:]), with the array's key \
             before [:] where it is a group",
        )
    } else if has("dataset_dict.json") || has("dataset_info.json") && has("state.json") {
        (
            "a dataset of datasets.save_to_disk",
            "give the files data-*.arrow in it, which are read as they are",
        )
    } else {
        return None;
    };
    let file = path.display().to_string();
    Some(Error::input(file, "the folder", found, "a file", action))
}
