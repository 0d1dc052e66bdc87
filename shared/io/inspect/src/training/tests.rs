//! Documents that are learnt twice, and tables that nothing is learnt from.

use std::fmt::Write as _;

use space_packet::UtcTime;

use super::*;
use crate::segments::{Judged, cut_segments};

fn options() -> TrainingOptions {
    TrainingOptions { number: 1, seed: 5, without_labels: false, units: 16, epochs: 2 }
}

/// Segments by their features, which say what they are.
fn segments(count: usize, with_labels: bool) -> String {
    let mut text =
        format!("segment,channel,{}{}\n", if with_labels { "anomaly," } else { "" }, FEATURE_NAMES.join(","));
    for segment in 0..count {
        let anomaly = usize::from(segment % 5 == 0);
        let label = if with_labels { format!("{anomaly},") } else { String::new() };
        let feature = |place: usize| {
            (1.0 + (segment * (place + 3) % 11) as f64 / 10.0 + 4.0 * anomaly as f64).to_string()
        };
        let features: Vec<String> = (0..FEATURE_NAMES.len()).map(feature).collect();
        writeln!(text, "{segment},ch{},{label}{}", segment % 2, features.join(",")).unwrap();
    }
    text
}

fn series() -> String {
    let mut text = "generation_time,engineering\n".to_owned();
    (0..300).for_each(|row| writeln!(text, "{row},{}", (f64::from(row) / 5.0).sin()).unwrap());
    text
}

fn table(text: &str, kind: TableKind) -> TrainingTable {
    TrainingTable { path: PathBuf::from("table.csv"), text: text.as_bytes().to_vec(), kind, span: None }
}

fn of_bus() -> TableColumns {
    TableColumns::of_archived("/Demo/Bus".to_owned())
}

#[test]
fn the_same_table_and_seed_give_the_same_bytes_and_another_seed_gives_others() {
    let check = |text: &str, kind: fn() -> TableKind, depends_on_seed: bool| {
        let learn = |seed| table(text, kind()).learn(&TrainingOptions { seed, ..options() }).unwrap();
        let first = learn(5);
        assert_eq!(first.document, learn(5).document);
        assert_eq!(first.report, learn(5).report);
        let models = [5, 6].map(|seed| ModelDocument::decode(&learn(seed).document).unwrap().model);
        assert_eq!(models[0] != models[1], depends_on_seed);
    };
    check(&segments(100, true), || TableKind::Segments, true);
    check(&segments(100, false), || TableKind::Segments, true);
    check(&series(), || TableKind::Series(of_bus()), true);
}

#[test]
fn a_document_says_what_it_was_learnt_from() {
    let learnt = table(&segments(100, true), TableKind::Segments).learn(&options()).unwrap();
    let document = ModelDocument::decode(&learnt.document).unwrap();
    assert_eq!(document.channels, ["ch0", "ch1"]);
    assert_eq!((document.data.examples, document.data.anomalous), (100, 20));
    assert_eq!(document.data.description, "table.csv");
    assert_eq!(document.data.sha256[..], Sha256::digest(segments(100, true))[..]);
    assert!(learnt.report[1].contains("accuracy 1.000 (never alarming: 0.800)"), "{:?}", learnt.report);
    let learnt = table(&series(), TableKind::Series(of_bus())).learn(&options()).unwrap();
    assert_eq!(ModelDocument::decode(&learnt.document).unwrap().channels, ["/Demo/Bus"]);
}

#[test]
fn labels_are_left_aside_when_that_is_asked() {
    let without = TrainingOptions { without_labels: true, ..options() };
    let learnt = table(&segments(100, true), TableKind::Segments).learn(&without).unwrap();
    let document = ModelDocument::decode(&learnt.document).unwrap();
    assert!(matches!(document.model, Model::Segments(model) if !model.has_labels()));
    assert!(learnt.report[0].starts_with("learnt without labels"), "{:?}", learnt.report);
}

#[test]
fn what_nothing_can_be_learnt_from_is_refused_with_its_code() {
    let check = |text: &str, kind: TableKind, code: &str, said: &str| {
        let error = table(text, kind).learn(&options()).unwrap_err().to_string();
        assert!(error.contains(code) && error.contains(said), "{error}");
    };
    check(&segments(20, true), TableKind::Segments, "STO-MODEL-TRAINING", "20 to learn from");
    let text = segments(100, true).replacen("ch0,1,", "ch0,yes,", 1);
    check(&text, TableKind::Segments, "STO-RECORDING-FILE", "line 2: anomaly is \"yes\"");
    check("generation_time,raw\n", TableKind::Series(of_bus()), "STO-DETECT-COLUMN", "engineering");
    let constant: String =
        (0..200).fold("generation_time,engineering\n".to_owned(), |text, row| format!("{text}{row},5\n"));
    check(&constant, TableKind::Series(of_bus()), "STO-MODEL-TRAINING", "nothing changes");
}

#[test]
fn archived_samples_are_cut_into_segments_of_a_length_and_by_gaps() {
    let mut exported = "generation_time,reception_time,parameter,raw,engineering\n".to_owned();
    for second in (0..25).chain(100..110) {
        let value = if second == 3 { String::new() } else { second.to_string() };
        writeln!(exported, "2026-11-22T12:{:02}:{:02}Z,,/S/u,,{value}", second / 60, second % 60).unwrap();
    }
    let mut text = Vec::new();
    cut_segments(exported.as_bytes(), 8, 10.0, &[], &mut text).unwrap();
    cut_segments(exported.replace("/S/u", "/S/i").as_bytes(), 8, 10.0, &[], &mut text).unwrap();
    let mut cut = Vec::new();
    for_each_segment(Path::new("cut"), text.as_slice(), |segment| {
        let features = segment.features.unwrap().values;
        cut.push((segment.channel, segment.name[14..19].to_owned(), features[1], features[2]));
        Ok(())
    })
    .unwrap();
    // Second 3 has no number; what is left of the minute before the gap is too short.
    let of = |channel: &str| {
        let rows = [("00:00", 33.0 / 8.0), ("00:09", 12.5), ("00:17", 20.5), ("01:40", 103.5)];
        rows.map(|(begin, mean)| (channel.to_owned(), begin.to_owned(), 8.0, mean))
    };
    assert_eq!(cut, [of("/S/u"), of("/S/i")].concat());
}

#[test]
fn what_people_said_labels_the_segments_it_meets_and_what_is_doubtful_is_not_learnt() {
    let mut exported = "generation_time,reception_time,parameter,raw,engineering\n".to_owned();
    for second in 0..40 {
        writeln!(exported, "2026-11-22T12:00:{second:02}Z,,/S/u,,{second}").unwrap();
    }
    let at = |second: i64| {
        UtcTime::parse("2026-11-22T12:00:00Z").unwrap().to_tai().plus_nanos(second * 1_000_000_000)
    };
    let judged = |from, to, is_anomalous| Judged { from: at(from), to: at(to), is_anomalous };
    let said = [
        judged(3, 9, Some(true)),
        judged(8, 9, Some(false)),
        judged(16, 17, Some(false)),
        judged(25, 26, None),
        judged(26, 26, Some(true)),
    ];
    let mut text = Vec::new();
    assert_eq!(cut_segments(exported.as_bytes(), 8, 10.0, &said, &mut text).unwrap(), 2);
    let mut labels = Vec::new();
    for_each_segment(Path::new("cut"), text.as_slice(), |segment| {
        labels.push((segment.name[17..19].to_owned(), segment.is_anomalous));
        Ok(())
    })
    .unwrap();
    let expected = [("00", Some(true)), ("08", Some(true)), ("16", Some(false)), ("32", None)];
    assert_eq!(labels, expected.map(|(begin, label)| (begin.to_owned(), label)));
}
