//! The same with trained models.

use model::FEATURE_NAMES;

use super::*;
use crate::training::{TableColumns, TableKind, TrainingOptions, TrainingTable};

/// Small and quick to learn.
const OPTIONS: TrainingOptions =
    TrainingOptions { number: 3, seed: 1, without_labels: true, units: 16, epochs: 12 };

/// Waves of 60 samples of two channels; every seventh is noise of the same height. One sample a row.
fn samples(channels: [&str; 2], segments: usize) -> String {
    let mut text = "segment,channel,timestamp,value,sampling,anomaly\n".to_owned();
    for segment in 0..segments {
        let (channel, anomaly) = (channels[segment % 2], u8::from(segment % 7 == 0));
        for place in 0..60 {
            let noise = ((segment * 60 + place) * 7919 % 1009) as f64 / 504.5 - 1.0;
            let wave = ((place + segment) as f64 / 6.0).sin() + 0.05 * noise;
            let value = if anomaly == 1 { noise } else { wave };
            let second = segment * 100 + place;
            writeln!(text, "{segment},{channel},{second},{value},1,{anomaly}").unwrap();
        }
    }
    text
}

impl Desk {
    fn learn(&self, table: &str, kind: TableKind, options: &TrainingOptions) -> &'static str {
        fs::write(self.path("learn.csv"), table).unwrap();
        let learnt = TrainingTable::read(&self.path("learn.csv"), kind).unwrap().learn(options).unwrap();
        learnt.write(&self.path("learnt.model")).unwrap();
        "learnt.model"
    }

    fn columns(&self) -> TableColumns {
        TableColumns::of_config(&self.path("detect.toml")).unwrap()
    }
}

fn cell(line: &str, place: usize) -> &str {
    line.split(',').nth(place).unwrap()
}

#[test]
fn segments_of_samples_are_judged_with_the_features_that_speak_for_it() {
    let desk = Desk::new(CONFIG);
    let by_labels = TrainingOptions { without_labels: false, ..OPTIONS };
    let model = desk.learn(&samples(["a", "b"], 140), TableKind::Segments, &by_labels);
    let lines = desk.run_with(&samples(["b", "a"], 40), None, Some(model)).unwrap();
    assert_eq!((lines.len(), cell(&lines[0], 5)), (41, "doubtful"));
    for (segment, line) in lines[1..].iter().enumerate() {
        assert_eq!(cell(line, 4), if segment % 7 == 0 { "1" } else { "0" }, "{line}");
        assert!([6, 9, 12].iter().all(|place| FEATURE_NAMES.contains(&cell(line, *place))), "{line}");
    }
}

#[test]
fn segments_by_their_features_are_judged_as_those_by_their_samples_are() {
    let desk = Desk::new(CONFIG);
    let model = desk.learn(&samples(["a", "b"], 140), TableKind::Segments, &OPTIONS);
    let of_samples = desk.run_with(&samples(["a", "b"], 10), None, Some(model)).unwrap();
    let mut table = format!("segment,channel,{}\n", FEATURE_NAMES.join(","));
    crate::segments::for_each_segment(&desk.path("in.csv"), samples(["a", "b"], 10).as_bytes(), |segment| {
        let values = segment.features.unwrap().values.map(|value| value.to_string());
        writeln!(table, "{},{},{}", segment.name, segment.channel, values.join(",")).unwrap();
        Ok(())
    })
    .unwrap();
    // A configuration that is of no use here does no harm.
    assert_eq!(desk.run_with(&table, Some("detect.toml"), Some(model)).unwrap(), of_samples);
}

#[test]
fn a_segment_without_features_is_doubtful_and_says_why() {
    let desk = Desk::new(CONFIG);
    let model = desk.learn(&samples(["a", "b"], 140), TableKind::Segments, &OPTIONS);
    let input = "segment,channel,timestamp,value\n1,a,5,0\n1,a,4,0\n2,b,1,x\n2,b,2,0\n3,b,1,0\n";
    let lines = desk.run_with(input, None, Some(model)).unwrap();
    for (line, why) in lines[1..].iter().zip(["not later", "not a finite number", "1 times"]) {
        assert!(line.contains(",,,0,1,") && line.contains(why), "{line}");
    }
}

#[test]
fn a_forecaster_stands_where_the_ridge_model_stood_and_is_named() {
    let config = CONFIG.replace("commands_count = 2", "commands_count = 2\nchannels = [\"bus\"]");
    let desk = Desk::new(&config);
    let model = desk.learn(&table(1_000, 10_000), TableKind::Series(desk.columns()), &OPTIONS);
    let lines = desk.run_with(&table(800, 700), Some("detect.toml"), Some(model)).unwrap();
    let raised: Vec<&String> = lines.iter().skip(1).filter(|line| cell(line, 4) != "0").collect();
    assert_eq!(raised.len(), 1, "{raised:?}");
    let cells = [0, 5, 6, 12].map(|place| cell(raised[0], place));
    assert_eq!(cells, ["700", "bus", "forecast", "3"]);
}

#[test]
fn a_group_is_judged_by_its_trained_model_whatever_the_order_of_the_columns() {
    let config = "[input]\nvalues = [\"a\", \"b\"]\n";
    let rows = |head: &str, apart: i32| {
        let mut text = format!("{head}\n");
        for row in 0..200 {
            let a = (f64::from(row) / 5.0).sin();
            let b = if row < apart { 2.0 * a + 0.01 * (f64::from(row) * 1.7).sin() } else { -2.0 * a };
            writeln!(text, "{a},{b}").unwrap();
        }
        text
    };
    let desk = Desk::new(config);
    let model = desk.learn(&rows("a,b", 200), TableKind::Group(desk.columns()), &OPTIONS);
    fs::write(desk.path("other.toml"), "[input]\nvalues = [\"b\", \"a\"]\n").unwrap();
    for config in ["detect.toml", "other.toml"] {
        let lines = desk.run_with(&rows("a,b", 150), Some(config), Some(model)).unwrap();
        let is_anomalous = |line: &&String| cell(line, 3) == "1";
        assert_eq!(lines[1..=150].iter().filter(is_anomalous).count(), 0);
        assert!(lines[151..].iter().filter(is_anomalous).count() > 30);
        assert!(lines.iter().any(|line| line.ends_with(",group,group,3") || cell(line, 12) == "3"));
    }
}

#[test]
fn a_model_that_cannot_be_used_is_refused_with_its_code_and_nothing_is_written() {
    let desk = Desk::new(CONFIG);
    let model = desk.learn(&samples(["a", "b"], 140), TableKind::Segments, &OPTIONS);
    let bytes = fs::read(desk.path(model)).unwrap();
    let mut altered = bytes.clone();
    altered[200] ^= 1;
    fs::write(desk.path("altered"), altered).unwrap();
    fs::write(desk.path("short"), &bytes[..bytes.len() - 1]).unwrap();
    fs::write(desk.path("text"), "time,value\n").unwrap();
    fs::copy(desk.path(model), desk.path("segments")).unwrap();
    desk.learn(&table(300, 10_000), TableKind::Series(desk.columns()), &OPTIONS);
    fs::rename(desk.path(model), desk.path("series")).unwrap();
    let other = CONFIG.replace("\"value\"", "\"volts\"");
    fs::write(desk.path("other.toml"), other).unwrap();
    fs::write(desk.path("more.toml"), CONFIG.replace("commands_count = 2", "commands_count = 3")).unwrap();
    let ridge = CONFIG.find("\n[[suite.detectors]]\nmethod.auto").unwrap();
    fs::write(desk.path("range.toml"), &CONFIG[..ridge]).unwrap();
    let check = |config: Option<&str>, model: &str, input: &str, code: &str| {
        let error = desk.run_with(input, config, Some(model)).unwrap_err().to_string();
        assert!(error.contains(&format!("error[{code}]")), "{code}: {error}");
        let left = ["out.csv", "out.unfinished"].map(|name| desk.path(name).exists());
        assert_eq!(left, [false; 2], "{code}");
    };
    let series = table(100, 10_000);
    check(None, "altered", &samples(["a", "b"], 2), "STO-MODEL-ALTERED");
    check(None, "short", &samples(["a", "b"], 2), "STO-MODEL-TRUNCATED");
    check(None, "text", &samples(["a", "b"], 2), "STO-MODEL-UNREADABLE");
    check(None, "gone", &samples(["a", "b"], 2), "STO-RECORDING-FILE");
    check(None, "segments", &samples(["a", "c"], 2), "STO-MODEL-CHANNEL");
    check(None, "segments", "segment,channel,len\n1,a,3\n", "STO-DETECT-COLUMN");
    check(None, "segments", &series, "STO-DETECT-COLUMN");
    check(None, "series", &series, "STO-DETECT-MODEL");
    check(Some("other.toml"), "series", &series, "STO-MODEL-CHANNEL");
    check(Some("more.toml"), "series", &series, "STO-DETECT-MODEL");
    check(Some("range.toml"), "series", &series, "STO-DETECT-MODEL");
}
