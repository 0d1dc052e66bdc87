//! Writes the same samples as Parquet and as JSON lines into a folder, for readers of another make to compare
//! (`just conformance-parquet FOLDER` does it with pyarrow). Values of every kind, 200,000 rows, a leap second.

use std::path::PathBuf;

use export::{Encoder, Format, Row};
use mission_database::{
    Dictionary, MissionDatabase, MonitoringResult, ParameterIndex, Validity, VersionNumber,
};
use processing::{Raw, Sample};
use space_packet::{GenerationTime, ReceptionTime, UtcTime};

const ROWS: u32 = 200_000;
const XTCE: &str = r#"<SpaceSystem name="S"><TelemetryMetaData><ParameterTypeSet>
    <IntegerParameterType name="N"><IntegerDataEncoding sizeInBits="64"/></IntegerParameterType>
    <BooleanParameterType name="B"><IntegerDataEncoding sizeInBits="8"/></BooleanParameterType>
    </ParameterTypeSet><ParameterSet><Parameter name="number" parameterTypeRef="N"/>
    <Parameter name="switch" parameterTypeRef="B"/></ParameterSet>
    <ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="number"/>
    <ParameterRefEntry parameterRef="switch"/></EntryList></SequenceContainer></ContainerSet>
    </TelemetryMetaData></SpaceSystem>"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("say which folder to write to")?);
    let database = MissionDatabase::new(VersionNumber(1), Dictionary::from_xtce("s.xml", XTCE)?);
    let begin = UtcTime::parse("2016-12-31T23:00:00Z")?.to_tai();
    for format in [Format::Parquet, Format::JsonLines] {
        let (mut encoder, mut bytes) = (Encoder::new(format)?, Vec::new());
        for number in 0..ROWS {
            // 20 ms apart: the leap second at midnight lies among them.
            let time = begin.plus_nanos(i64::from(number) * 20_000_000);
            let (parameter, raw) = value(number);
            let sample = Sample {
                parameter: ParameterIndex(parameter),
                generation: GenerationTime(time),
                reception: ReceptionTime(time.plus_nanos(1_234_567)),
                raw,
                converted: None,
                validity: Validity::ALL[number as usize % 2],
                monitoring: MonitoringResult::ALL[number as usize % 7],
                version: VersionNumber(1),
                provenance: Default::default(),
            };
            let node = if number % 3 == 0 { "gs-1" } else { "gs-2" };
            encoder.push(&Row { database: &database, sample: &sample, node })?;
            bytes.extend(encoder.take()?);
        }
        bytes.extend(encoder.finish()?);
        std::fs::write(folder.join(format!("samples.{format}")), bytes)?;
    }
    Ok(())
}

fn value(number: u32) -> (u32, Raw) {
    match number % 8 {
        0 => (1, Raw::Unsigned(u64::from(number / 8 % 2))),
        1 => (0, Raw::Unsigned(u64::MAX - u64::from(number))),
        2 => (0, Raw::Signed(-i64::from(number))),
        3 => (0, Raw::Float(f64::from(number) / 7.0)),
        4 => (0, Raw::Float(if number % 16 < 8 { f64::NAN } else { f64::NEG_INFINITY })),
        5 => (0, Raw::Text(format!("text \"{number}\" ü\n").into())),
        6 => (0, Raw::Binary(number.to_be_bytes().to_vec().into())),
        _ => (0, Raw::Unsigned(u64::from(number))),
    }
}
