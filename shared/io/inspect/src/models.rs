//! Model documents in files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use model::{MODEL_BYTES_MAX, ModelDocument};

use crate::InspectError;

/// Reads a document; of a file that is longer than any document no more than shows it.
pub(crate) fn read_model(path: &Path) -> Result<ModelDocument, InspectError> {
    let mut bytes = Vec::new();
    let read =
        File::open(path).and_then(|file| file.take(MODEL_BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|reason: io::Error| InspectError::Recording { path: path.to_owned(), reason })?;
    ModelDocument::decode(&bytes).map_err(|reason| InspectError::Model { path: path.to_owned(), reason })
}
