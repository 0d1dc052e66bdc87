//! Samples with the names people give to parameters, and events as nodes have them.

use delivery::{Event, ReadingKind, SampleRecord, Scalar, Severity};
use space_packet::{GenerationTime, ReceptionTime};

use super::{Arrivals, later};
use crate::chance::Chance;

const SUBSYSTEMS: [&str; 14] = [
    "ADCS",
    "Attitude",
    "COMM",
    "Communications",
    "Computer",
    "EPS",
    "GNC",
    "OBC",
    "Payload",
    "Power",
    "Propulsion",
    "THERMAL",
    "Thermal",
    "station",
];
const QUANTITIES: [&str; 32] = [
    "angular_rate_x",
    "antenna_azimuth",
    "antenna_elevation",
    "battery_charge",
    "battery_current",
    "battery_temperature",
    "battery_voltage",
    "bit_error_rate",
    "bus_current",
    "bus_voltage",
    "carrier_lock",
    "command_counter",
    "cpu_load",
    "error_count",
    "frame_count",
    "humidity",
    "link_margin",
    "memory_free",
    "mode",
    "pointing_error",
    "pressure",
    "quaternion_1",
    "received_power",
    "signal_to_noise",
    "solar_array_current",
    "status",
    "supply_voltage",
    "tank_pressure",
    "temperature_1",
    "uptime",
    "wheel_speed_1",
    "wind_speed",
];
const LABELS: [&str; 8] = ["DISABLED", "ENABLED", "IDLE", "NOMINAL", "OFF", "ON", "SAFE", "STANDBY"];

/// Code, text and the names of the details of what a node tells.
const EVENTS: [(&str, Severity, &str, &[&str]); 14] = [
    (
        "STO-INTAKE-OVERRUN",
        Severity::Error,
        "Link antenna lost 12 datagrams: they came faster than they were taken.",
        &["link", "datagrams"],
    ),
    (
        "STO-JOURNAL-BALLAST-RELEASED",
        Severity::Warning,
        "The disk is almost full; what the journal held in reserve was given back.",
        &["bytes"],
    ),
    (
        "STO-JOURNAL-DAMAGED",
        Severity::Error,
        "A batch was damaged on disk; it was set aside and is missing from now on.",
        &["sequence", "cause"],
    ),
    (
        "STO-JOURNAL-END-DAMAGED",
        Severity::Error,
        "The journal's end was damaged; its last batches were set aside and recording goes on behind them.",
        &["first", "last"],
    ),
    (
        "STO-JOURNAL-EVICTED",
        Severity::Error,
        "The journal was full: the oldest batches were given up before the hub had them.",
        &["first", "last"],
    ),
    ("STO-JOURNAL-FAILED", Severity::Error, "The journal failed and was opened again.", &["cause"]),
    (
        "STO-JOURNAL-FULL",
        Severity::Error,
        "The journal takes nothing new, intake waits; nothing acknowledged is lost.",
        &[],
    ),
    (
        "STO-JOURNAL-MISSING",
        Severity::Error,
        "Batches are missing from the journal's files.",
        &["first", "last"],
    ),
    (
        "STO-JOURNAL-NEW-EPOCH",
        Severity::Warning,
        "A new journal began; the hub will count it as a new epoch.",
        &[],
    ),
    (
        "STO-JOURNAL-OLDER-UNREADABLE",
        Severity::Warning,
        "An older journal that may wait to be forwarded cannot be opened.",
        &["directory", "cause"],
    ),
    ("STO-JOURNAL-ROOM", Severity::Info, "The journal has room again.", &[]),
    (
        "STO-JOURNAL-SALVAGED",
        Severity::Warning,
        "Sound batches were found in the damaged journal; they wait to be forwarded.",
        &["batches", "id_known"],
    ),
    (
        "STO-JOURNAL-SET-ASIDE",
        Severity::Error,
        "The journal could not be read; it was set aside whole, and a new one begins.",
        &["kept_in", "cause"],
    ),
    (
        "STO-QUARANTINE-RELEASED",
        Severity::Info,
        "30 records left the quarantine: the dictionary in force reads them.",
        &["records"],
    ),
];

/// Some samples that were sent together.
pub(super) fn samples(chance: &mut Chance, at: ReceptionTime) -> Arrivals {
    let separator = *chance.of(&["/", ".", "_"]);
    let has_time = chance.once_in(2);
    let count = 1 + chance.below(12);
    let first = chance.below(QUANTITIES.len() as u64);
    let subsystem = *chance.of(&SUBSYSTEMS);
    let one = |place: u64, chance: &mut Chance| {
        let quantity = QUANTITIES[((first + place) % QUANTITIES.len() as u64) as usize];
        let slash = if chance.once_in(3) { "/" } else { "" };
        let value = match chance.below(6) {
            0 => Scalar::Text((*chance.of(&LABELS)).to_owned()),
            1 => Scalar::Unsigned(chance.below(5_000)),
            2 => Scalar::Boolean(chance.once_in(2)),
            // As people write them: few decimals.
            _ => Scalar::Float(
                (chance.deviation() * 10_000.0).round() / *chance.of(&[1.0, 10.0, 100.0, 1_000.0]),
            ),
        };
        let sample = SampleRecord {
            parameter: format!("{slash}{subsystem}{separator}{quantity}"),
            generation: has_time.then_some(GenerationTime(at.0)),
            reading: if chance.once_in(8) { ReadingKind::Raw } else { ReadingKind::Engineering },
            value,
        };
        (later(at, 1_000_000), sample.encode())
    };
    (0..count).map(|place| one(place, chance)).collect()
}

/// Events that were noticed together.
pub(super) fn events(chance: &mut Chance, at: ReceptionTime) -> Arrivals {
    let count = 1 + chance.below(3);
    let one = |chance: &mut Chance| {
        let &(code, severity, text, names) = chance.of(&EVENTS);
        let details = names.iter().map(|name| ((*name).to_owned(), chance.below(100_000).to_string()));
        let event = Event {
            at: at.0,
            code: code.to_owned(),
            severity,
            text: text.to_owned(),
            details: details.collect(),
        };
        (later(at, chance.below(5_000_000)), event.encode())
    };
    (0..count).map(|_| one(chance)).collect()
}
