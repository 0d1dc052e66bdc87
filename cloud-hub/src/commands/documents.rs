//! Imports and lists of a mission's documents: dictionaries, limits, rules and models.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use processing::alarm::AlarmRules;
use processing::watch::DetectionRules;
use service::documents::{Bounds, DOCUMENT_BYTES_MAX, DocumentKind, MissionDocument, encode_model};
use service::mission::MissionConfig;
use space_packet::{TaiTime, UtcTime};

use super::{Configured, database, ready};
use crate::archive::{Documents, Imported};
use crate::config::HubConfig;
use crate::missions::{self, ImportError};

/// What is imported, and why.
#[derive(Args, Debug)]
pub struct ImportArguments {
    /// Mission, as `hub.toml` names it.
    mission: String,
    /// File to import.
    file: PathBuf,
    /// From which generation time on it counts, as in 2026-11-22T17:31:02Z; now when absent.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    effective_from: Option<TaiTime>,
    /// Who imports it.
    #[arg(long)]
    author: Option<String>,
    /// Why.
    #[arg(long)]
    reason: Option<String>,
}

/// Versions of what says how a mission is watched.
#[derive(Subcommand)]
pub enum VersionsCommand {
    /// Imports a version: it is signed, and sent to the mission's nodes.
    Import {
        #[command(flatten)]
        arguments: ImportArguments,
        #[command(flatten)]
        configured: Configured,
    },
    /// Lists the versions.
    Ls {
        /// Mission, as `hub.toml` names it.
        mission: String,
        #[command(flatten)]
        configured: Configured,
    },
}

impl VersionsCommand {
    /// Does it.
    pub async fn run(self, kind: DocumentKind) -> anyhow::Result<()> {
        match self {
            Self::Import { arguments, configured } => {
                import_watching(&HubConfig::read(&configured.config)?, arguments, kind).await
            }
            Self::Ls { mission, configured } => {
                list(&HubConfig::read(&configured.config)?, &mission, kind).await
            }
        }
    }
}

/// What limits need beside.
#[derive(Args, Debug)]
pub struct LimitsArguments {
    #[command(flatten)]
    import: ImportArguments,
    /// Until when they count; for ever when absent.
    #[arg(long, value_parser = moment, value_name = "TIME")]
    effective_to: Option<TaiTime>,
    /// What a value is that equals a bound, where the file does not say it.
    #[arg(long, value_enum)]
    bounds: Option<BoundsArgument>,
}

/// What a value is that equals a bound.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum BoundsArgument {
    /// Still good, as in XTCE.
    Good,
    /// A violation already.
    Violation,
}

/// Reads a moment on a command line.
pub fn moment(text: &str) -> Result<TaiTime, space_packet::time::TimeParseError> {
    UtcTime::parse(text).map(UtcTime::to_tai)
}

/// Imports a version of a dictionary into the running hub.
pub async fn import_dictionary(config: &HubConfig, arguments: ImportArguments) -> anyhow::Result<()> {
    let document = read(&arguments, DocumentKind::Dictionary)?;
    import(config, &arguments.mission, document).await
}

/// Imports a version of the limits.
pub async fn import_limits(config: &HubConfig, arguments: LimitsArguments) -> anyhow::Result<()> {
    let import_arguments = &arguments.import;
    if import_arguments.author.is_none() || import_arguments.reason.is_none() {
        bail!(
            "error[STO-IMPORT-REASON]: limits need `--author` and `--reason`: somebody will ask\n  Nothing was changed.\n  → say who sets them, and why"
        );
    }
    let mut document = read(import_arguments, DocumentKind::Limits)?;
    document.effective_to = arguments.effective_to;
    document.bounds = arguments.bounds.map(|bounds| match bounds {
        BoundsArgument::Good => Bounds::Good,
        BoundsArgument::Violation => Bounds::Violation,
    });
    if let (Some(from), Some(to)) = (document.effective_from, document.effective_to)
        && from >= to
    {
        bail!(
            "error[STO-IMPORT-SPAN]: {from} is not before {to}\n  Nothing was changed.\n  → exchange or mend them"
        );
    }
    import(config, &import_arguments.mission, document).await
}

/// Imports a version of a mission's rules of alarms or detection, or a model.
async fn import_watching(
    config: &HubConfig,
    arguments: ImportArguments,
    kind: DocumentKind,
) -> anyhow::Result<()> {
    let document = if kind == DocumentKind::Model {
        let file = &arguments.file;
        let bytes = std::fs::read(file).with_context(|| unreadable(file))?;
        described(&arguments, kind, encode_model(&bytes))
    } else {
        read(&arguments, kind)?
    };
    for problem in problems(&document) {
        eprintln!("warning[{}]: {problem}", code(kind));
    }
    import(config, &arguments.mission, document).await
}

/// What of a document is left out while the rest counts.
fn problems(document: &MissionDocument) -> Vec<String> {
    match document.kind {
        DocumentKind::AlarmRules => AlarmRules::parse(&document.file_name, &document.content)
            .problems
            .iter()
            .map(ToString::to_string)
            .collect(),
        DocumentKind::DetectionRules => DetectionRules::parse(&document.file_name, &document.content)
            .problems
            .iter()
            .map(ToString::to_string)
            .collect(),
        DocumentKind::Dictionary | DocumentKind::Limits | DocumentKind::Model => Vec::new(),
    }
}

fn unreadable(file: &Path) -> String {
    format!(
        "error[STO-IMPORT-FILE]: {} cannot be read\n  Nothing was changed.\n  → check its name and rights; it must be text in UTF-8, or a model document",
        file.display()
    )
}

fn read(arguments: &ImportArguments, kind: DocumentKind) -> anyhow::Result<MissionDocument> {
    let file = &arguments.file;
    let problem = || unreadable(file);
    let size = std::fs::metadata(file).with_context(problem)?.len();
    if size > DOCUMENT_BYTES_MAX as u64 {
        bail!(
            "error[STO-IMPORT-FILE]: {} has {size} bytes, {DOCUMENT_BYTES_MAX} are taken at most\n  Nothing was changed.\n  → leave out what telemetry does not need",
            file.display()
        );
    }
    let content = std::fs::read_to_string(file).with_context(problem)?;
    Ok(described(arguments, kind, content))
}

fn described(arguments: &ImportArguments, kind: DocumentKind, content: String) -> MissionDocument {
    let name = arguments.file.file_name().map_or_else(|| "document".into(), |name| name.to_string_lossy());
    MissionDocument {
        kind,
        number: 0,
        effective_from: arguments.effective_from,
        effective_to: None,
        file_name: name.into_owned(),
        bounds: None,
        author: arguments.author.clone(),
        reason: arguments.reason.clone(),
        content,
    }
}

async fn import(config: &HubConfig, mission: &str, document: MissionDocument) -> anyhow::Result<()> {
    check_mission(config, mission)?;
    let documents = Documents::new(database(config, &ready(config)?)?);
    let kind = document.kind;
    let name = kind.word();
    match missions::import(&documents, mission, &document).await {
        Ok(Imported::As(number, from)) => {
            let from = from.map_or("the beginning".to_owned(), |time| time.to_string());
            if kind.is_of_database() {
                println!(
                    "{name} {number} of {mission} is imported, in force for what is made from {from} on"
                );
            } else {
                println!("{name} {number} of {mission} is imported");
            }
            println!("The running hub and the mission's nodes take it within seconds.");
            if kind.is_of_database() {
                println!(
                    "Next, for what was decoded before: cloud-hub reprocess {mission} --from TIME --to TIME"
                );
            }
            Ok(())
        }
        Ok(Imported::Known(number)) => {
            println!("nothing to do: {name} {number} of {mission} says the same");
            Ok(())
        }
        Err(ImportError::Document(error)) => bail!(
            "error[{}]: {error}\n  Nothing was changed: the versions in force stay.\n  → mend the place named, then import again",
            code(kind)
        ),
        Err(ImportError::Archive(error)) => Err(error.into()),
    }
}

fn code(kind: DocumentKind) -> &'static str {
    match kind {
        DocumentKind::AlarmRules => "STO-ALARM-RULE",
        DocumentKind::DetectionRules => "STO-DETECT-CONFIG",
        DocumentKind::Dictionary => "STO-DICTIONARY",
        DocumentKind::Limits => "STO-LIMITS",
        DocumentKind::Model => "STO-MODEL-UNREADABLE",
    }
}

pub(super) fn check_mission(config: &HubConfig, mission: &str) -> anyhow::Result<()> {
    if config.missions.iter().any(|known| known.name == mission) {
        return Ok(());
    }
    let known: Vec<&str> = config.missions.iter().map(|known| known.name.as_str()).collect();
    bail!(
        "error[STO-MISSION-UNKNOWN]: there is no mission {mission:?}; configured are: {}\n  Nothing was changed.\n  → add it to hub.toml, or mend its name",
        known.join(", ")
    )
}

/// Lists the versions of a kind.
pub async fn list(config: &HubConfig, mission: &str, kind: DocumentKind) -> anyhow::Result<()> {
    check_mission(config, mission)?;
    let documents = Documents::new(database(config, &ready(config)?)?);
    for row in documents.list(mission, kind).await? {
        let document = row.document;
        let time =
            |time: Option<TaiTime>, absent: &str| time.map_or(absent.to_owned(), |time| time.to_string());
        println!(
            "{:>4}  from {:<31} to {:<31} imported {}  {}  {}  {}",
            document.number,
            time(document.effective_from, "the beginning"),
            time(document.effective_to, "the next"),
            TaiTime(row.imported_at),
            document.file_name,
            document.author.unwrap_or_default(),
            document.reason.unwrap_or_default()
        );
    }
    Ok(())
}

/// The mission's configuration and what it is read with now.
pub(super) async fn decoder(
    config: &HubConfig,
    documents: &Documents,
    mission: &str,
) -> anyhow::Result<processing::MissionDecoder> {
    let found = config.missions.iter().find(|known| known.name == mission);
    let conventions = found.map(MissionConfig::conventions).unwrap_or_default();
    let database = service::documents::database(&documents.of(mission).await?)?;
    Ok(processing::MissionDecoder::new(database, conventions))
}
