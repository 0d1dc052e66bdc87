//! Equal to reference implementations, on three series that are kept outside the repository.

use std::ops::Range;

use evaluate::data::shared_recordings;
use evaluate::metrics::{
    NabProfile, affiliation, average_precision, count_events, count_points, labels, nab_raw, roc_area,
    volume_under_surface,
};
use serde_json::Value;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("the golden file says a number")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("the golden file says a list")
}

fn check_case(case: &Value) -> usize {
    let events: Vec<Range<usize>> = list(&case["label_events"])
        .iter()
        .map(|event| number(&event[0]) as usize..number(&event[1]) as usize)
        .collect();
    let scores: Vec<f64> = list(&case["score"]).iter().map(number).collect();
    let (threshold, gap) = (number(&case["threshold"]), number(&case["merge_gap"]) as usize);
    let said: Vec<bool> = scores.iter().map(|score| *score > threshold).collect();
    let labels = labels(&events, scores.len());
    let points = count_points(&labels, &said);
    let counts = count_events(&events, &said, gap);
    let false_rate = points.false_positive_rate();
    let volume = volume_under_surface(&events, &scores, 50, 100);
    let near = affiliation(&events, &said);
    let (raw, windows) = nab_raw(&events, &said, NabProfile::STANDARD);

    let expected = &case["expect"];
    let (point, event, prf) = (&expected["point"], &expected["event"], &expected["event_prf"]);
    let delays: Vec<f64> = counts.delays.iter().map(|delay| *delay as f64).collect();
    let wanted_delays: Vec<f64> = list(&event["delays"]).iter().map(number).collect();
    assert_eq!(delays, wanted_delays);
    let pairs = [
        ("tp", points.true_positives as f64, &point["tp"]),
        ("fp", points.false_positives as f64, &point["fp"]),
        ("fn", points.false_negatives as f64, &point["fn"]),
        ("tn", points.true_negatives as f64, &point["tn"]),
        ("accuracy", points.accuracy(), &point["acc"]),
        ("precision", points.precision(), &point["P"]),
        ("recall", points.recall(), &point["R"]),
        ("F1", points.f1(), &point["F1"]),
        ("FPR", false_rate, &point["FPR"]),
        ("MCC", points.matthews(), &point["MCC"]),
        ("found", counts.found as f64, &event["TPe"]),
        ("missed", counts.missed as f64, &event["FNe"]),
        ("false alarms", counts.false_alarms as f64, &event["FPe"]),
        ("alarms", counts.alarms as f64, &event["alarms"]),
        ("event precision", counts.precision(), &prf["P"]),
        ("event recall", counts.recall(), &prf["R"]),
        ("event F1", counts.f_score(1.0), &prf["F1"]),
        ("event F0.5", counts.f_score(0.5), &prf["F05"]),
        ("corrected precision", counts.corrected_precision(false_rate), &prf["Pc"]),
        ("corrected F0.5", counts.corrected_f05(false_rate), &prf["F05c"]),
        ("ROC", roc_area(&labels, &scores), &expected["auc_roc"]),
        ("average precision", average_precision(&labels, &scores), &expected["auc_pr"]),
        ("VUS-ROC", volume.roc, &expected["vus_L50_thre100"]["roc"]),
        ("VUS-PR", volume.precision_recall, &expected["vus_L50_thre100"]["pr"]),
        ("affiliation precision", near.precision, &expected["affiliation"][0]),
        ("affiliation recall", near.recall, &expected["affiliation"][1]),
        ("NAB", raw, &expected["nab_raw_standard"]),
        ("NAB windows", windows as f64, &expected["nab_windows"]),
    ];
    let wrong: Vec<String> = pairs
        .iter()
        .filter(|(_, ours, wanted)| (ours - number(wanted)).abs() > 1e-9)
        .map(|(name, ours, wanted)| format!("{name}: {ours}, not {wanted}"))
        .collect();
    assert!(wrong.is_empty(), "{}: {wrong:#?}", case["name"]);
    pairs.len()
}

#[test]
fn metrics_are_equal_to_the_golden_file_to_nine_decimals() {
    let Some(folder) = shared_recordings() else {
        println!("no shared recordings here (STO_SHARED_DATA, shared/data/anomaly): nothing was compared");
        return;
    };
    let text =
        std::fs::read_to_string(folder.join("metrics_golden.json")).expect("the golden file is readable");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("the golden file is JSON");
    let compared: usize = cases.iter().map(check_case).sum();
    assert_eq!(compared, 3 * 28);
}
