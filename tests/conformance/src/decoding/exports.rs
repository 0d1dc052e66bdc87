//! Values that a mission's own ground software made of the same packets: tables of one row a packet.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use super::compare::is_near;
use super::lines::Line;
use crate::{read, same};

/// How a table is to be read.
struct Export {
    case: &'static str,
    file: &'static str,
    /// Which packet a row is about.
    row: Row,
    /// Columns, and what the dictionary calls them.
    renamed: &'static [(&'static str, &'static str)],
    /// Columns that nothing in the dictionary stands for.
    skipped: &'static [&'static str],
    cells: Cells,
    /// How many cells there are to compare: of a table that is read in part only, less would be found wrong.
    compared: usize,
}

/// Which packet a row is about.
enum Row {
    /// The next one of this APID.
    Next { apid: u64 },
    /// The one with the APID and the sequence count in these columns; rows without belong to the row above.
    Numbered { apid: &'static str, count: &'static str },
}

/// What a table's cells show.
#[derive(Clone, Copy)]
enum Cells {
    /// Engineering values. The numbers have all their digits, but the dictionary's coefficients are those of the
    /// ground software as a table of the mission printed them: with nine decimals, and three digits where they are
    /// smaller than 0.0001. So far apart they may be. Labels have no counterpart in the dictionary.
    EngineeringRoundedCoefficients,
    /// Engineering values, labels included; numbers with a fraction are rounded to their last digit.
    Engineering,
    /// Raw values.
    Raw,
    /// Raw values, of which signed ones are shown as if they were unsigned fields of 12 bits.
    RawUnsigned12,
}

const HIT_HEADER: &[(&str, &str)] = &[
    ("CCSDS_VERSION", "VERSION"),
    ("CCSDS_TYPE", "TYPE"),
    ("CCSDS_SEC_HDR_FLAG", "SEC_HDR_FLG"),
    ("CCSDS_APPID", "PKT_APID"),
    ("CCSDS_GRP_FLAG", "SEQ_FLGS"),
    ("CCSDS_SEQ_CNT", "SRC_SEQ_CTR"),
    ("CCSDS_LENGTH", "PKT_LEN"),
    ("SHCOARSE", "SC_TICK"),
];
const HEADER: &[(&str, &str)] = &[
    ("PHVERNO", "VERSION"),
    ("PHTYPE", "TYPE"),
    ("PHSHF", "SEC_HDR_FLG"),
    ("PHAPID", "PKT_APID"),
    ("PHGROUPF", "SEQ_FLGS"),
    ("PHSEQCNT", "SRC_SEQ_CTR"),
    ("PHDLEN", "PKT_LEN"),
    ("FOB_ACT", "MAGO_ACT"),
    ("FIB_ACT", "MAGI_ACT"),
];
/// Counts inside the packet's binary field, below the row of their packet.
const SWE_COUNTS: &[&str] = &["CEM1", "CEM2", "CEM3", "CEM4", "CEM5", "CEM6", "CEM7", "timestamp"];
const TIMESTAMP: &[&str] = &["timestamp"];

const EXPORTS: [Export; 8] = [
    Export {
        case: "imap-codice-nhk",
        file: "mission_eu.csv",
        row: Row::Next { apid: 1_136 },
        renamed: &[],
        skipped: TIMESTAMP,
        cells: Cells::EngineeringRoundedCoefficients,
        compared: 10_395,
    },
    Export {
        case: "imap-codice-nhk",
        file: "mission_raw.csv",
        row: Row::Next { apid: 1_136 },
        renamed: &[],
        skipped: TIMESTAMP,
        cells: Cells::Raw,
        compared: 12_078,
    },
    Export {
        case: "imap-hit-hk",
        file: "mission_raw.csv",
        row: Row::Numbered { apid: "CCSDS_APPID", count: "CCSDS_SEQ_CNT" },
        renamed: HIT_HEADER,
        skipped: TIMESTAMP,
        cells: Cells::Raw,
        compared: 10_962,
    },
    Export {
        case: "imap-mag",
        file: "mission_values.csv",
        row: Row::Numbered { apid: "PHAPID", count: "PHSEQCNT" },
        renamed: HEADER,
        skipped: &[],
        cells: Cells::Raw,
        compared: 612,
    },
    Export {
        case: "imap-swapi",
        file: "mission_raw_hk_apid1184.csv",
        row: Row::Numbered { apid: "PKT_APID", count: "SRC_SEQ_CTR" },
        renamed: &[],
        skipped: TIMESTAMP,
        cells: Cells::RawUnsigned12,
        compared: 1_836,
    },
    Export {
        case: "imap-swapi",
        file: "mission_raw_sci_apid1188.csv",
        row: Row::Numbered { apid: "PKT_APID", count: "SRC_SEQ_CTR" },
        renamed: &[],
        skipped: TIMESTAMP,
        cells: Cells::Raw,
        compared: 7_956,
    },
    Export {
        case: "imap-swe",
        file: "mission_eu.csv",
        row: Row::Numbered { apid: "PHAPID", count: "PHSEQCNT" },
        renamed: HEADER,
        skipped: SWE_COUNTS,
        cells: Cells::Engineering,
        compared: 81,
    },
    Export {
        case: "imap-swe",
        file: "mission_raw.csv",
        row: Row::Numbered { apid: "PHAPID", count: "PHSEQCNT" },
        renamed: HEADER,
        skipped: SWE_COUNTS,
        cells: Cells::Raw,
        compared: 54,
    },
];

/// How many cells were compared, all found as exported. `name` is the case's and the file's.
pub(super) fn compare(
    case_dir: &Path,
    name: (&str, &str),
    packets: &[Line],
    recording: &[u8],
) -> Result<usize, String> {
    let export = EXPORTS.iter().find(|export| (export.case, export.file) == name);
    let export = export.ok_or("nothing here knows how to read this export")?;
    let bytes = read(case_dir, export.file)?;
    let mut table = csv::Reader::from_reader(&*bytes);
    let columns = table.headers().map_err(|error| error.to_string())?.clone();
    let place = |column: &str| {
        columns.iter().position(|known| known == column).ok_or(format!("there is no {column}"))
    };
    let by_number = by_number(packets);
    let mut in_order = packets.iter();
    let mut compared = 0;
    for row in table.records() {
        let row = row.map_err(|error| error.to_string())?;
        let packet = match export.row {
            Row::Next { apid } => in_order.find(|packet| header(packet, "PKT_APID") == Some(apid)),
            Row::Numbered { apid, count } => {
                let (apid, count) = (&row[place(apid)?], &row[place(count)?]);
                // Such a row holds what is inside the packet of the row above it.
                if count.is_empty() {
                    continue;
                }
                let number = apid.parse().ok().zip(count.parse().ok());
                number.and_then(|number| by_number.get(&number).copied())
            }
        };
        let packet = packet.ok_or_else(|| format!("no packet fits the row {row:?}"))?;
        for (column, cell) in columns.iter().zip(&row).filter(|(column, _)| !export.skipped.contains(column))
        {
            let is_compared = export.is_same(column, cell, packet, recording);
            compared += usize::from(
                is_compared.map_err(|reason| format!("packet {}, {column}: {reason}", packet.n))?,
            );
        }
    }
    same("cells compared", &compared, &export.compared)?;
    Ok(compared)
}

fn header(packet: &Line, field: &str) -> Option<u64> {
    packet.eng.get(field).and_then(Value::as_u64)
}

/// Packets by APID and sequence count.
fn by_number(packets: &[Line]) -> HashMap<(u64, u64), &Line> {
    let number = |packet: &Line| header(packet, "PKT_APID").zip(header(packet, "SRC_SEQ_CTR"));
    packets.iter().filter_map(|packet| Some((number(packet)?, packet))).collect()
}

impl Export {
    /// True when a cell shows what was decoded, false when nothing is there to compare it with.
    fn is_same(&self, column: &str, cell: &str, packet: &Line, recording: &[u8]) -> Result<bool, String> {
        if column == "CCSDS_HEX" {
            let bytes = recording.get(packet.off as usize..(packet.off + packet.len) as usize);
            // The export leaves out the packet's last byte.
            let covered = bytes.and_then(|bytes| bytes.split_last()).map(|(_, covered)| covered);
            let found =
                covered.map(|bytes| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>());
            return judged(found.as_deref() == Some(cell), cell, "other bytes");
        }
        let name = self.renamed.iter().find(|(known, _)| *known == column).map_or(column, |(_, name)| name);
        let name = packet.eng.full_name(name).ok_or("the packet has no such parameter")?;
        let found = match self.cells {
            Cells::Engineering | Cells::EngineeringRoundedCoefficients => packet.eng.get(name),
            Cells::Raw | Cells::RawUnsigned12 => packet.raw(name),
        };
        let found = found.ok_or("the packet has no such value")?;
        let Ok(number) = cell.parse::<f64>() else {
            if matches!(self.cells, Cells::EngineeringRoundedCoefficients) {
                return Ok(false);
            }
            return judged(found.as_str() == Some(cell), cell, found);
        };
        let Some(decoded) = found.as_f64() else { return judged(false, cell, found) };
        // The packet carries the exponent; the export shows vectors a second.
        let decoded = if column.ends_with("_VECSEC") { decoded.exp2() } else { decoded };
        let raw = packet.raw(name).and_then(Value::as_f64).unwrap_or_default();
        judged(self.is_same_number(decoded, number, raw, cell), cell, found)
    }

    fn is_same_number(&self, found: f64, exported: f64, raw: f64, cell: &str) -> bool {
        match self.cells {
            Cells::Engineering => {
                let digits = cell.rsplit_once('.').map_or(0, |(_, fraction)| fraction.len());
                // Half a unit of the last digit shown; a whole number was not rounded.
                let is_rounded = digits > 0 && (found - exported).abs() <= 0.5 * 0.1_f64.powi(digits as i32);
                is_rounded || is_near(found, exported, 1e-9)
            }
            Cells::EngineeringRoundedCoefficients => {
                let nine_decimals = 0.5e-9 * (1.0 + raw.abs());
                let is_small = exported.abs() < 1e-4 * raw.abs();
                (found - exported).abs() <= nine_decimals || (is_small && is_near(found, exported, 5e-3))
            }
            Cells::Raw => found == exported,
            Cells::RawUnsigned12 => found == exported || (found < 0.0 && found + 4_096.0 == exported),
        }
    }
}

fn judged(is_same: bool, cell: &str, found: impl std::fmt::Display) -> Result<bool, String> {
    if is_same { Ok(true) } else { Err(format!("{found} instead of {cell}")) }
}
