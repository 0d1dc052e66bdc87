//! The whole command over small tables.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

mod with_models;

const CONFIG: &str = r#"
[input]
time = "time"
values = ["value"]
commands = "commands"
commands_count = 2

[suite]
merge_within = 20
training = { fit = 300, calibrate = 100 }

[[suite.detectors]]
method.range = { margin = 0.1 }
persistence = 3

[[suite.detectors]]
method.autoregression = { order = 4, inputs = 2 }
"#;

/// A wave with a spike; labels are not to be read.
fn table(rows: usize, spike: usize) -> String {
    let mut text = "time,value,commands,label\n".to_owned();
    for row in 0..rows {
        let value = if (spike..spike + 5).contains(&row) { 9.0 } else { (row as f64 / 7.0).sin() };
        writeln!(text, "{row},{value},{},0", if row % 50 < 5 { "0;1" } else { "" }).unwrap();
    }
    text
}

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new(config: &str) -> Self {
        let desk = Self { folder: TempDir::new().unwrap() };
        fs::write(desk.path("detect.toml"), config).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, input: &str) -> Result<Vec<String>, InspectError> {
        self.run_with(input, Some("detect.toml"), None)
    }

    fn run_with(
        &self,
        input: &str,
        config: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<String>, InspectError> {
        fs::write(self.path("in.csv"), input).unwrap();
        let [input, output] = ["in.csv", "out.csv"].map(|name| self.path(name));
        let [config, model] = [config, model].map(|name| name.map(|name| self.path(name)));
        DetectArguments { input, config, model, output }.run()?;
        Ok(fs::read_to_string(self.path("out.csv")).unwrap().lines().map(str::to_owned).collect())
    }
}

#[test]
fn each_row_is_scored_and_a_spike_is_raised_with_its_reason() {
    let lines = Desk::new(CONFIG).run(&table(800, 700)).unwrap();
    assert_eq!(lines.len(), 801);
    assert!(lines[0].starts_with("row,time,score,anomalous,raised,parameter,detector"));
    let raised: Vec<&String> =
        lines.iter().skip(1).filter(|line| line.split(',').nth(4) != Some("0")).collect();
    assert_eq!(raised.len(), 1, "{raised:?}");
    let cells: Vec<&str> = raised[0].split(',').collect();
    assert_eq!(
        (cells[0], cells[1], cells[3], cells[5], cells[6]),
        ("700", "700", "1", "value", "autoregression")
    );
    assert_eq!(cells[10], "9");
}

#[test]
fn what_comes_later_changes_nothing_that_was_said() {
    let desk = Desk::new(CONFIG);
    let whole = desk.run(&table(900, 700)).unwrap();
    let begun = desk.run(&table(750, 700)).unwrap();
    assert_eq!(begun, whole[..751]);
}

#[test]
fn a_file_to_learn_from_is_gone_through_before_the_recording() {
    let desk = Desk::new(&format!("training_file = \"train.csv\"\n{CONFIG}"));
    fs::write(desk.path("train.csv"), table(600, 10_000)).unwrap();
    let lines = desk.run(&table(100, 50)).unwrap();
    assert_eq!(lines[51].split(',').nth(3), Some("1"), "{}", lines[51]);
    assert_eq!(lines[50].split(',').nth(3), Some("0"), "{}", lines[50]);
}

#[test]
fn columns_of_a_group_are_judged_together() {
    let config = "[input]\nvalues = [\"a\", \"b\"]\n[group]\ntraining = 100\n";
    let mut text = "a,b\n".to_owned();
    for row in 0..200 {
        let a = (f64::from(row) / 5.0).sin();
        // The one follows the other, until it does not.
        let b = if row < 150 { 2.0 * a + 0.01 * (f64::from(row) * 1.7).sin() } else { -2.0 * a };
        writeln!(text, "{a},{b}").unwrap();
    }
    let lines = Desk::new(config).run(&text).unwrap();
    let is_anomalous = |line: &&String| line.split(',').nth(3) == Some("1");
    assert_eq!(lines[1..=150].iter().filter(is_anomalous).count(), 0);
    assert!(lines[151..].iter().filter(is_anomalous).count() > 30);
}

#[test]
fn cells_that_are_no_numbers_are_not_judged() {
    let config = CONFIG.replace("[\"value\"]", "[\"value\", \"label\"]");
    let text = table(500, 10_000).replace(",0\n", ",NaN\n").replace("\n450,", "\n450,x");
    let lines = Desk::new(&config).run(&text).unwrap();
    assert!(lines.iter().skip(1).all(|line| !line.contains("NaN") && !line.contains("inf")));
    assert_eq!(lines.len(), 501);
}

#[test]
fn what_cannot_be_done_is_refused_with_its_code() {
    let check = |config: &str, input: &str, code: &str, said: &str| {
        let error = Desk::new(config).run(input).unwrap_err().to_string();
        assert!(error.contains(code) && error.contains(said), "{error}");
    };
    check(&CONFIG.replace("\"value\"", "\"volts\""), "time,value\n1,2\n", "STO-DETECT-COLUMN", "time, value");
    check(&CONFIG.replace("margin", "margni"), "", "STO-DETECT-CONFIG", "line 13");
    check("[input]\nvalues = []\n", "", "STO-DETECT-CONFIG", "names no column");
    check(&format!("training_file = \"gone.csv\"\n{CONFIG}"), "", "STO-RECORDING-FILE", "gone.csv");
    check(CONFIG, "time,value,commands\n1,2\n", "STO-RECORDING-FILE", "line 2 has 2 cells, its head has 3");
}
