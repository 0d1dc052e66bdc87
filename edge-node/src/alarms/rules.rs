//! A mission's alarm and detection rules: read from the configured files, and again when those change.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use dashboard::alarms::RulesText;
use dashboard::contract::AlarmRulesVersion;
use dashboard::rfc3339;
use processing::alarm::AlarmRules;
use processing::watch::DetectionRules;
use service::mission::MissionConfig;
use space_packet::TaiTime;
use tracing::{info, warn};

use super::problem;

/// Where a mission's rules are configured.
pub struct RuleFiles {
    config_file: PathBuf,
    config: MissionConfig,
}

/// A mission's rules in force.
pub(super) struct Rules {
    mission: String,
    files: RuleFiles,
    read: Mutex<Read>,
}

struct Read {
    /// Counted up with each change.
    number: u32,
    at: TaiTime,
    stamps: Stamps,
    text: Option<String>,
    alarms: Arc<AlarmRules>,
    detection: Arc<DetectionRules>,
}

/// When the files were written, and how long they are.
type Stamps = [Option<(SystemTime, u64)>; 2];

impl RuleFiles {
    /// Those that a mission of a configuration file names.
    pub fn new(config_file: &Path, config: &MissionConfig) -> Self {
        Self { config_file: config_file.to_owned(), config: config.clone() }
    }

    fn stamps(&self) -> Stamps {
        [&self.config.alarms, &self.config.detection].map(|file| {
            let path = service::config::resolve(&self.config_file, file.as_ref()?);
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
    }

    fn read(&self, number: u32) -> Read {
        let path = self.config.alarms.as_ref().map(|file| service::config::resolve(&self.config_file, file));
        Read {
            number,
            at: service::clock::now(),
            // Looked at first: what changes while it is read is read again.
            stamps: self.stamps(),
            text: path.and_then(|path| std::fs::read_to_string(path).ok()),
            alarms: Arc::new(self.config.alarm_rules(&self.config_file)),
            detection: Arc::new(self.config.detection_rules(&self.config_file)),
        }
    }
}

impl Rules {
    pub(super) fn read(mission: &str, files: RuleFiles) -> Self {
        let read = files.read(1);
        let rules = Self { mission: mission.to_owned(), files, read: Mutex::new(read) };
        rules.tell();
        rules
    }

    fn lock(&self) -> MutexGuard<'_, Read> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn alarms(&self) -> Arc<AlarmRules> {
        Arc::clone(&self.lock().alarms)
    }

    /// Both sorts of rules, and which they are.
    pub(super) fn in_force(&self) -> (u32, Arc<AlarmRules>, Arc<DetectionRules>) {
        let read = self.lock();
        (read.number, Arc::clone(&read.alarms), Arc::clone(&read.detection))
    }

    /// Reads files again that changed; whether some did.
    pub(super) fn read_again(&self) -> bool {
        let (stamps, number) = {
            let read = self.lock();
            (read.stamps, read.number)
        };
        if self.files.stamps() == stamps {
            return false;
        }
        *self.lock() = self.files.read(number + 1);
        info!(mission = self.mission, "rules of alarms and detection were read again");
        self.tell();
        true
    }

    fn tell(&self) {
        let read = self.lock();
        for problem in read.alarms.problems.iter().chain(&read.detection.problems) {
            warn!(mission = self.mission, %problem, "STO-ALARM-RULE: part of the rules is left out, the rest counts");
        }
    }

    /// The alarm rules as people are shown them; `None` where there are only the built-in ones.
    pub(super) fn shown(&self) -> Option<RulesText> {
        let read = self.lock();
        let text = read.text.clone()?;
        let version = AlarmRulesVersion {
            number: read.number,
            document_version: read.alarms.version,
            author: "this node's configuration".to_owned(),
            reason: format!(
                "{} beside edge.toml; rules of the hub come in its place",
                read.alarms.source_name
            ),
            imported_at: rfc3339(read.at),
            problems: read.alarms.problems.iter().map(problem).collect(),
        };
        Some(RulesText { version, text })
    }
}
