//! Missions as configured: a name, a dictionary, and where packets carry their time.
//!
//! A dictionary that does not load never takes the last good one away: each one that loads is copied into the
//! data directory, and that copy stands in until the file is mended. At a node, what the hub sent comes first.

use std::path::{Path, PathBuf};

use mission_database::{Dictionary, MissionDatabase, VersionNumber};
use processing::alarm::{AlarmRules, RuleProblem};
use processing::watch::DetectionRules;
use processing::{MissionDecoder, PacketConventions, PacketTime};
use serde::Deserialize;
use tracing::{error, warn};

use crate::documents::{DocumentFolder, Verify};

/// `[[mission]]`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct MissionConfig {
    /// Short name, as in paths and rows: letters, digits and dashes.
    pub name: String,
    /// Name for people; the short name when absent.
    #[serde(default)]
    pub title: Option<String>,
    /// XTCE file.
    pub dictionary: PathBuf,
    /// Rules of alarms: TOML. At the hub they are taken in as a version of their own when their text is new; at a node
    /// they count until the hub sends some.
    #[serde(default)]
    pub alarms: Option<PathBuf>,
    /// Which parameters detectors watch, and how: TOML, taken in like the rules of alarms.
    #[serde(default)]
    pub detection: Option<PathBuf>,
    /// Where packets carry their time.
    #[serde(default)]
    pub packet_time: PacketTime,
    /// Whether packets end in a check sum, even when the dictionary does not say so.
    #[serde(default)]
    pub packet_error_control: PacketErrorControl,
}

/// What packets end in (CCSDS 133.0-B-2, 4.1.4.3.3, leaves it to missions).
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum PacketErrorControl {
    /// CRC-16: polynomial 0x1021, all ones at the start. A packet that does not fit is kept and not decoded.
    #[serde(rename = "crc-16")]
    Crc16,
    /// Nothing, or what the dictionary says.
    #[default]
    None,
}

impl MissionConfig {
    /// How packets are read beside the dictionary.
    pub fn conventions(&self) -> PacketConventions {
        PacketConventions {
            time: self.packet_time.clone(),
            has_error_control: self.packet_error_control == PacketErrorControl::Crc16,
        }
    }

    /// Name for people.
    pub fn shown_title(&self) -> String {
        self.title.clone().unwrap_or_else(|| self.name.clone())
    }

    /// The alarm rules of the configured file; the built-in ones without. What cannot be used is in their problems.
    pub fn alarm_rules(&self, config_file: &Path) -> AlarmRules {
        let Some(file) = &self.alarms else { return AlarmRules::built_in() };
        match rules_text(config_file, file) {
            Ok((name, text)) => AlarmRules::parse(&name, &text),
            Err(problem) => {
                let mut rules = AlarmRules::built_in();
                rules.problems.push(problem);
                rules
            }
        }
    }

    /// The detection rules of the configured file; none without. What cannot be used is in their problems.
    pub fn detection_rules(&self, config_file: &Path) -> DetectionRules {
        let Some(file) = &self.detection else { return DetectionRules::default() };
        match rules_text(config_file, file) {
            Ok((name, text)) => DetectionRules::parse(&name, &text),
            Err(problem) => {
                let mut rules = DetectionRules::default();
                rules.problems.push(problem);
                rules
            }
        }
    }

    /// Refuses a name that would not do in paths and rows.
    pub fn check_name(&self) -> Result<(), MissionError> {
        let name = &self.name;
        let name_fits = (1..=40).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if name_fits { Ok(()) } else { Err(MissionError::Name { name: name.clone() }) }
    }
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
        "error[STO-DICTIONARY]: mission {mission:?}: {reason}\n  There is no earlier dictionary to fall back on.\n  → mend the file, then start again; `edge-node dictionary check FILE` shows the place"
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

/// Loads a mission as a node has it: from what the hub sent, else from the configured file, else from the last good
/// copy of that, saying so. Of what the hub sent only counts what `verify` finds signed.
pub fn load(
    config_file: &Path,
    config: &MissionConfig,
    data_directory: &Path,
    verify: &Verify<'_>,
) -> Result<LoadedMission, MissionError> {
    config.check_name()?;
    let folder = data_directory.join("dictionaries");
    let sent = DocumentFolder::new(&folder, &config.name).read(verify);
    let (database, problem) = match sent.database {
        Some(database) => (database, sent.problem),
        None => {
            let file = crate::config::resolve(config_file, &config.dictionary);
            let kept = folder.join(format!("{}.xml", config.name));
            let (dictionary, problem) = configured(&config.name, &file, &kept)?;
            (MissionDatabase::new(VersionNumber(1), dictionary), problem.or(sent.problem))
        }
    };
    Ok(LoadedMission {
        name: config.name.clone(),
        title: config.shown_title(),
        decoder: MissionDecoder::new(database, config.conventions()),
        problem,
    })
}

/// The configured dictionary, or the last good one and why.
fn configured(mission: &str, file: &Path, kept: &Path) -> Result<(Dictionary, Option<String>), MissionError> {
    match read(file) {
        Ok((dictionary, text)) => {
            if let Err(failure) = keep(kept, &text) {
                warn!(mission, error = %failure, "dictionary could not be kept for a later start");
            }
            Ok((dictionary, None))
        }
        Err(reason) => {
            let Ok((dictionary, _)) = read(kept) else {
                return Err(MissionError::NoDictionary { mission: mission.to_owned(), reason });
            };
            error!(mission, reason, "dictionary did not load, the last good one is kept");
            Ok((dictionary, Some(reason)))
        }
    }
}

/// A file of rules: its name and text.
fn rules_text(config_file: &Path, file: &Path) -> Result<(String, String), RuleProblem> {
    let path = crate::config::resolve(config_file, file);
    let name =
        path.file_name().map_or_else(|| "rules".to_owned(), |name| name.to_string_lossy().into_owned());
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let message = format!("cannot be read: {error}; no rules of it count");
            Err(RuleProblem { source_name: name, line: 1, column: 1, message })
        }
    }
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

    fn configured(alarms: Option<PathBuf>, detection: Option<PathBuf>) -> MissionConfig {
        MissionConfig {
            name: "demo".to_owned(),
            title: None,
            dictionary: "demo.xml".into(),
            packet_time: PacketTime::None,
            packet_error_control: PacketErrorControl::None,
            alarms,
            detection,
        }
    }

    #[test]
    fn rules_are_read_beside_the_configuration_and_what_is_wrong_with_them_is_told() {
        let folder = tempfile::tempdir().expect("a directory");
        let file = folder.path().join("edge.toml");
        let config = configured(Some("alarms.toml".into()), Some("detection.toml".into()));
        let problems = || {
            let (alarms, detection) = (config.alarm_rules(&file), config.detection_rules(&file));
            [alarms.problems, detection.problems].concat()
        };
        assert_eq!(problems().len(), 2, "neither file is there");
        std::fs::write(folder.path().join("alarms.toml"), "version = 3\n").expect("written");
        let rules = "[[watch]]\nparameters = [\"/S/*\"]\n[[watch]]\nparameters = 7\n";
        std::fs::write(folder.path().join("detection.toml"), rules).expect("written");
        let problem = problems().pop().expect("one is wrong").to_string();
        assert!(problem.starts_with("detection.toml:4:14: "), "{problem}");
        assert_eq!((config.alarm_rules(&file).version, config.detection_rules(&file).len()), (3, 1));
        let without = configured(None, None);
        assert!(without.detection_rules(&file).is_empty() && without.alarm_rules(&file).problems.is_empty());
    }

    #[test]
    fn a_dictionary_that_does_not_parse_leaves_the_last_good_one_in_use_and_says_where_it_breaks() {
        let folder = tempfile::tempdir().expect("a directory");
        let config = configured(None, None);
        let file = folder.path().join("demo.xml");
        let load = || load(&folder.path().join("edge.toml"), &config, folder.path(), &|_, _| Ok(()));
        std::fs::write(&file, "<SpaceSystem name=\"Demo\">\n  <Telemetry").expect("written");
        assert!(matches!(load(), Err(MissionError::NoDictionary { .. })));
        std::fs::write(&file, GOOD).expect("written");
        assert_eq!(load().expect("loads").problem, None);
        std::fs::write(&file, "<SpaceSystem name=\"Demo\">\n  <Telemetry\n</SpaceSystem>").expect("written");
        let mission = load().expect("the last good one");
        assert_eq!(mission.decoder.database().parameters().len(), 1);
        let problem = mission.problem.expect("says what is wrong");
        assert!(problem.starts_with("demo.xml:3:"), "{problem}");
    }
}
