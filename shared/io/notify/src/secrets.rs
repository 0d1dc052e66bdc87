//! Files with secrets and with certificates.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use service::config::Secret;

/// No password, key or address is longer.
const SECRET_BYTES_MAX: u64 = 4_096;
/// The authorities of a whole system fit.
const CERTIFICATES_BYTES_MAX: u64 = 1 << 20;

/// The first line of a file that only its owner can read.
pub(crate) fn secret(path: &Path) -> Result<Secret<String>, String> {
    let file = File::open(path).map_err(|failed| cannot_read(path, &failed))?;
    let mode = file.metadata().map_err(|failed| cannot_read(path, &failed))?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(format!(
            "{} can be read or changed by others (mode {mode:o}): chmod 600",
            path.display()
        ));
    }
    let text = read(file, path, SECRET_BYTES_MAX)?;
    let line = text.lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err(format!("{} begins with an empty line; expected the secret", path.display()));
    }
    Ok(Secret::new(line.to_owned()))
}

/// A file with PEM certificates.
pub(crate) fn certificates(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|failed| cannot_read(path, &failed))?;
    read(file, path, CERTIFICATES_BYTES_MAX)
}

fn read(file: File, path: &Path, bytes_max: u64) -> Result<String, String> {
    let mut text = String::new();
    let read = file.take(bytes_max + 1).read_to_string(&mut text);
    let length = read.map_err(|failed| cannot_read(path, &failed))?;
    if length as u64 > bytes_max {
        return Err(format!("{} is longer than {bytes_max} bytes", path.display()));
    }
    Ok(text)
}

fn cannot_read(path: &Path, failed: &std::io::Error) -> String {
    format!("cannot read {}: {failed}", path.display())
}
