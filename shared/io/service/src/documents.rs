//! Documents of a mission: versions of its dictionary, limits, rules and models, as the hub keeps them and nodes get
//! them.
//!
//! Dictionaries and limits make the mission's database, each in force for its span of time. What says how a mission is
//! watched ([`Watching`]) has no span: the newest counts, from when it is there.

mod delivered;
mod watching;

use std::io::Write;
use std::path::{Path, PathBuf};

use delivery::DocumentSignature;
use mission_database::{
    BoundMeaning, Dictionary, EffectiveSpan, LimitsOverlay, LimitsVersion, MissionDatabase, VersionNumber,
};
use serde::{Deserialize, Serialize};
use space_packet::TaiTime;

pub use delivered::OfNode;
pub use watching::{Watching, check as check_watching, encode_model};

/// Says whether an authority that is trusted signed a message, or why it does not count.
pub type Verify<'a> = dyn Fn(&[u8], &DocumentSignature) -> Result<(), String> + 'a;

/// The largest document that is taken: what the dictionary crate itself refuses to read beyond.
pub const DOCUMENT_BYTES_MAX: usize = 64 << 20;

/// What a document is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DocumentKind {
    /// An XTCE dictionary.
    Dictionary,
    /// Limits beside it, CSV or TOML.
    Limits,
    /// Alarm rules, TOML.
    AlarmRules,
    /// Which parameters detectors watch, and how, TOML.
    DetectionRules,
    /// A trained model, in base64.
    Model,
}

impl DocumentKind {
    /// All.
    pub const ALL: [Self; 5] =
        [Self::Dictionary, Self::Limits, Self::AlarmRules, Self::DetectionRules, Self::Model];

    /// As in the database and in file names.
    pub fn word(self) -> &'static str {
        delivery::DocumentKind::from(self).word()
    }

    /// The kind that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// Whether it is part of the mission's database.
    pub fn is_of_database(self) -> bool {
        matches!(self, Self::Dictionary | Self::Limits)
    }
}

/// BLAKE3 of a document's text: what tells two versions apart.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// Of a text.
    pub fn of(content: &str) -> Self {
        Self(*blake3::hash(content.as_bytes()).as_bytes())
    }
}

/// A document.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MissionDocument {
    /// What it is.
    pub kind: DocumentKind,
    /// Its number among those of its kind, counted from 1.
    pub number: u32,
    /// From which generation time on it is in force; absent: from the beginning of time.
    pub effective_from: Option<TaiTime>,
    /// Until when; dictionaries are in force until the next one.
    pub effective_to: Option<TaiTime>,
    /// What errors call it. Its ending tells CSV and TOML apart.
    pub file_name: String,
    /// What a value is that equals a bound of the limits, when the file itself does not say.
    pub bounds: Option<Bounds>,
    /// Who imported it.
    pub author: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Its text.
    pub content: String,
}

/// [`BoundMeaning`], as it is kept.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bounds {
    /// A value that equals a bound is good.
    Good,
    /// It is a violation.
    Violation,
}

impl From<Bounds> for BoundMeaning {
    fn from(bounds: Bounds) -> Self {
        match bounds {
            Bounds::Good => Self::Good,
            Bounds::Violation => Self::Violation,
        }
    }
}

/// Why documents do not make a mission's database. The message names file, line and column.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// One of them does not read.
    #[error("{0}")]
    Broken(String),
    /// There is no dictionary among them.
    #[error("there is no dictionary")]
    NoDictionary,
}

impl MissionDocument {
    /// Hash of its text.
    pub fn hash(&self) -> ContentHash {
        ContentHash::of(&self.content)
    }

    /// Its dictionary, when it is one.
    fn dictionary(&self) -> Result<Dictionary, DocumentError> {
        Dictionary::from_xtce(&self.file_name, &self.content)
            .map_err(|error| DocumentError::Broken(error.to_string()))
    }
}

/// What documents say together. A mission begins with its first dictionary, whenever that one is said to begin.
pub fn database(documents: &[MissionDocument]) -> Result<MissionDatabase, DocumentError> {
    let of_kind = |kind| {
        let mut found: Vec<&MissionDocument> =
            documents.iter().filter(|document| document.kind == kind).collect();
        found.sort_by_key(|document| document.number);
        found.into_iter()
    };
    let mut dictionaries = of_kind(DocumentKind::Dictionary);
    let first = dictionaries.next().ok_or(DocumentError::NoDictionary)?;
    let mut database = MissionDatabase::new(VersionNumber(first.number), first.dictionary()?);
    for document in dictionaries {
        database = with_document(&database, document)?;
    }
    of_kind(DocumentKind::Limits).try_fold(database, |database, document| with_document(&database, document))
}

/// A mission's database with one more document. What is no part of it is only checked.
pub fn with_document(
    database: &MissionDatabase,
    document: &MissionDocument,
) -> Result<MissionDatabase, DocumentError> {
    let broken = |error: mission_database::LimitsError| DocumentError::Broken(error.to_string());
    match document.kind {
        DocumentKind::Dictionary => {
            let from = document.effective_from.unwrap_or(TaiTime(i64::MIN));
            database
                .with_version(VersionNumber(document.number), from, document.dictionary()?)
                .map_err(broken)
        }
        DocumentKind::Limits => {
            let bounds = document.bounds.map(BoundMeaning::from);
            let overlay =
                LimitsOverlay::parse(&document.file_name, &document.content, bounds).map_err(broken)?;
            let effective = EffectiveSpan { from: document.effective_from, to: document.effective_to };
            let version = LimitsVersion { number: document.number, effective, overlay };
            database.with_limits(version).map_err(broken)
        }
        DocumentKind::AlarmRules | DocumentKind::DetectionRules | DocumentKind::Model => {
            watching::check(document)?;
            Ok(database.clone())
        }
    }
}

/// The documents of a mission in a node's data directory: `dictionaries/MISSION/dictionary-2.xml` and, beside it,
/// `dictionary-2.json` with everything else about it, its signature among that. A document counts when its JSON is
/// there, written last, and the signature fits.
#[derive(Clone, Debug)]
pub struct DocumentFolder {
    path: PathBuf,
    mission: String,
}

/// What a folder holds.
#[derive(Debug, Default)]
pub struct FolderContents {
    /// What reads; in the order of their kinds and numbers.
    pub documents: Vec<MissionDocument>,
    /// What they say together; `None` when there is no dictionary among them.
    pub database: Option<MissionDatabase>,
    /// Why some of it is not used.
    pub problem: Option<String>,
}

impl DocumentFolder {
    /// The folder of a mission within the folder of all.
    pub fn new(folder: &Path, mission: &str) -> Self {
        Self { path: folder.join(mission), mission: mission.to_owned() }
    }

    /// Reads what is there; what cannot be used is left out, with the reason.
    pub fn read(&self, verify: &Verify<'_>) -> FolderContents {
        let mut contents = FolderContents::default();
        let mut names: Vec<PathBuf> = std::fs::read_dir(&self.path)
            .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
            .unwrap_or_default();
        names.retain(|path| path.extension().is_some_and(|ending| ending == "json"));
        for path in names {
            match self.read_document(&path, verify) {
                Ok(document) => contents.documents.push(document),
                Err(error) => contents.problem = Some(format!("{}: {error}", path.display())),
            }
        }
        contents.documents.sort_by_key(|document| (document.kind, document.number));
        for document in contents.documents.iter().filter(|document| document.kind.is_of_database()) {
            let added = match &contents.database {
                None if document.kind == DocumentKind::Limits => continue,
                None => database(std::slice::from_ref(document)),
                Some(database) => with_document(database, document),
            };
            match added {
                Ok(database) => contents.database = Some(database),
                Err(error) => contents.problem = Some(error.to_string()),
            }
        }
        contents
    }

    /// Keeps a document, so that a power cut leaves it whole or not there.
    pub fn keep(&self, document: &MissionDocument, signature: &DocumentSignature) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.path)?;
        let stem = format!("{}-{}", document.kind.word(), document.number);
        let ending = Path::new(&document.file_name).extension().and_then(|ending| ending.to_str());
        let ending = ending.filter(|ending| ["csv", "toml", "xml"].contains(ending)).unwrap_or("txt");
        let content_file = format!("{stem}.{ending}");
        write_whole(&self.path.join(&content_file), document.content.as_bytes())?;
        let kept = KeptDocument {
            content_file,
            hash: document.hash(),
            signature: Some(signature.clone()),
            document: MissionDocument { content: String::new(), ..document.clone() },
        };
        let json = serde_json::to_vec_pretty(&kept).map_err(std::io::Error::other)?;
        write_whole(&self.path.join(format!("{stem}.json")), &json)?;
        std::fs::File::open(&self.path)?.sync_all()
    }

    fn read_document(&self, path: &Path, verify: &Verify<'_>) -> Result<MissionDocument, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let kept: KeptDocument = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        // The name comes from a file that somebody may have edited.
        let name = Path::new(&kept.content_file).file_name().ok_or("it names no file")?;
        let content =
            std::fs::read_to_string(path.with_file_name(name)).map_err(|error| error.to_string())?;
        if ContentHash::of(&content) != kept.hash {
            return Err(format!("{} was changed since it was received", kept.content_file));
        }
        let document = MissionDocument { content, ..kept.document };
        let signature = kept.signature.ok_or("STO-DOCUMENT-SIGNATURE: it is not signed")?;
        verify(&document.signed_bytes(&self.mission), &signature)
            .map_err(|reason| format!("STO-DOCUMENT-SIGNATURE: {reason}"))?;
        Ok(document)
    }
}

#[derive(Deserialize, Serialize)]
struct KeptDocument {
    content_file: String,
    hash: ContentHash,
    /// Absent from what an earlier version of the node kept.
    signature: Option<DocumentSignature>,
    document: MissionDocument,
}

fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let mut file = std::fs::File::create(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(unfinished, path)
}

#[cfg(test)]
mod tests;
