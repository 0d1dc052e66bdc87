//! What tests tell, and the files that configurations name.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;

use notify::{Address, Attempt, Failure, GroupTold, Notification, Notifier, NotifyConfig, Rung};
use processing::alarm::{AlarmId, AlarmSeverity, Cause, State, StepId};
use space_packet::{GenerationTime, TaiTime};
use tempfile::TempDir;

/// What signs in tests.
pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// The last part of a path that nobody may repeat.
pub(crate) const PATH_SECRET: &str = "T0123/B4567/hunter2hunter2";

/// What an answer may take on a busy machine.
pub(crate) const PATIENT: &str = "30 s";
/// For those that never answer.
pub(crate) const IMPATIENT: &str = "1 s";

pub(crate) fn notification() -> Notification {
    Notification {
        id: StepId([0xa1; 16]),
        is_test: false,
        mission: "demo".to_owned(),
        alarm: AlarmId([0x0b; 16]),
        severity: AlarmSeverity::Critical,
        state: State::ActiveUnacknowledged,
        detector: "limits".to_owned(),
        parameter: "/Demo/Power/battery_voltage".to_owned(),
        unit: Some("V".to_owned()),
        cause: Cause { seen: Some(5.5), threshold: Some(6.5), ..Cause::default() },
        first_generation: GenerationTime(TaiTime::from_unix_nanos(1_795_443_000_125_000_000)),
        group: Some(GroupTold {
            first_out: AlarmId([0x0c; 16]),
            first_out_parameter: "/Demo/Power/bus_current".to_owned(),
            alarms: 3,
        }),
        rung: Some(Rung { ladder: "power".to_owned(), step: 2, round: 0 }),
        path: Some("/missions/demo/alarms/0b0b".to_owned()),
    }
}

pub(crate) fn now() -> TaiTime {
    TaiTime::from_unix_nanos(1_795_443_010_000_000_000)
}

/// A folder with files that only their owner can read.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().expect("a temporary folder"))
    }

    /// Writes a file, and says what its path is.
    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
        path.display().to_string()
    }

    /// Reads a `[notify]` table; its relative paths are below this folder.
    pub(crate) fn config(&self, text: &str) -> NotifyConfig {
        let config: NotifyConfig = toml::from_str(text).expect(text);
        config.resolved(&self.0.path().join("hub.toml"))
    }

    /// A notifier with one webhook `duty` and one Slack-compatible channel `room` at a server on this machine.
    pub(crate) fn posting_to(&self, server: SocketAddr) -> Notifier {
        self.posting_within(PATIENT, server)
    }

    /// The same with another patience.
    pub(crate) fn posting_within(&self, timeout: &str, server: SocketAddr) -> Notifier {
        self.file("secret", SECRET);
        self.file("url", &format!("http://{server}/services/{PATH_SECRET}\n"));
        let text = format!(
            r#"dashboard_url = "https://hub.example/"
            [[webhook]]
            name = "duty"
            url = "http://{server}/hook/{PATH_SECRET}?from=hub"
            allow_http = true
            allow = ["127.0.0.0/8"]
            secret_file = "secret"
            key_id = "2026-11"
            timeout = "{timeout}"
            [[slack]]
            name = "room"
            url_file = "url"
            allow_http = true
            allow = ["127.0.0.0/8"]
            timeout = "{timeout}""#
        );
        Notifier::new(&self.config(&text)).expect("a configuration")
    }
}

pub(crate) fn duty() -> Address {
    Address::Webhook("duty".to_owned())
}

/// Why it was not delivered, whether for good or for now.
pub(crate) fn failure(attempt: &Attempt) -> &Failure {
    match attempt {
        Attempt::Delivered { said } => panic!("it was delivered: {said}"),
        Attempt::Refused(failure) | Attempt::TryAgain { failure, .. } => failure,
    }
}
