//! Folders that some library takes for one thing.

use std::path::Path;

use crate::error::Error;

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
        (
            "a checkpoint of torch.distributed.checkpoint",
            "make one file of it: python -m torch.distributed.checkpoint.format_utils dcp_to_torch \
             FOLDER FILE.pt",
        )
    } else if [".zarray", ".zgroup", "zarr.json"].into_iter().any(has) {
        (
            "a Zarr store",
            "in Python: numpy.save(\"embeddings.npy\", zarr.open(FOLDER)[:]), with the array's key \
             before [:] where it is a group",
        )
    } else if has("dataset_dict.json") || has("dataset_info.json") && has("state.json") {
        (
            "a dataset of datasets.save_to_disk",
            "in Python: data = datasets.load_from_disk(FOLDER).with_format(\"numpy\"); \
             numpy.save(\"embeddings.npy\", data[COLUMN])",
        )
    } else {
        return None;
    };
    let file = path.display().to_string();
    Some(Error::input(file, "the folder", found, "a file", action))
}
