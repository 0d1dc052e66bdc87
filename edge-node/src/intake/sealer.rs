//! Puts the packets of one link into batches and hands those to the journal.

use std::sync::Arc;
use std::time::Duration;

use delivery::BatchBuilder;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use super::Chunk;
use crate::journal::{DurableCount, JournalHandle};

/// Chunks of a link that wait to be sealed: with full reads 1 MiB; then its sockets are not read.
pub const CHUNKS_MAX: usize = 64;
/// A batch this full is sealed at once. Larger ones save little and cost sled memory (measured).
const RECORDS_FULL: usize = 512;
/// How long a packet waits for company when the link is quiet.
const LINGER: Duration = Duration::from_millis(2);

/// Seals until the link's last sender is gone; what was collected is then handed on.
pub async fn run(
    mission: String,
    link: String,
    mut chunks: mpsc::Receiver<Arc<Chunk>>,
    journal: JournalHandle,
) -> anyhow::Result<()> {
    let mut builder = BatchBuilder::new(&mission, &link);
    let mut producers: Vec<(Arc<DurableCount>, u64)> = Vec::new();
    let mut seal_at = None;
    loop {
        let next = match seal_at {
            None => Ok(chunks.recv().await),
            Some(at) => timeout_at(at, chunks.recv()).await,
        };
        let chunk = match next {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            Err(_) => {
                seal(&mut builder, &mut producers, &journal).await?;
                seal_at = None;
                continue;
            }
        };
        let mut unsaid = 0;
        for packet in chunk.packets() {
            if builder.records() >= RECORDS_FULL || !builder.has_room_for(packet.len()) {
                credit(&mut producers, &chunk, std::mem::take(&mut unsaid));
                seal(&mut builder, &mut producers, &journal).await?;
                seal_at = None;
            }
            builder.push(chunk.reception, packet);
            unsaid += 1;
        }
        credit(&mut producers, &chunk, unsaid);
        seal_at = seal_at.or_else(|| Some(Instant::now() + LINGER));
    }
    seal(&mut builder, &mut producers, &journal).await
}

fn credit(producers: &mut Vec<(Arc<DurableCount>, u64)>, chunk: &Chunk, packets: u64) {
    if let (Some(producer), true) = (&chunk.producer, packets > 0) {
        match producers.last_mut().filter(|(last, _)| Arc::ptr_eq(last, producer)) {
            Some((_, count)) => *count += packets,
            None => producers.push((Arc::clone(producer), packets)),
        }
    }
}

async fn seal(
    builder: &mut BatchBuilder,
    producers: &mut Vec<(Arc<DurableCount>, u64)>,
    journal: &JournalHandle,
) -> anyhow::Result<()> {
    if let Some(body) = builder.pack() {
        journal.append(body, std::mem::take(producers), Vec::new()).await?;
    }
    Ok(())
}
