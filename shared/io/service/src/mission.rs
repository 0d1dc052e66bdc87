//! Missions as configured: a name, a dictionary, and where packets carry their time.
//!
//! A dictionary that does not load never takes the last good one away: each one that loads is copied into the
//! data directory, and that copy stands in until the file is mended.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use mission_database::Dictionary;
use processing::{MissionDecoder, PacketTime};
use serde::Deserialize;
use tracing::{error, warn};

/// `[[mission]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissionConfig {
    /// Short name, as in paths and rows: letters, digits and dashes.
    pub name: String,
    /// Name for people; the short name when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// XTCE file.
    pub dictionary: PathBuf,
    /// Where packets carry their time.
    #[serde(default)]
    pub packet_time: PacketTime,
}

/// A mission that can be decoded.
#[derive(Clone)]
pub struct LoadedMission {
    /// Short name.
    pub name: String,
    /// Name for people.
    pub title: String,
    /// Its decoder.
    pub decoder: MissionDecoder,
    /// Why the configured dictionary is not the one in use.
    pub problem: Option<String>,
}

/// Why a mission cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum MissionError {
    /// No dictionary, not even an earlier one.
    #[error(
        "error[STO-DICTIONARY]: mission {mission:?}: {reason}\n  There is no earlier dictionary to fall back on.\n  → mend the file, then start again; `edge-node dictionary check FILE` shows every place"
    )]
    NoDictionary {
        /// The mission.
        mission: String,
        /// What is wrong with the file.
        reason: String,
    },
    /// The name would not do in paths and rows.
    #[error(
        "error[STO-MISSION-NAME]: {name:?} is not a mission name: 1 to 40 lower-case letters, digits and dashes"
    )]
    Name {
        /// The name.
        name: String,
    },
}

/// Loads a mission; falls back on the last good dictionary, saying so.
pub fn load(
    config_file: &Path,
    config: &MissionConfig,
    data_directory: &Path,
) -> Result<LoadedMission, MissionError> {
    let name_fits = (1..=40).contains(&config.name.len())
        && config.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !name_fits {
        return Err(MissionError::Name { name: config.name.clone() });
    }
    let file = crate::config::resolve(config_file, &config.dictionary);
    let kept = data_directory.join("dictionaries").join(format!("{}.xml", config.name));
    let (dictionary, problem) = match read(&file) {
        Ok((dictionary, text)) => {
            if let Err(failure) = keep(&kept, &text) {
                warn!(mission = config.name, error = %failure, "dictionary could not be kept for a later start");
            }
            (dictionary, None)
        }
        Err(reason) => {
            let Ok((dictionary, _)) = read(&kept) else {
                return Err(MissionError::NoDictionary { mission: config.name.clone(), reason });
            };
            error!(mission = config.name, reason, "dictionary did not load, the last good one is kept");
            (dictionary, Some(reason))
        }
    };
    Ok(LoadedMission {
        name: config.name.clone(),
        title: config.title.clone().unwrap_or_else(|| config.name.clone()),
        decoder: MissionDecoder::new(Arc::new(dictionary), config.packet_time),
        problem,
    })
}

/// Reads and compiles a dictionary; the error names file, line and column.
pub fn read(file: &Path) -> Result<(Dictionary, String), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let name = file.file_name().map_or_else(|| "dictionary".into(), |name| name.to_string_lossy());
    let dictionary = Dictionary::from_xtce(&name, &text).map_err(|error| error.to_string())?;
    Ok((dictionary, text))
}

fn keep(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let unfinished = path.with_extension("unfinished");
    std::fs::write(&unfinished, text)?;
    std::fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"<SpaceSystem name="Demo"><TelemetryMetaData><ParameterTypeSet>
        <IntegerParameterType name="T"><IntegerDataEncoding sizeInBits="8"/></IntegerParameterType>
        </ParameterTypeSet><ParameterSet><Parameter name="P" parameterTypeRef="T"/></ParameterSet>
        <ContainerSet><SequenceContainer name="C"><EntryList><ParameterRefEntry parameterRef="P"/></EntryList>
        </SequenceContainer></ContainerSet></TelemetryMetaData></SpaceSystem>"#;

    #[test]
    fn a_dictionary_that_does_not_parse_leaves_the_last_good_one_in_use_and_says_where_it_breaks() {
        let folder = tempfile::tempdir().expect("a directory");
        let config = MissionConfig {
            name: "demo".to_owned(),
            title: None,
            dictionary: "demo.xml".into(),
            packet_time: PacketTime::None,
        };
        let file = folder.path().join("demo.xml");
        let load = || load(&folder.path().join("edge.toml"), &config, folder.path());
        std::fs::write(&file, "<SpaceSystem name=\"Demo\">\n  <Telemetry").expect("written");
        assert!(matches!(load(), Err(MissionError::NoDictionary { .. })));
        std::fs::write(&file, GOOD).expect("written");
        assert_eq!(load().expect("loads").problem, None);
        std::fs::write(&file, "<SpaceSystem name=\"Demo\">\n  <Telemetry\n</SpaceSystem>").expect("written");
        let mission = load().expect("the last good one");
        assert_eq!(mission.decoder.dictionary().parameters().len(), 1);
        let problem = mission.problem.expect("says what is wrong");
        assert!(problem.starts_with("demo.xml:3:"), "{problem}");
    }
}
