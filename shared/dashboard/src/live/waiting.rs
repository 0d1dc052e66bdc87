//! What waits to be sent to one subscription, within a bound: what does not fit is left out and counted.

use std::collections::{HashMap, VecDeque};

use mission_database::ParameterIndex;
use processing::{Raw, Sample};

use super::ParameterSet;
use super::update::SeenPacket;
use crate::contract::EventEntry;

/// Bytes that wait for one subscription.
pub(super) const WAITING_BYTES_MAX: usize = 256 * 1_024;
/// What a sample takes beside its text or bytes.
const SAMPLE_BYTES: usize = 128;
/// Samples of one parameter sent from one batch; beyond, only the extremes and the ends go on the wire.
const SAMPLES_PER_BATCH: usize = 64;

/// Samples that wait: all of them while they fit, then only which parameters changed. Their values are read from the
/// mission's latest when they are sent, so that a subscription takes no more however long nobody reads.
#[derive(Default)]
pub(super) struct WaitingSamples {
    queue: Vec<(u32, Sample)>,
    bytes: usize,
    changed: ParameterSet,
    /// Samples that are not in `queue`.
    left_out: u64,
    is_coalesced: bool,
    /// Only the newest are wanted: leaving out is no loss.
    newest_only: bool,
}

/// What is to be sent.
pub(super) enum TakenSamples {
    /// All samples, and how many a thick batch had more.
    All(Vec<(u32, Sample)>, u64),
    /// The latest of these, in place of so many samples.
    Latest(ParameterSet, u64),
}

impl WaitingSamples {
    pub(super) fn new(newest_only: bool) -> Self {
        Self { is_coalesced: newest_only, newest_only, ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.changed.is_empty()
    }

    /// Takes in those of a batch that are wanted.
    pub(super) fn extend(
        &mut self,
        source: u32,
        samples: &[Sample],
        wanted: &ParameterSet,
        bytes_max: usize,
    ) {
        let wanted: Vec<&Sample> =
            samples.iter().filter(|sample| wanted.contains(sample.parameter)).collect();
        if self.is_coalesced {
            wanted.iter().for_each(|sample| self.changed.insert(sample.parameter));
            self.left_out += wanted.len() as u64;
            return;
        }
        let count = wanted.len();
        let kept = thin(wanted);
        self.left_out += (count - kept.len()) as u64;
        for sample in kept {
            self.bytes += weight(sample);
            self.queue.push((source, sample.clone()));
        }
        if self.bytes > bytes_max {
            self.coalesce();
        }
    }

    fn coalesce(&mut self) {
        self.left_out += self.queue.len() as u64;
        for (_, sample) in std::mem::take(&mut self.queue) {
            self.changed.insert(sample.parameter);
        }
        self.bytes = 0;
        self.is_coalesced = true;
    }

    /// What there is; nothing waits behind it.
    pub(super) fn take(&mut self) -> TakenSamples {
        let taken = std::mem::replace(self, Self::new(self.newest_only));
        if !taken.is_coalesced {
            return TakenSamples::All(taken.queue, taken.left_out);
        }
        let left_out = taken.left_out.saturating_sub(taken.changed.len() as u64);
        TakenSamples::Latest(taken.changed, if taken.newest_only { 0 } else { left_out })
    }
}

fn weight(sample: &Sample) -> usize {
    SAMPLE_BYTES
        + match &sample.raw {
            Raw::Binary(bytes) => bytes.len(),
            Raw::Text(text) => text.len(),
            Raw::Float(_) | Raw::Signed(_) | Raw::Unsigned(_) => 0,
        }
}

/// Keeps at most a few samples of each parameter: the first, the extremes and the last of each stretch.
fn thin(samples: Vec<&Sample>) -> Vec<&Sample> {
    if samples.len() <= SAMPLES_PER_BATCH {
        return samples;
    }
    let mut by_parameter: HashMap<ParameterIndex, Vec<usize>> = HashMap::new();
    for (place, sample) in samples.iter().enumerate() {
        by_parameter.entry(sample.parameter).or_default().push(place);
    }
    if by_parameter.values().all(|places| places.len() <= SAMPLES_PER_BATCH) {
        return samples;
    }
    let mut kept = vec![false; samples.len()];
    for places in by_parameter.values() {
        if places.len() <= SAMPLES_PER_BATCH {
            places.iter().for_each(|&place| kept[place] = true);
            continue;
        }
        for stretch in places.chunks(places.len().div_ceil(SAMPLES_PER_BATCH / 4)) {
            let number = |place: &&usize| samples[**place].number().unwrap_or(f64::NAN);
            let least = stretch.iter().min_by(|a, b| number(a).total_cmp(&number(b)));
            let most = stretch.iter().max_by(|a, b| number(a).total_cmp(&number(b)));
            for place in [stretch.first(), least, most, stretch.last()].into_iter().flatten() {
                kept[*place] = true;
            }
        }
    }
    samples.into_iter().zip(kept).filter_map(|(sample, keep)| keep.then_some(sample)).collect()
}

/// Packets or events that wait: the newest that fit, and at least one.
pub(super) struct WaitingItems<T> {
    queue: VecDeque<T>,
    bytes: usize,
    left_out: u64,
}

/// What one of them takes.
pub(super) trait Weighed {
    fn bytes(&self) -> usize;
}

impl Weighed for EventEntry {
    fn bytes(&self) -> usize {
        let details = self.details.iter().map(|detail| detail.name.len() + detail.value.len());
        256 + self.text.len() + details.sum::<usize>()
    }
}

impl Weighed for SeenPacket {
    fn bytes(&self) -> usize {
        64 + self.bytes.len()
    }
}

impl<T> Default for WaitingItems<T> {
    fn default() -> Self {
        Self { queue: VecDeque::new(), bytes: 0, left_out: 0 }
    }
}

impl<T: Weighed> WaitingItems<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub(super) fn push(&mut self, item: T, bytes_max: usize) {
        self.bytes += item.bytes();
        self.queue.push_back(item);
        while self.bytes > bytes_max && self.queue.len() > 1 {
            self.bytes -= self.queue.pop_front().map_or(0, |oldest| oldest.bytes());
            self.left_out += 1;
        }
    }

    /// What there is, and how many were left out before it.
    pub(super) fn take(&mut self) -> (Vec<T>, u64) {
        let taken = std::mem::take(self);
        (taken.queue.into(), taken.left_out)
    }
}

#[cfg(test)]
mod tests {
    use space_packet::{GenerationTime, ReceptionTime, TaiTime};

    use super::*;

    fn sample(parameter: u32, number: i64) -> Sample {
        Sample {
            parameter: ParameterIndex(parameter),
            generation: GenerationTime(TaiTime(number)),
            reception: ReceptionTime::default(),
            raw: Raw::Signed(number),
            converted: None,
            validity: Default::default(),
            monitoring: Default::default(),
            version: Default::default(),
            provenance: Default::default(),
        }
    }

    fn wanted(parameters: u32) -> ParameterSet {
        (0..parameters).map(ParameterIndex).collect()
    }

    #[test]
    fn a_burst_is_thinned_without_losing_its_extremes_its_ends_or_a_rare_neighbour() {
        let mut burst: Vec<_> = (0..1_000).map(|number| sample(0, number % 777)).collect();
        burst.push(sample(1, 5));
        let kept = thin(burst.iter().collect());
        assert!(kept.len() <= SAMPLES_PER_BATCH + 1, "{}", kept.len());
        for needed in [&burst[0], &burst[776], &burst[999], &burst[1_000]] {
            assert!(kept.contains(&needed));
        }
    }

    #[test]
    fn what_a_thick_batch_had_more_is_counted() {
        let mut waiting = WaitingSamples::default();
        let burst: Vec<_> = (0..1_000).map(|number| sample(0, number)).collect();
        waiting.extend(3, &burst, &wanted(1), WAITING_BYTES_MAX);
        let TakenSamples::All(samples, left_out) = waiting.take() else { panic!("they fit") };
        assert_eq!(samples.len() as u64 + left_out, 1_000);
        assert!(waiting.is_empty());
    }

    #[test]
    fn what_does_not_fit_becomes_the_latest_of_each_parameter_and_the_count_of_the_rest() {
        let mut waiting = WaitingSamples::default();
        for number in 0..10_000 {
            waiting.extend(
                0,
                &[sample(0, number), sample(1, number), sample(9, number)],
                &wanted(2),
                WAITING_BYTES_MAX,
            );
            assert!(waiting.queue.len() * SAMPLE_BYTES <= WAITING_BYTES_MAX, "after {number}");
        }
        let TakenSamples::Latest(changed, left_out) = waiting.take() else { panic!("they do not fit") };
        assert_eq!((changed, left_out), (wanted(2), 19_998));
        waiting.extend(0, &[sample(0, 1)], &wanted(2), WAITING_BYTES_MAX);
        assert!(matches!(waiting.take(), TakenSamples::All(samples, 0) if samples.len() == 1));
    }

    #[test]
    fn who_wants_the_newest_only_loses_nothing_by_it() {
        let mut waiting = WaitingSamples::new(true);
        for _ in 0..2 {
            waiting.extend(0, &[sample(0, 1), sample(0, 2)], &wanted(1), WAITING_BYTES_MAX);
            assert!(matches!(waiting.take(), TakenSamples::Latest(changed, 0) if changed == wanted(1)));
        }
    }

    #[test]
    fn of_what_stands_in_line_the_oldest_goes_and_is_counted() {
        let packet = |number: usize| SeenPacket {
            node: "n".into(),
            reception: ReceptionTime::default(),
            verdicts: delivery::Verdicts::NONE,
            bytes: format!("{number:0>8192}").into_bytes().into(),
        };
        let mut waiting = WaitingItems::default();
        (0..1_000).for_each(|number| waiting.push(packet(number), WAITING_BYTES_MAX));
        let (packets, left_out) = waiting.take();
        assert_eq!(packets.len() as u64 + left_out, 1_000);
        assert_eq!(packets.last(), Some(&packet(999)));
        assert!(packets.iter().map(Weighed::bytes).sum::<usize>() <= WAITING_BYTES_MAX);
    }
}
