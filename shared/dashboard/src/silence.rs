//! Where a range has no samples, and what may be the cause: what is not shown is told as well.

use processing::Buckets;
use space_packet::{TaiTime, UtcTime};

use crate::contract::{
    Completeness, CompletenessBy, CompletenessCounts, CompletenessRow, Node, NodeState, Silence, SilenceCause,
};
use crate::convert::rfc3339;

/// Usual intervals, and pixels, that a silence is wider than.
const INTERVALS: f64 = 3.0;
const PIXELS: i64 = 2;
/// Silences of one answer: the widest ones.
const SILENCES_MAX: usize = 1_000;
const HOUR_NANOS: i64 = 3_600_000_000_000;
const NANOS_PER_SECOND: f64 = 1e9;

/// A span of time without samples, TAI nanoseconds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

/// What is known of where a mission's records are, read once for all spans.
pub(crate) struct Account {
    /// By when they begin; before them those of the whole range.
    rows: Vec<Row>,
    width_nanos: i64,
    stations: Vec<Station>,
    away: Vec<Away>,
}

/// What a row of completeness counts.
struct Row {
    begins: Option<i64>,
    station: usize,
    counts: CompletenessCounts,
}

struct Station {
    node: String,
    waiting: Option<Waiting>,
}

struct Waiting {
    records: u64,
    oldest: Option<i64>,
}

/// A station that is not connected.
struct Away {
    node: String,
    since: Option<String>,
    since_nanos: Option<i64>,
}

/// The spans without samples of a range that was reduced to buckets. The usual interval, if none is known, is the middle
/// one of those between the buckets.
pub(crate) fn spans(buckets: &Buckets, (from, to): (i64, i64), interval_s: Option<f64>) -> Vec<Span> {
    let times = &buckets.times;
    let middle = || {
        let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied().unwrap_or(0)
    };
    let usual = interval_s.map_or_else(middle, |seconds| (seconds * NANOS_PER_SECOND) as i64);
    let width = buckets.width_nanos;
    let least = width.saturating_mul(PIXELS).max((usual as f64 * INTERVALS) as i64).max(1);
    let begins = times.iter().map(|time| time.saturating_add(width)).map(Some);
    let ends = times.iter().copied().map(Some).chain([None]);
    let mut spans: Vec<Span> = [None]
        .into_iter()
        .chain(begins)
        .zip(ends)
        .map(|(begin, end)| Span { from: begin.unwrap_or(from), to: end.unwrap_or(to) })
        .filter(|span| span.to.saturating_sub(span.from).saturating_add(width) > least && span.from < span.to)
        .collect();
    spans.sort_by_key(|span| std::cmp::Reverse(span.to.saturating_sub(span.from)));
    spans.truncate(SILENCES_MAX);
    spans.sort_by_key(|span| span.from);
    spans
}

/// A span with what may be its cause.
pub(crate) fn describe(span: &Span, account: Option<&Account>) -> Silence {
    let causes = account.map_or(vec![SilenceCause::Unknown], |account| account.causes(span));
    Silence { from: rfc3339(TaiTime(span.from)), to: rfc3339(TaiTime(span.to)), causes }
}

impl Account {
    /// Of a mission, from its completeness and the nodes there are.
    pub(crate) fn new(mission: &str, completeness: Completeness, nodes: Vec<Node>) -> Self {
        let width_nanos = match completeness.by {
            CompletenessBy::Hour => HOUR_NANOS,
            _ => 24 * HOUR_NANOS,
        };
        let place = |node: &str| completeness.stations.iter().position(|station| station.node == node);
        let row = |row: CompletenessRow| {
            let station = place(&row.node)?;
            Some(Row { begins: row.begins.as_deref().and_then(nanos), station, counts: row.counts })
        };
        let mut rows: Vec<Row> = completeness.rows.into_iter().filter_map(row).collect();
        rows.sort_by_key(|row| row.begins);
        let stations = completeness.stations.iter().map(|station| {
            let waiting = station.waiting.as_ref().filter(|waiting| waiting.records > 0);
            let waiting = waiting.map(|waiting| Waiting {
                records: waiting.records,
                oldest: waiting.oldest.as_deref().and_then(nanos),
            });
            Station { node: station.node.clone(), waiting }
        });
        let stations = stations.collect();
        let serves = |node: &Node| {
            let report = node.report.as_ref();
            report.is_some_and(|report| report.links.iter().any(|link| link.mission == mission))
        };
        let is_away = |node: &Node| {
            matches!(node.state, NodeState::Disconnected | NodeState::NeverConnected | NodeState::NotEnrolled)
        };
        let away = nodes.into_iter().filter(|node| serves(node) && is_away(node)).map(|node| Away {
            node: node.name,
            since_nanos: node.since.as_deref().and_then(nanos),
            since: node.since,
        });
        Self { rows, width_nanos, stations, away: away.collect() }
    }

    fn causes(&self, span: &Span) -> Vec<SilenceCause> {
        let mut causes = self.losses(span);
        causes.extend(self.waiting(span));
        causes.extend(self.not_connected(span));
        if causes.is_empty() {
            causes.push(SilenceCause::NothingIssued);
        }
        causes
    }

    /// What is lost or was not received in the hours that a span lies in, by station.
    fn losses(&self, span: &Span) -> Vec<SilenceCause> {
        let of_all = self.rows.partition_point(|row| row.begins.is_none());
        let (of_all, by_time) = self.rows.split_at(of_all);
        let first = by_time.partition_point(|row| {
            row.begins.is_some_and(|begins| begins.saturating_add(self.width_nanos) <= span.from)
        });
        let end = by_time.partition_point(|row| row.begins.is_some_and(|begins| begins < span.to));
        let mut sums = vec![[0_i64; 4]; self.stations.len()];
        for Row { station, counts, .. } in of_all.iter().chain(&by_time[first..end.max(first)]) {
            let counts = [counts.damaged, counts.evicted, counts.forgotten, counts.not_received];
            for (sum, count) in sums[*station].iter_mut().zip(counts) {
                *sum = sum.saturating_add(count);
            }
        }
        let mut found = Vec::new();
        for (station, sums) in self.stations.iter().zip(sums) {
            let [damaged, evicted, forgotten, not_received] =
                sums.map(|sum| u64::try_from(sum).ok().filter(|sum| *sum > 0));
            let node = || station.node.clone();
            let losses = [
                damaged.map(|records| SilenceCause::Damaged { node: node(), records }),
                evicted.map(|records| SilenceCause::Evicted { node: node(), records }),
                forgotten.map(|records| SilenceCause::Forgotten { node: node(), records }),
                not_received.map(|records| SilenceCause::NotReceived { node: node(), records }),
            ];
            found.extend(losses.into_iter().flatten());
        }
        found
    }

    fn waiting(&self, span: &Span) -> impl Iterator<Item = SilenceCause> {
        self.stations.iter().filter_map(move |station| {
            let Waiting { records, oldest } = station.waiting.as_ref()?;
            oldest
                .is_none_or(|oldest| oldest < span.to)
                .then(|| SilenceCause::WaitingAtStation { node: station.node.clone(), records: *records })
        })
    }

    fn not_connected(&self, span: &Span) -> impl Iterator<Item = SilenceCause> {
        let away = self.away.iter().filter(move |away| away.since_nanos.is_none_or(|since| since < span.to));
        away.map(|away| SilenceCause::StationNotConnected {
            node: away.node.clone(),
            since: away.since.clone(),
        })
    }
}

fn nanos(text: &str) -> Option<i64> {
    UtcTime::parse(text).ok().map(|time| time.to_tai().0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{LinkReport, NodeReport, StationCompleteness, WaitingAtStation};

    fn buckets(width_nanos: i64, times: &[i64]) -> Buckets {
        Buckets { width_nanos, times: times.to_vec(), ..Buckets::default() }
    }

    fn found(buckets: &Buckets, range: (i64, i64), interval_s: Option<f64>) -> Vec<(i64, i64)> {
        spans(buckets, range, interval_s).iter().map(|span| (span.from, span.to)).collect()
    }

    #[test]
    fn a_silence_is_wider_than_some_usual_intervals() {
        let times: Vec<i64> = (0..10).map(|n| n * 10).chain([300, 310, 325, 330]).collect();
        assert_eq!(found(&buckets(0, &times), (0, 400), None), [(90, 300), (330, 400)]);
        assert_eq!(found(&buckets(0, &times), (0, 400), Some(100e-9)), []);
        assert_eq!(found(&buckets(0, &[]), (5, 400), None), [(5, 400)], "nothing at all");
        assert_eq!(found(&buckets(0, &[200]), (0, 400), Some(10e-9)), [(0, 200), (200, 400)]);
        assert_eq!(found(&buckets(0, &[]), (400, 400), None), []);
    }

    #[test]
    fn a_silence_is_wider_than_some_pixels() {
        let times = [0, 100, 205, 420, 500, 900];
        assert_eq!(found(&buckets(100, &times), (0, 1_000), Some(1e-9)), [(305, 420), (600, 900)]);
        let whole = buckets(i64::MAX, &[i64::MIN]);
        assert_eq!(found(&whole, (i64::MIN, i64::MAX), Some(1e300)), []);
    }

    #[test]
    fn a_silence_says_all_that_may_be_its_cause() {
        let at = |hour: u32| format!("2026-11-22T{hour:02}:00:00Z");
        let span = |from: u32, to: u32| Span {
            from: nanos(&at(from)).expect("a time"),
            to: nanos(&at(to)).expect("a time"),
        };
        let counts: CompletenessCounts = serde_json::from_str(
            r#"{"received_live":5,"backfilled":0,"quarantined":0,"duplicates":0,"not_received":3,"damaged":0,
                "evicted":7,"forgotten":0,"never_issued":1}"#,
        )
        .expect("counts");
        let row = CompletenessRow {
            node: "gs-1".to_owned(),
            link: "l".to_owned(),
            apid: None,
            begins: Some(at(3)),
            counts,
            percent: None,
        };
        let waiting = WaitingAtStation { records: 9, batches: 1, oldest: Some(at(8)), reported_at: at(9) };
        let station = StationCompleteness {
            node: "gs-1".to_owned(),
            counts,
            waiting: Some(waiting),
            presumed_lost_batches: 0,
            presumed_lost: 0,
            percent: None,
        };
        let links = vec![LinkReport { mission: "demo".to_owned(), ..LinkReport::default() }];
        let node = Node {
            id: None,
            name: "gs-1".to_owned(),
            site: String::new(),
            state: NodeState::Disconnected,
            since: Some(at(10)),
            last_contact: None,
            problem: None,
            report: Some(NodeReport { links, ..NodeReport::default() }),
            archived_packets: 0,
        };
        let completeness = Completeness {
            mission: "demo".to_owned(),
            from: at(0),
            to: at(23),
            by: CompletenessBy::Hour,
            counted_at: None,
            stations: vec![station],
            rows: vec![row],
        };
        let account = Account::new("demo", completeness, vec![node]);
        let check = |from, to, expected: &str| {
            let causes = describe(&span(from, to), Some(&account)).causes;
            assert_eq!(serde_json::to_string(&causes).expect("serialises"), expected);
        };
        check(0, 2, r#"[{"kind":"nothing-issued"}]"#);
        check(
            3,
            5,
            r#"[{"kind":"evicted","node":"gs-1","records":7},{"kind":"not-received","node":"gs-1","records":3}]"#,
        );
        check(6, 9, r#"[{"kind":"waiting-at-station","node":"gs-1","records":9}]"#);
        check(
            9,
            11,
            r#"[{"kind":"waiting-at-station","node":"gs-1","records":9},{"kind":"station-not-connected","node":"gs-1","since":"2026-11-22T10:00:00Z"}]"#,
        );
        assert_eq!(describe(&span(0, 1), None).causes, [SilenceCause::Unknown]);
    }
}
