//! Affiliation (Huet et al., KDD 2022), place by place: how near alarms and events are, beside alarms at random near
//! the same event.

use std::ops::Range;

/// Both 0 to 1; .5 is what chance has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affiliation {
    /// How near alarms are to events; 0 where there are no alarms.
    pub precision: f64,
    /// How near events are to alarms; 0 where there are no events.
    pub recall: f64,
}

/// Compares events, half-open ranges of places in their order, with what was said of each place.
pub fn affiliation(events: &[Range<usize>], said: &[bool]) -> Affiliation {
    let (mut precisions, mut recalls) = (Vec::new(), Vec::new());
    for (place, event) in events.iter().enumerate() {
        let zone = zone(events, place, said.len());
        let alarms: Vec<usize> = zone.clone().filter(|place| said[*place]).collect();
        if alarms.is_empty() {
            recalls.push(0.0);
            continue;
        }
        precisions.push(mean(alarms.iter().map(|alarm| alarm_share(*alarm, event, &zone))));
        recalls.push(mean(event.clone().map(|place| event_share(place, &alarms, &zone))));
    }
    Affiliation { precision: mean(precisions.into_iter()), recall: mean(recalls.into_iter()) }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len();
    if count == 0 { 0.0 } else { values.sum::<f64>() / count as f64 }
}

/// The places that are nearer to this event than to another.
fn zone(events: &[Range<usize>], place: usize, samples: usize) -> Range<usize> {
    let middle = |before: &Range<usize>, after: &Range<usize>| usize::midpoint(before.end, after.start);
    let start = place.checked_sub(1).map_or(0, |before| middle(&events[before], &events[place]));
    let end = events.get(place + 1).map_or(samples, |after| middle(&events[place], after));
    start..end
}

/// The share of the zone that lies at least as far from the event as an alarm does.
fn alarm_share(alarm: usize, event: &Range<usize>, zone: &Range<usize>) -> f64 {
    let nearer = match () {
        () if event.contains(&alarm) => return 1.0,
        () if alarm < event.start => alarm + 1..event.end + (event.start - alarm) - 1,
        () => (event.start + event.end).saturating_sub(alarm)..alarm,
    };
    1.0 - within(&nearer, zone)
}

/// The share of the zone that lies at least as far from a place of the event as the nearest alarm does.
fn event_share(place: usize, alarms: &[usize], zone: &Range<usize>) -> f64 {
    let after = alarms.partition_point(|alarm| *alarm < place);
    let to = |alarm: Option<&usize>| alarm.map_or(usize::MAX, |alarm| alarm.abs_diff(place));
    let distance = to(alarms.get(after)).min(to(after.checked_sub(1).and_then(|before| alarms.get(before))));
    1.0 - within(&(place.saturating_sub(distance)..place + distance), zone)
}

fn within(part: &Range<usize>, zone: &Range<usize>) -> f64 {
    part.end.min(zone.end).saturating_sub(part.start.max(zone.start)) as f64 / zone.len() as f64
}
