//! What the hub wants before the rest of the backlog: found in the journal by reception time, and told while it waits.

use std::ops::Range;

use delivery::{BatchHeader, BatchSequence, Outbox, SendFirst, StillWaits, StoreId};
use space_packet::TaiTime;

use crate::journal::{JournalHandle, ReadFailed};

/// Requests of a session that are kept in mind; the oldest goes for a further one.
const REQUESTS_MAX: usize = 64;

/// What this session's hub wants first. A request lives as long as the session; the hub repeats it in the next.
#[derive(Default)]
pub(super) struct WantedFirst {
    requests: Vec<Request>,
}

struct Request {
    number: u64,
    store: StoreId,
    /// The batches of its span; absent when the journal has none.
    batches: Option<(BatchSequence, BatchSequence)>,
    /// How many of them waited when the hub was told.
    told: Option<u64>,
}

impl WantedFirst {
    /// The hub wants what was received in a span of this machine's time.
    pub(super) async fn on_request(
        &mut self,
        wanted: &SendFirst,
        journal: &JournalHandle,
    ) -> Result<(), ReadFailed> {
        let store = journal.state().borrow().store;
        let batches = received_in(journal, wanted.from..wanted.to).await?;
        self.requests.retain(|request| request.number != wanted.request);
        if self.requests.len() >= REQUESTS_MAX {
            self.requests.remove(0);
        }
        self.requests.push(Request { number: wanted.request, store, batches, told: None });
        Ok(())
    }

    /// Sees to it that what is wanted goes first, and returns what the hub does not know yet.
    pub(super) fn next_news(&mut self, outbox: &mut Outbox) -> Vec<StillWaits> {
        let mut news = Vec::new();
        self.requests.retain_mut(|request| {
            let waiting = request.batches.map_or(0, |(first, last)| {
                // Again and again: there may have been no room for it before.
                outbox.send_first(request.store, first, last);
                outbox.count_missing(request.store, first, last)
            });
            if request.told.replace(waiting) != Some(waiting) {
                news.push(StillWaits { request: request.number, batches: waiting });
            }
            waiting > 0
        });
        news
    }
}

/// First and last batch that hold records received in a span, found by halving: batches lie in the order in which they
/// were sealed. Where the clock was set back meanwhile some may be missed; they go in their turn.
async fn received_in(
    journal: &JournalHandle,
    span: Range<TaiTime>,
) -> Result<Option<(BatchSequence, BatchSequence)>, ReadFailed> {
    let state = *journal.state().borrow();
    let (Some(tail), Some(head)) = (state.tail, state.head.sequence) else { return Ok(None) };
    let first = first_that(journal, tail.0..head.0 + 1, |batch| batch.last_reception.0 >= span.start).await?;
    let behind = first_that(journal, first..head.0 + 1, |batch| batch.first_reception.0 >= span.end).await?;
    Ok((first < behind).then(|| (BatchSequence(first), BatchSequence(behind - 1))))
}

/// The first number whose batch, or the next one that is here, is so; the end when none is.
async fn first_that(
    journal: &JournalHandle,
    numbers: Range<u64>,
    is_so: impl Fn(&BatchHeader) -> bool,
) -> Result<u64, ReadFailed> {
    let Range { start: mut low, end: mut high } = numbers;
    let end = high;
    while low < high {
        let middle = low + (high - low) / 2;
        match journal.first_from(middle).await? {
            Some(batch) if batch.sequence.0 < end && !is_so(&batch) => low = batch.sequence.0 + 1,
            _ => high = middle,
        }
    }
    Ok(low)
}
