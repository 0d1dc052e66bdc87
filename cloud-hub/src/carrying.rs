//! Bundles that somebody brings: looked at as a whole, then taken in chunk by chunk.
//!
//! A command asks the running hub through a directory ([`requests`]), since only that has the one committer.

pub mod requests;

use std::path::Path;
use std::sync::Arc;

use delivery::{BadChunk, BundleError, BundleReader, BundledBatch, ChunkDamage};
use provisioning::{Authority, BundleFile, ImportedBundle, NotAllowed, NotForUs};
use serde::{Deserialize, Serialize};
use service::logging::chain;
use tracing::{info, warn};

use crate::reception::import::{ImportEnd, Imported, Importer};

/// What became of a file.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// Whose batches are in it, as its name at the hub.
    pub node: Option<String>,
    /// Its part of its export.
    pub part: Option<u32>,
    /// Whether the export ends with it.
    pub is_last: Option<bool>,
    /// BLAKE3 of its index, in hexadecimal: what the node wrote down about it too.
    pub hash: Option<String>,
    /// What became of its batches.
    pub imported: Imported,
    /// Chunks that gave nothing.
    pub damaged: Vec<DamagedChunk>,
    /// Why nothing more was taken.
    pub refusal: Option<Refusal>,
}

/// A part of a file that gave nothing.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct DamagedChunk {
    /// Its first byte.
    pub from: u64,
    /// Behind its last byte.
    pub to: u64,
    /// What was in it, when the index could be read: log, first and last batch.
    pub batches: Option<Vec<(u8, u64, u64)>>,
}

/// Why a file, or the rest of it, was not taken.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Refusal {
    /// Stable.
    pub code: String,
    /// In words.
    pub reason: String,
}

impl Refusal {
    fn new(code: &str, reason: &dyn std::fmt::Display) -> Self {
        Self { code: code.to_owned(), reason: reason.to_string() }
    }

    fn of(error: &NotForUs) -> Self {
        let code = match error {
            NotForUs::OtherHub => "STO-IMPORT-OTHER-HUB",
            NotForUs::Certificate { .. } | NotForUs::File(BundleError::Altered { .. }) => {
                "STO-IMPORT-ALTERED"
            }
            NotForUs::File(BundleError::Damaged { .. }) => "STO-IMPORT-DAMAGED",
            NotForUs::File(_) | NotForUs::OtherNode { .. } => "STO-IMPORT-BUNDLE",
        };
        Self::new(code, error)
    }
}

/// Takes bundles into the archive.
#[derive(Clone)]
pub struct Carrying {
    /// Whose bundles they must be.
    pub authority: Arc<Authority>,
    /// Where their batches go.
    pub importer: Importer,
}

type OpenBundle = Arc<ImportedBundle<BundleFile>>;

impl Carrying {
    /// Imports a file: all of it, what is sound of it, or nothing. `who` asked for it.
    pub async fn import(&self, path: &Path, who: &str) -> FileReport {
        let mut report = FileReport { file: path.display().to_string(), ..FileReport::default() };
        if let Err(refusal) = self.import_into(path, &mut report).await {
            report.refusal = Some(refusal);
        }
        self.note(who, &report).await;
        report
    }

    async fn import_into(&self, path: &Path, report: &mut FileReport) -> Result<(), Refusal> {
        let bundle = self.open(path).await?;
        let header = bundle.bundle.header();
        let node = bundle.certificate.node_id;
        report.part = Some(header.part);
        report.is_last = bundle.bundle.is_last();
        report.hash = bundle.bundle.hash().map(|hash| hexadecimal(&hash.0));
        report.node = self.importer.fleet.name(node);
        self.judge(&bundle)?;
        let chunks = bundle.bundle.chunks();
        // All of it is looked at before anything is taken: of a file that somebody altered nothing is.
        for number in 0..chunks {
            match read(&bundle, number).await {
                Err(BadChunk { damage: ChunkDamage::Altered | ChunkDamage::Malformed, bytes, .. }) => {
                    let at =
                        format!("the bytes {} to {} are not what the node sealed", bytes.start, bytes.end);
                    return Err(Refusal::new("STO-IMPORT-ALTERED", &at));
                }
                Err(bad) => report.damaged.push(DamagedChunk::of(&bad)),
                Ok(_) => {}
            }
        }
        let mut import = self.importer.begin(node, &header.logs);
        for number in 0..chunks {
            let Ok(batches) = read(&bundle, number).await else { continue };
            let taken = import.take(&batches).await;
            report.imported = import.imported;
            taken.map_err(|end| refusal_of(&end))?;
        }
        Ok(())
    }

    async fn open(&self, path: &Path) -> Result<OpenBundle, Refusal> {
        let (path, authority) = (path.to_owned(), Arc::clone(&self.authority));
        let opened = tokio::task::spawn_blocking(move || {
            let file = BundleFile::open(&path).map_err(|error| {
                Refusal::new("STO-IMPORT-BUNDLE", &format_args!("it cannot be read: {error}"))
            })?;
            let reader = BundleReader::open(file).map_err(|error| Refusal::of(&error.into()))?;
            authority.open_bundle(reader).map(Arc::new).map_err(|error| Refusal::of(&error))
        });
        opened.await.map_err(|_| Refusal::new("STO-IMPORT-STOPPED", &"the hub stops"))?
    }

    /// Expiry is no reason: a site without a link cannot renew its certificate, and somebody brought the file.
    fn judge(&self, bundle: &ImportedBundle<BundleFile>) -> Result<(), Refusal> {
        let (allowed, certificate) = (self.importer.fleet.allowed(), &bundle.certificate);
        match allowed.judge(certificate, certificate.not_after) {
            Ok(()) => Ok(()),
            Err(NotAllowed::Revoked) if allowed.is_superseded(certificate) => Err(Refusal::new(
                "STO-IMPORT-OLDER",
                &"it was made with an identity that the node has given up since; export again at the station",
            )),
            Err(NotAllowed::Revoked) => Err(Refusal::new("STO-IMPORT-REVOKED", &"its node was revoked")),
            Err(refusal) => Err(Refusal::new(refusal.code(), &refusal)),
        }
    }

    /// Who brought what, for whoever asks later.
    async fn note(&self, who: &str, report: &FileReport) {
        let Imported { new, known, apart } = report.imported;
        let (file, damaged) = (&report.file, report.damaged.len());
        let hash = report.hash.as_deref().unwrap_or("unknown");
        let code = report.refusal.as_ref().map_or("STO-IMPORTED", |refusal| &refusal.code);
        info!(code, who, file, hash, new, known, apart, damaged, "a bundle was brought");
        let text = format!(
            "{who} brought {file}, hash {hash}: {new} batches new, {known} known, {apart} kept apart, {damaged} chunks \
             damaged{}",
            report.refusal.as_ref().map(|refusal| format!("; {}", refusal.reason)).unwrap_or_default()
        );
        let node = report.node.as_ref().and_then(|name| self.importer.fleet.node_id(name));
        if let Err(error) = self.importer.evidence.record(node, code, &text).await {
            warn!(error = chain(&error), "who brought what cannot be written down");
        }
    }
}

/// A chunk, read away from the tasks that must not wait.
async fn read(bundle: &OpenBundle, number: u32) -> Result<Vec<BundledBatch>, BadChunk> {
    let reading = Arc::clone(bundle);
    let read = tokio::task::spawn_blocking(move || reading.bundle.chunk(number, &reading.cipher)).await;
    // Cut off only when the process ends.
    read.unwrap_or(Err(BadChunk { number, bytes: 0..0, damage: ChunkDamage::Unreadable, runs: None }))
}

fn refusal_of(end: &ImportEnd) -> Refusal {
    let code = match end {
        ImportEnd::ApartFull => "STO-SESSION-APART-FULL",
        ImportEnd::CommitterStopped => "STO-IMPORT-STOPPED",
        ImportEnd::Database(_) => "STO-SESSION-BUSY",
        ImportEnd::Fenced | ImportEnd::Refused(_) => "STO-IMPORT-BUSY",
        ImportEnd::Violation(_) => "STO-IMPORT-ORDER",
    };
    Refusal::new(code, &chain(end))
}

impl DamagedChunk {
    fn of(bad: &BadChunk) -> Self {
        let runs =
            bad.runs.as_ref().map(|runs| runs.iter().map(|run| (run.log, run.first, run.last)).collect());
        Self { from: bad.bytes.start, to: bad.bytes.end, batches: runs }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
