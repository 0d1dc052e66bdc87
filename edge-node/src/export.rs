//! `edge-node export`: what the hub does not have yet, written into files that somebody carries there.
//!
//! Run again it goes on behind the files that are finished; the one that was under way is written anew.

mod finished;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use delivery::{
    BundleHash, BundleHeader, BundleId, BundleLog, BundleWriter, ChainHash, NodeId, SealedBatch, Span,
};
use provisioning::{FileCipher, Identity, NodeSigner};
use serde::Serialize;

use crate::desk::carrying::{CarriedLog, Custody, account};
use crate::desk::client::Reach;
use finished::Finished;

/// Below the 4 GiB that FAT32, as most sticks have it, sets to a file.
const SPLIT_DEFAULT: u64 = 3_900_000_000;
/// Room for the chunk that is being written and the one that ends a file.
const SPLIT_MIN: u64 = 8 << 20;

/// `edge-node export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Directory to write to, on the medium that will be carried.
    pub directory: PathBuf,
    /// Everything behind the last receipt, whatever the hub has acknowledged over the link since.
    #[arg(long)]
    pub since_receipt: bool,
    /// Bytes of a file at most.
    #[arg(long, default_value_t = SPLIT_DEFAULT, value_parser = clap::value_parser!(u64).range(SPLIT_MIN..=64 << 30))]
    pub split: u64,
}

/// What an export wrote.
#[derive(Debug, Default, Serialize)]
pub struct Exported {
    /// Files that were finished in this run.
    pub files: Vec<ExportedFile>,
    /// Files of an earlier run that were kept.
    pub kept: usize,
    /// Batches written.
    pub batches: u64,
}

/// One file.
#[derive(Debug, Serialize)]
pub struct ExportedFile {
    /// Where it is.
    pub path: PathBuf,
    /// How long it is.
    pub bytes: u64,
    /// What both ends write down about it, in hexadecimal.
    pub hash: String,
}

/// What goes of one log.
struct Wanted {
    log: CarriedLog,
    first: u64,
    previous: ChainHash,
    /// Sealed bytes from the first on.
    bytes: u64,
}

/// Writes what the hub does not have into `directory`.
pub async fn export(data: &Path, desk: &Reach, arguments: &ExportArguments) -> anyhow::Result<Exported> {
    let identity = Identity::load(data)
        .context("the node's identity cannot be read; run this as the account of the node, or as root")?
        .context("[STO-NOT-ENROLLED] this machine is no node yet; run edge-node enroll first")?;
    let hub_key = identity.bundle_key.context(
        "[STO-EXPORT-NO-HUB-KEY] the key that bundles are sealed for is not known here, because this node was enrolled \
         before there were bundles; nothing was written. Ask mission control for a receipt (cloud-hub receipt NODE), \
         run edge-node receipt FILE here, and export again",
    )?;
    let directory = &arguments.directory;
    let finished = Finished::find(directory, &identity)
        .with_context(|| format!("the directory {} cannot be read", directory.display()))?;
    let mut wanted = Vec::new();
    for log in desk.logs().await? {
        let known = if arguments.since_receipt { log.receipted } else { log.acknowledged };
        let first = finished.next_of(log.store, log.lane, (known + 1).max(log.oldest).max(1));
        // Where the first is lost, a gap stands in for it.
        if let Some(batch) = desk.carry(log.lane, first).await?.first().filter(|_| first <= log.newest) {
            let bytes = log.bytes.saturating_sub(batch.header.bytes_before);
            wanted.push(Wanted { log, first, previous: batch.previous, bytes });
        }
    }
    let mut exported = Exported { kept: finished.files, ..Exported::default() };
    if wanted.is_empty() {
        return Ok(exported);
    }
    require_room(directory, &wanted, arguments.split)?;
    let signer = identity.signer()?;
    let mut files = Files {
        directory,
        identity: &identity,
        signer: &signer,
        hub_key,
        logs: wanted.iter().map(Wanted::describe).collect(),
        bundle: finished.bundle.unwrap_or(BundleId(uuid::Uuid::new_v4().into_bytes())),
        part: finished.part,
        previous: finished.hash,
        open: None,
    };
    for (place, wanted) in wanted.iter().enumerate() {
        let (mut next, mut chain) = (wanted.first, wanted.previous);
        while next <= wanted.log.newest {
            let batches = desk.carry(wanted.log.lane, next).await?;
            if batches.is_empty() {
                bail!("batch {next} is not in the journal any more; run the command again");
            }
            for batch in batches.iter().take_while(|batch| batch.header.sequence.0 <= wanted.log.newest) {
                let Span { first, last, previous, hash } = Span::of(batch);
                if (first, previous) != (next, chain) {
                    bail!("another journal began while this one was exported; run the command again");
                }
                exported.files.extend(files.make_room(arguments.split)?);
                files.push(place as u8, batch)?;
                exported.batches += 1;
                (next, chain) = (last + 1, hash);
            }
        }
    }
    exported.files.extend(files.finish(true)?);
    for file in &exported.files {
        desk.note_custody(&Custody {
            code: "STO-EXPORTED".to_owned(),
            who: account(),
            file: file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            hash: file.hash.clone(),
        })
        .await?;
    }
    Ok(exported)
}

impl Wanted {
    fn describe(&self) -> BundleLog {
        let CarriedLog { store, lane, newest: last, hash, .. } = self.log;
        BundleLog { store, lane, first: self.first, last, previous: self.previous, hash }
    }
}

fn require_room(directory: &Path, wanted: &[Wanted], split: u64) -> anyhow::Result<()> {
    let batches = wanted.iter().map(|wanted| wanted.log.newest + 1 - wanted.first).sum();
    let needed = BundleWriter::bytes_needed(wanted.iter().map(|wanted| wanted.bytes).sum(), batches, split);
    let disk = rustix::fs::statvfs(directory).context("the directory's disk cannot be asked for its room")?;
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if free < needed {
        bail!(
            "[STO-EXPORT-NO-ROOM] {} has {free} bytes of free room, and up to {needed} are needed; nothing was \
             written, and the journal is as it was. Use a larger medium",
            directory.display()
        );
    }
    Ok(())
}

/// The files of one export, written one after another.
struct Files<'a> {
    directory: &'a Path,
    identity: &'a Identity,
    signer: &'a NodeSigner,
    hub_key: [u8; 32],
    logs: Vec<BundleLog>,
    bundle: BundleId,
    /// The part before.
    part: u32,
    previous: Option<BundleHash>,
    open: Option<(PathBuf, File, BundleWriter<FileCipher>)>,
}

impl Files<'_> {
    /// Finishes the file under way when one batch more could make it longer than `split`.
    fn make_room(&mut self, split: u64) -> anyhow::Result<Option<ExportedFile>> {
        let is_full = self.open.as_ref().is_some_and(|(_, _, writer)| writer.bytes_max() > split);
        if is_full { self.finish(false) } else { Ok(None) }
    }

    fn push(&mut self, log: u8, batch: &SealedBatch) -> anyhow::Result<()> {
        if self.open.is_none() {
            self.open = Some(self.begin()?);
        }
        if let Some((path, file, writer)) = &mut self.open
            && let Some(chunk) = writer.push(log, batch)?
        {
            file.write_all(&chunk).with_context(|| format!("{} cannot be written", path.display()))?;
        }
        Ok(())
    }

    fn begin(&mut self) -> anyhow::Result<(PathBuf, File, BundleWriter<FileCipher>)> {
        self.part += 1;
        let (cipher, file_key) = FileCipher::for_hub(&self.hub_key)?;
        let authority = self.identity.authority_spki_sha256();
        let header = BundleHeader {
            version: BundleHeader::VERSION,
            bundle: self.bundle,
            part: self.part,
            authority: authority.context("the authority of the node's certificate is not on disk")?,
            hub_key: self.hub_key,
            file_key,
            node: NodeId(self.identity.node_id.into_bytes()),
            certificates: self.identity.node.certificate_chain.clone(),
            logs: self.logs.clone(),
            previous: self.previous,
            created: service::clock::now(),
        };
        let (writer, first) = BundleWriter::begin(&header, cipher, self.signer)?;
        let path = self.directory.join(finished::unfinished_name(&self.bundle, self.part));
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&path)
            .with_context(|| format!("{} cannot be made", path.display()))?;
        file.write_all(&first).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok((path, file, writer))
    }

    /// Ends the file under way, and gives it its name only when it is on the medium.
    fn finish(&mut self, is_last: bool) -> anyhow::Result<Option<ExportedFile>> {
        let Some((path, mut file, writer)) = self.open.take() else { return Ok(None) };
        let (end, hash) = writer.finish(is_last, self.signer)?;
        let named = self.directory.join(finished::name(&self.bundle, self.part));
        file.write_all(&end)
            .and_then(|()| file.sync_all())
            .and_then(|()| std::fs::rename(&path, &named))
            .and_then(|()| File::open(self.directory)?.sync_all())
            .with_context(|| format!("{} cannot be written", path.display()))?;
        self.previous = Some(hash);
        let bytes = file.metadata().map_or(0, |file| file.len());
        Ok(Some(ExportedFile { path: named, bytes, hash: data_encoding::HEXLOWER.encode(&hash.0) }))
    }
}
