//! A mission's alarm and detection rules: those of the hub, or else of the configured files, which are read again when
//! they change. Models are the hub's.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use dashboard::alarms::{RulesKind, RulesText};
use dashboard::contract::RulesVersion;
use dashboard::rfc3339;
use processing::alarm::AlarmRules;
use processing::watch::DetectionRules;
use service::documents::{MissionDocument, Watching};
use service::mission::MissionConfig;
use space_packet::TaiTime;
use tracing::{info, warn};

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

/// Both sorts of rules, and what the hub sent: models are among it.
pub(super) struct InForce {
    /// Counted up with each change.
    pub(super) number: u32,
    pub(super) alarms: Arc<AlarmRules>,
    pub(super) detection: Arc<DetectionRules>,
    pub(super) sent: Arc<Watching>,
}

struct Read {
    /// Counted up with each change.
    number: u32,
    at: TaiTime,
    stamps: Stamps,
    /// What the hub sent.
    sent: Arc<Watching>,
    texts: Texts,
    alarms: Arc<AlarmRules>,
    detection: Arc<DetectionRules>,
}

/// What both sorts of rules are written in; absent where there is no document.
#[derive(Default)]
struct Texts {
    alarms: Option<String>,
    detection: Option<String>,
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

    /// What the hub sent, and the files for what it did not.
    fn read(&self, number: u32, sent: Arc<Watching>) -> Read {
        // Looked at first: what changes while it is read is read again.
        let stamps = self.stamps();
        let (alarms_text, alarms) = match &sent.alarm_rules {
            Some(MissionDocument { file_name, content, .. }) => {
                (Some(content.clone()), AlarmRules::parse(file_name, content))
            }
            None => (self.text(self.config.alarms.as_ref()), self.config.alarm_rules(&self.config_file)),
        };
        let (detection_text, detection) = match &sent.detection_rules {
            Some(MissionDocument { file_name, content, .. }) => {
                (Some(content.clone()), DetectionRules::parse(file_name, content))
            }
            None => {
                (self.text(self.config.detection.as_ref()), self.config.detection_rules(&self.config_file))
            }
        };
        let texts = Texts { alarms: alarms_text, detection: detection_text };
        let (alarms, detection) = (Arc::new(alarms), Arc::new(detection));
        Read { number, at: service::clock::now(), stamps, sent, texts, alarms, detection }
    }

    fn text(&self, file: Option<&PathBuf>) -> Option<String> {
        std::fs::read_to_string(service::config::resolve(&self.config_file, file?)).ok()
    }
}

impl Rules {
    pub(super) fn read(mission: &str, files: RuleFiles) -> Self {
        let read = files.read(1, Arc::default());
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

    /// What a watch goes by.
    pub(super) fn in_force(&self) -> InForce {
        let read = self.lock();
        InForce {
            number: read.number,
            alarms: Arc::clone(&read.alarms),
            detection: Arc::clone(&read.detection),
            sent: Arc::clone(&read.sent),
        }
    }

    /// Reads files again that changed; whether some did.
    pub(super) fn read_again(&self) -> bool {
        let stamps = self.files.stamps();
        let mut read = self.lock();
        let is_changed = read.stamps != stamps;
        if is_changed {
            *read = self.files.read(read.number + 1, Arc::clone(&read.sent));
            drop(read);
            info!(mission = self.mission, "rules of alarms and detection were read again");
            self.tell();
        }
        is_changed
    }

    /// What the hub sent counts from now on; whether that is another than before.
    pub(super) fn use_documents(&self, sent: &Arc<Watching>) -> bool {
        let mut read = self.lock();
        let is_changed = read.sent != *sent;
        if is_changed {
            *read = self.files.read(read.number + 1, Arc::clone(sent));
            drop(read);
            self.tell();
        }
        is_changed
    }

    fn tell(&self) {
        let read = self.lock();
        for problem in read.alarms.problems.iter().chain(&read.detection.problems) {
            warn!(mission = self.mission, %problem, "STO-ALARM-RULE: part of the rules is left out, the rest counts");
        }
    }

    /// The rules as people are shown them; `None` where there is no document.
    pub(super) fn shown(&self, kind: RulesKind) -> Option<RulesText> {
        let read = self.lock();
        let (text, sent) = match kind {
            RulesKind::Alarms => (&read.texts.alarms, &read.sent.alarm_rules),
            RulesKind::Detection => (&read.texts.detection, &read.sent.detection_rules),
        };
        let (document_version, problems, source_name) = match kind {
            RulesKind::Alarms => (read.alarms.version, &read.alarms.problems, &read.alarms.source_name),
            RulesKind::Detection => {
                (read.detection.version, &read.detection.problems, &read.detection.source_name)
            }
        };
        let (number, author, reason) = match sent {
            Some(sent) => (sent.number, sent.author.clone(), sent.reason.clone()),
            None => (1, Some("this node's configuration".to_owned()), Some(source_name.clone())),
        };
        let version = RulesVersion {
            number,
            document_version,
            author: author.unwrap_or_default(),
            reason: reason.unwrap_or_default(),
            imported_at: rfc3339(read.at),
            problems: dashboard::alarms::problems(problems),
        };
        Some(RulesText { version, text: text.clone()? })
    }
}
