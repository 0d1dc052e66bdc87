//! Segments of channels out of a table: one a row by its 18 features, or one sample a row.

use std::io::Read;
use std::path::Path;

use csv::StringRecord;
use model::{FEATURE_NAMES, SEGMENT_SAMPLES_MAX, SegmentError, SegmentFeatures};
use space_packet::{GenerationTime, TaiTime};

use crate::InspectError;
use crate::detect::{invalid, time, unreadable};

/// A stretch of one channel.
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) channel: String,
    pub(crate) features: Result<SegmentFeatures, SegmentError>,
    /// What somebody found it to be, if the table says so.
    pub(crate) is_anomalous: Option<bool>,
}

/// Places of the columns that every such table has.
struct Columns {
    segment: usize,
    channel: usize,
    anomaly: Option<usize>,
    kind: Kind,
}

enum Kind {
    Features([usize; FEATURE_NAMES.len()]),
    Samples { value: usize, time: Option<usize>, sampling: Option<usize> },
}

/// A segment whose samples are still coming.
struct Growing {
    segment: Segment,
    /// When its first sample was taken.
    first: Option<GenerationTime>,
    /// Since then.
    seconds: Vec<f64>,
    values: Vec<f64>,
    sampling_s: Option<f64>,
}

/// Hands over one segment after the other, in the order of the table. At most one is held, with at most
/// [`SEGMENT_SAMPLES_MAX`] samples.
pub(crate) fn for_each_segment(
    path: &Path,
    input: impl Read,
    mut each: impl FnMut(Segment) -> Result<(), InspectError>,
) -> Result<(), InspectError> {
    let mut rows = csv::Reader::from_reader(input);
    let columns = Columns::find(rows.headers().map_err(|error| unreadable(path, error))?, path)?;
    let mut record = StringRecord::new();
    let mut growing: Option<Growing> = None;
    while rows.read_record(&mut record).map_err(|error| unreadable(path, error))? {
        let begun = columns.begin(&record, path)?;
        if let Kind::Features(_) = columns.kind {
            each(begun)?;
            continue;
        }
        let goes_on = growing.as_ref().is_some_and(|growing| {
            (&growing.segment.name, &growing.segment.channel) == (&begun.name, &begun.channel)
        });
        if !goes_on && let Some(ended) = growing.replace(Growing::new(begun)) {
            each(ended.end())?;
        }
        if let Some(growing) = &mut growing {
            columns.add(&record, growing);
        }
    }
    growing.map_or(Ok(()), |growing| each(growing.end()))
}

/// What people said of a stretch of a parameter's samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judged {
    /// Generation time of its first sample.
    pub from: TaiTime,
    /// Of its last.
    pub to: TaiTime,
    /// Whether something was wrong; absent: nobody should learn from it.
    pub is_anomalous: Option<bool>,
}

/// Cuts the samples of one parameter, a table as the hub exports it in the order of time, into segments of `count`
/// samples, and adds them to a table for [`TableKind::Segments`](crate::TableKind::Segments) (begun when it is empty).
/// A longer gap than `gap_max_s` begins a new segment; those that stay shorter, and values that are no numbers, are left
/// out. A segment that shares a moment with one that was judged has that label, or is left out if it has none. Returns
/// how many were added that somebody called anomalous.
///
/// # Errors
/// [`InspectError::DetectColumn`] or [`InspectError::Recording`] when it is no such table.
pub fn cut_segments(
    exported: &[u8],
    count: usize,
    gap_max_s: f64,
    judged: &[Judged],
    segments: &mut Vec<u8>,
) -> Result<usize, InspectError> {
    let path = Path::new("what the hub exports");
    let mut rows = csv::Reader::from_reader(exported);
    let head = rows.headers().map_err(|error| unreadable(path, error))?;
    let [at, channel, value] = [
        wanted(head, "generation_time", path)?,
        wanted(head, "parameter", path)?,
        wanted(head, "engineering", path)?,
    ];
    let mut output = csv::Writer::from_writer(segments);
    if output.get_ref().is_empty() {
        output
            .write_record(["segment", "channel", "timestamp", "value", "anomaly"])
            .map_err(InspectError::table)?;
    }
    let (mut record, mut anomalous) = (StringRecord::new(), 0);
    let (mut kept, mut last): (Vec<StringRecord>, Option<GenerationTime>) = (Vec::new(), None);
    let mut first = TaiTime(i64::MIN);
    while rows.read_record(&mut record).map_err(|error| unreadable(path, error))? {
        let now = time(cell(&record, at));
        let is_number = cell(&record, value).parse::<f64>().is_ok_and(f64::is_finite);
        let Some(now) = now.filter(|now| is_number && last.is_none_or(|last| last < *now)) else { continue };
        let gap_s = last.map_or(0.0, |last| now.0.0.saturating_sub(last.0.0) as f64 * 1e-9);
        if gap_s > gap_max_s {
            kept.clear();
        }
        last = Some(now);
        if kept.is_empty() {
            first = now.0;
        }
        kept.push(record.clone());
        if kept.len() == count.clamp(2, SEGMENT_SAMPLES_MAX) {
            let Some(label) = label(judged, first, now.0) else {
                kept.clear();
                continue;
            };
            anomalous += usize::from(label == ANOMALOUS);
            // Its beginning names a segment.
            let name = kept.first().map_or(String::new(), |first| cell(first, at).to_owned());
            for sample in kept.drain(..) {
                let cells = [&name, cell(&sample, channel), cell(&sample, at), cell(&sample, value), label];
                output.write_record(cells).map_err(InspectError::table)?;
            }
        }
    }
    output.flush().map_err(InspectError::output)?;
    Ok(anomalous)
}

const ANOMALOUS: &str = "1";

/// What a segment is called in its table, empty where nobody said anything; `None`: it is left out. The worse of two
/// judgements counts, and that nothing is to be learnt before both.
fn label(judged: &[Judged], first: TaiTime, last: TaiTime) -> Option<&'static str> {
    let met = judged.iter().filter(|judged| judged.from <= last && first <= judged.to);
    met.map(|judged| judged.is_anomalous).try_fold("", |label, said| match said? {
        true => Some(ANOMALOUS),
        false if label.is_empty() => Some("0"),
        false => Some(label),
    })
}

fn wanted(head: &StringRecord, name: &str, path: &Path) -> Result<usize, InspectError> {
    head.iter().position(|column| column == name).ok_or_else(|| InspectError::DetectColumn {
        path: path.to_owned(),
        column: name.to_owned(),
        there: head.iter().collect::<Vec<_>>().join(", "),
    })
}

impl Columns {
    fn find(head: &StringRecord, path: &Path) -> Result<Self, InspectError> {
        let optional = |name: &str| head.iter().position(|column| column == name);
        let wanted = |name: &str| wanted(head, name, path);
        let kind = match optional("value") {
            Some(value) => Kind::Samples {
                value,
                time: optional("timestamp").or_else(|| optional("time")),
                sampling: optional("sampling"),
            },
            None => {
                let mut places = [0; FEATURE_NAMES.len()];
                for (place, name) in places.iter_mut().zip(FEATURE_NAMES) {
                    *place = wanted(name)?;
                }
                Kind::Features(places)
            }
        };
        Ok(Self {
            segment: wanted("segment")?,
            channel: wanted("channel")?,
            anomaly: optional("anomaly"),
            kind,
        })
    }

    /// The segment of a row: all of it, or what it begins with.
    fn begin(&self, record: &StringRecord, path: &Path) -> Result<Segment, InspectError> {
        let line = record.position().map_or(0, csv::Position::line);
        let number = |place: usize, name: &str| match cell(record, place) {
            // Tables leave a cell empty where a shape is not defined.
            "" => Ok(f64::NAN),
            text => text.parse::<f64>().map_err(|_| {
                invalid(path, format!("line {line}: {name} is {text:?}, and a number is wanted"))
            }),
        };
        let features = match &self.kind {
            Kind::Features(places) => {
                let mut values = [0.0; FEATURE_NAMES.len()];
                for ((value, place), name) in values.iter_mut().zip(places).zip(FEATURE_NAMES) {
                    *value = number(*place, name)?;
                }
                Ok(SegmentFeatures { values })
            }
            Kind::Samples { .. } => Err(SegmentError::Length { times: 0, values: 0 }),
        };
        let anomaly = self.anomaly.map(|place| number(place, "anomaly")).transpose()?;
        Ok(Segment {
            name: cell(record, self.segment).to_owned(),
            channel: cell(record, self.channel).to_owned(),
            features,
            is_anomalous: anomaly.filter(|anomaly| !anomaly.is_nan()).map(|anomaly| anomaly != 0.0),
        })
    }

    fn add(&self, record: &StringRecord, growing: &mut Growing) {
        let Kind::Samples { value, time: at, sampling } = self.kind else { return };
        let number = |place: usize| cell(record, place).parse::<f64>().ok();
        if growing.values.is_empty() {
            growing.sampling_s = sampling.and_then(number);
        }
        // One sample too many is enough to be refused.
        if growing.values.len() <= SEGMENT_SAMPLES_MAX {
            let by_place = growing.values.len() as f64 * growing.sampling_s.unwrap_or(1.0);
            let seconds = at.map_or(by_place, |place| growing.seconds_at(cell(record, place)));
            growing.seconds.push(seconds);
            growing.values.push(number(value).unwrap_or(f64::NAN));
        }
    }
}

impl Growing {
    fn new(segment: Segment) -> Self {
        Self { segment, first: None, seconds: Vec::new(), values: Vec::new(), sampling_s: None }
    }

    /// Seconds from the first sample to this time; NaN for what is no time.
    fn seconds_at(&mut self, text: &str) -> f64 {
        let Some(at) = time(text) else { return f64::NAN };
        let first = *self.first.get_or_insert(at);
        at.0.0.saturating_sub(first.0.0) as f64 * 1e-9
    }

    fn end(self) -> Segment {
        let sampling_s = self.sampling_s.unwrap_or_else(|| usual_gap(&self.seconds));
        let features = SegmentFeatures::of(&self.seconds, &self.values, sampling_s);
        Segment { features, ..self.segment }
    }
}

/// The median of the times between samples; 1 where there is none. Those that are not in order are refused elsewhere.
fn usual_gap(seconds: &[f64]) -> f64 {
    let gaps = seconds.windows(2).map(|pair| pair[1] - pair[0]);
    let mut gaps: Vec<f64> = gaps.filter(|gap| *gap > 0.0).collect();
    gaps.sort_by(f64::total_cmp);
    gaps.get(gaps.len() / 2).copied().unwrap_or(1.0)
}

fn cell(record: &StringRecord, place: usize) -> &str {
    record.get(place).unwrap_or_default().trim()
}
