//! Cases of time codes: bytes in a CCSDS form, and the moment in UTC that they mean.

use std::path::Path;

use serde_json::Value;
use space_packet::time::cds::{self, DayField, EpochDay, Submilliseconds};
use space_packet::time::{cuc, p_field};
use space_packet::{TaiTime, UtcTime};

use crate::{Counts, read, text};

/// The cases' fractions are cut to the microsecond.
const NANOS_OFF_MAX: u64 = 1_000;

/// Runs a case of kind `timecodes`.
pub(crate) fn run(case_dir: &Path, case_json: &Value) -> Result<Counts, String> {
    let bytes = read(case_dir, text(case_json, "expected")?)?;
    let lines = String::from_utf8(bytes).map_err(|error| error.to_string())?;
    let mut counts = Counts::default();
    for line in lines.lines().skip(1) {
        check(line).map_err(|reason| format!("{line}: {reason}"))?;
        counts.comparisons += 1;
    }
    if counts.comparisons == 0 { Err("there is no line".to_owned()) } else { Ok(counts) }
}

/// `format,p_field,hex,agency_epoch,remark,utc`; only the remark may hold commas, and then stands in quotes.
fn check(line: &str) -> Result<(), String> {
    let mut front = line.splitn(5, ',');
    let mut next = || front.next().ok_or("the line has too few fields");
    let (format, has_p_field, hex, epoch) = (next()?, next()? == "yes", next()?, next()?);
    let expected = next()?.rsplit(',').next().ok_or("the line has no time")?;
    let epoch = if epoch.is_empty() { None } else { Some(moment(epoch)?) };
    let bytes = bytes_of(hex)?;
    let found = if has_p_field {
        p_field::decode(epoch, &bytes).map_err(|error| format!("{error:?}"))?
    } else {
        implicit(format, epoch, &bytes)?
    };
    let off = found.0.abs_diff(moment(expected)?.0);
    if off <= NANOS_OFF_MAX { Ok(()) } else { Err(format!("read as {found}, {off} ns off")) }
}

fn moment(text: &str) -> Result<TaiTime, String> {
    UtcTime::parse(text).map(UtcTime::to_tai).map_err(|error| error.to_string())
}

fn bytes_of(hex: &str) -> Result<Vec<u8>, String> {
    let byte = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes.ok_or_else(|| format!("{hex} is not hexadecimal"))
}

/// A form that the name tells: `CUC4+2`, `CDS16`, `CDS16+us`, `CDS24+ps`.
fn implicit(format: &str, epoch: Option<TaiTime>, bytes: &[u8]) -> Result<TaiTime, String> {
    if let Some(form) = format.strip_prefix("CUC") {
        let (coarse, fine) = form.split_once('+').ok_or("the form has no +")?;
        let [coarse, fine] =
            [coarse, fine].map(|digits| digits.parse().map_err(|_| "the form has no numbers"));
        let layout = cuc::Layout::new(coarse?, fine?).map_err(|error| error.to_string())?;
        let epoch = epoch.unwrap_or(cuc::CCSDS_EPOCH);
        return layout.decode_since(epoch, bytes).map_err(|error| error.to_string());
    }
    let form = format.strip_prefix("CDS").ok_or("the form is neither CUC nor CDS")?;
    let (day, below) = form.split_once('+').unwrap_or((form, ""));
    let day = if day == "24" { DayField::Bits24 } else { DayField::Bits16 };
    let submilliseconds = match below {
        "" => Submilliseconds::None,
        "us" => Submilliseconds::Microseconds,
        "ps" => Submilliseconds::Picoseconds,
        _ => return Err("the form below the millisecond is unknown".to_owned()),
    };
    let epoch = epoch.map_or(Ok(EpochDay::CCSDS), EpochDay::try_from);
    let time = epoch.and_then(|epoch| cds::Layout { day, submilliseconds }.decode_since(epoch, bytes));
    time.map_err(|error| error.to_string())
}
