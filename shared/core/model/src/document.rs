//! Models as documents: what is stored, signed and sent, and what is refused when it comes back.
//!
//! `STOMODEL`, a version (2 bytes, little-endian), the length of the body (4 bytes), SHA-256 of the body, the body as
//! postcard has it. The hash finds damage; that nobody forged a document is said by the signature around it, which the
//! hub's authority makes as it does for dictionaries (`delivery::DocumentHead`).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use space_packet::TaiTime;

use crate::bounded::bounded;
use crate::features::FEATURE_NAMES;
use crate::forecast::Forecaster;
use crate::group::CorrelatedGroup;
use crate::segment::{CHANNELS_MAX, SegmentModel};

/// The longest document.
pub const MODEL_BYTES_MAX: usize = 4 << 20;
/// The version that is written, and the latest that is read.
pub const MODEL_VERSION: u16 = 1;
/// The longest name of a channel or an input, and the longest description of training data, in bytes.
pub const NAME_BYTES_MAX: usize = 256;

const MAGIC: &[u8; 8] = b"STOMODEL";
const HEAD_BYTES: usize = MAGIC.len() + 2 + 4 + 32;
const INPUTS_MAX: usize = 64;

/// A model, and where it comes from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct ModelDocument {
    /// Its number among those of the same channels and kind, counted from 1.
    pub number: u32,
    /// The channels it was trained for; models mean them by their places here.
    #[serde(deserialize_with = "bounded::<_, _, CHANNELS_MAX>")]
    pub channels: Vec<String>,
    /// What else it looks at, in the model's order: names of features or of command inputs.
    #[serde(deserialize_with = "bounded::<_, _, INPUTS_MAX>")]
    pub inputs: Vec<String>,
    /// What it learnt from.
    pub data: TrainingData,
    /// What its chance followed from: the same data and seed give the same model.
    pub seed: u64,
    /// The model.
    pub model: Model,
}

/// What a model learnt from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct TrainingData {
    /// In words: mission, archive, labels.
    pub description: String,
    /// The generation times it lies between, if they are known.
    pub span: Option<(TaiTime, TaiTime)>,
    /// Samples or segments.
    pub examples: u64,
    /// How many of them somebody called anomalous.
    pub anomalous: u64,
    /// SHA-256 of the data as they were given to the training.
    pub sha256: [u8; 32],
}

/// What was learnt.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub enum Model {
    /// T² and Q of several channels.
    CorrelatedGroup(CorrelatedGroup),
    /// The next value of one channel.
    Forecaster(Forecaster),
    /// Whether a segment is anomalous.
    Segments(Box<SegmentModel>),
}

impl Model {
    /// What sort it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::CorrelatedGroup(_) => "correlated-group",
            Self::Forecaster(_) => "forecaster",
            Self::Segments(_) => "segments",
        }
    }
}

/// A model, and what its training showed.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained<M, R> {
    /// The model.
    pub model: M,
    /// What its training showed.
    pub report: R,
}

/// Why a document is not used. The models that are in force stay so, and without one the statistical detectors do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// Its hash is another, or something follows its end.
    #[error(
        "the model document is not as it was written: its SHA-256 or its length is another; send it anew"
    )]
    Altered,
    /// It is for other channels.
    #[error("the model is for {}, not for {wanted}; train one for it, or choose another", channels.join(", "))]
    Channel {
        /// The channel that was asked for.
        wanted: String,
        /// Those it is for.
        channels: Vec<String>,
    },
    /// It looks at features that this program does not compute, or not in this order.
    #[error("the model looks at other features than this program computes; train it anew")]
    Features,
    /// What is in it does not go together.
    #[error("the model document says something that cannot be: {what}")]
    Malformed {
        /// Which part.
        what: &'static str,
    },
    /// It does not begin as one.
    #[error("this is no model document: it does not begin with STOMODEL")]
    NotAModel,
    /// It is longer than [`MODEL_BYTES_MAX`].
    #[error("a model document of {bytes} bytes: at most {MODEL_BYTES_MAX} are taken; train a smaller model")]
    TooLarge {
        /// As announced, or as it is.
        bytes: usize,
    },
    /// It ends early.
    #[error("the model document ends after {found} of {announced} bytes; send it anew")]
    Truncated {
        /// What there should be.
        announced: usize,
        /// What there is.
        found: usize,
    },
    /// A channel was named by a place that the model does not have.
    #[error("the model has {channels} channels, and none at place {place}")]
    UnknownChannel {
        /// Counted from 0.
        place: usize,
        /// How many there are.
        channels: usize,
    },
    /// A later program wrote it.
    #[error(
        "the model document has version {found}, and this program reads up to {MODEL_VERSION}; update it first"
    )]
    Version {
        /// As written.
        found: u16,
    },
}

impl ModelError {
    /// Its stable code, described in `docs/error-codes.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Altered => "STO-MODEL-ALTERED",
            Self::Channel { .. } | Self::UnknownChannel { .. } => "STO-MODEL-CHANNEL",
            Self::Features => "STO-MODEL-FEATURES",
            Self::Malformed { .. } | Self::NotAModel => "STO-MODEL-UNREADABLE",
            Self::TooLarge { .. } => "STO-MODEL-SIZE",
            Self::Truncated { .. } => "STO-MODEL-TRUNCATED",
            Self::Version { .. } => "STO-MODEL-VERSION",
        }
    }
}

/// Why nothing is learnt from what was given. Its code is `STO-MODEL-TRAINING`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TrainingError {
    /// Too little or too much.
    #[error("{given} to learn from: from {least} to {most} are wanted")]
    Amount {
        /// What there is.
        given: usize,
        /// What is needed.
        least: usize,
        /// What is taken.
        most: usize,
    },
    /// An example names a channel beyond those announced.
    #[error("an example is of channel {place}, of {channels}")]
    Channel {
        /// Counted from 0.
        place: usize,
        /// How many there are.
        channels: usize,
    },
    /// Nothing in it changes.
    #[error("nothing changes in what is to be learnt from")]
    Constant,
    /// A value is NaN or infinite.
    #[error("value {index} of what is to be learnt from is not a finite number")]
    NotFinite {
        /// Counted from 0.
        index: usize,
    },
    /// Labels of one kind only, or nearly so.
    #[error(
        "{rarer} examples of the rarer kind: at least {wanted} are wanted; without labels nothing is wanted"
    )]
    OneSided {
        /// What there is.
        rarer: usize,
        /// What is needed.
        wanted: usize,
    },
    /// Lists that belong together differ in length.
    #[error("{given} values where {wanted} are wanted")]
    Shape {
        /// What there is.
        given: usize,
        /// What belongs to the rest.
        wanted: usize,
    },
}

impl TrainingError {
    /// Its stable code, described in `docs/error-codes.md`.
    pub fn code(&self) -> &'static str {
        "STO-MODEL-TRAINING"
    }
}

impl ModelDocument {
    /// As bytes.
    ///
    /// # Errors
    /// [`ModelError`] when it could not be read back: too large, or of parts that do not go together.
    pub fn encode(&self) -> Result<Vec<u8>, ModelError> {
        self.check()?;
        let body = postcard::to_stdvec(self).map_err(|_| ModelError::Malformed { what: "its body" })?;
        let bytes = HEAD_BYTES + body.len();
        if bytes > MODEL_BYTES_MAX {
            return Err(ModelError::TooLarge { bytes });
        }
        let mut document = Vec::with_capacity(bytes);
        document.extend_from_slice(MAGIC);
        document.extend_from_slice(&MODEL_VERSION.to_le_bytes());
        document.extend_from_slice(&(body.len() as u32).to_le_bytes());
        document.extend_from_slice(&Sha256::digest(&body));
        document.extend_from_slice(&body);
        Ok(document)
    }

    /// From bytes that may be anything. Nothing is reserved by a length that was not checked.
    ///
    /// # Errors
    /// [`ModelError`], each cause with a code of its own.
    pub fn decode(bytes: &[u8]) -> Result<Self, ModelError> {
        if !bytes.starts_with(&MAGIC[..MAGIC.len().min(bytes.len())]) || bytes.is_empty() {
            return Err(ModelError::NotAModel);
        }
        if bytes.len() > MODEL_BYTES_MAX {
            return Err(ModelError::TooLarge { bytes: bytes.len() });
        }
        let truncated = |announced| ModelError::Truncated { announced, found: bytes.len() };
        let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(truncated(HEAD_BYTES))?;
        let found = u16::from_le_bytes([head[8], head[9]]);
        if found != MODEL_VERSION {
            return Err(ModelError::Version { found });
        }
        let announced = HEAD_BYTES + u32::from_le_bytes([head[10], head[11], head[12], head[13]]) as usize;
        if announced > MODEL_BYTES_MAX {
            return Err(ModelError::TooLarge { bytes: announced });
        }
        if bytes.len() < announced {
            return Err(truncated(announced));
        }
        if bytes.len() > announced || Sha256::digest(body).as_slice() != &head[14..] {
            return Err(ModelError::Altered);
        }
        let (document, rest) = postcard::take_from_bytes::<Self>(body)
            .map_err(|_| ModelError::Malformed { what: "its body" })?;
        if !rest.is_empty() {
            return Err(ModelError::Malformed { what: "something follows the model" });
        }
        document.check()?;
        Ok(document)
    }

    /// The place of a channel among the model's.
    ///
    /// # Errors
    /// [`ModelError::Channel`] when the model is for others.
    pub fn channel(&self, wanted: &str) -> Result<usize, ModelError> {
        let place = self.channels.iter().position(|channel| channel == wanted);
        place
            .ok_or_else(|| ModelError::Channel { wanted: wanted.to_owned(), channels: self.channels.clone() })
    }

    fn check(&self) -> Result<(), ModelError> {
        let malformed = |what| Err(ModelError::Malformed { what });
        let names = || self.channels.iter().chain(&self.inputs);
        if names().any(|name| name.is_empty() || name.len() > NAME_BYTES_MAX) {
            return malformed("a name is empty or too long");
        }
        if self.data.description.len() > NAME_BYTES_MAX {
            return malformed("the description of the training data is too long");
        }
        let (channels, inputs) = match &self.model {
            Model::CorrelatedGroup(group) => (group.channels(), 0),
            Model::Forecaster(forecaster) => (1, forecaster.inputs()),
            Model::Segments(segments) => (segments.channels(), FEATURE_NAMES.len()),
        };
        if self.channels.len() != channels || self.inputs.len() != inputs {
            return malformed("channels or inputs are not as many as the model has");
        }
        if matches!(self.model, Model::Segments(_)) && self.inputs != FEATURE_NAMES {
            return Err(ModelError::Features);
        }
        let sound = match &self.model {
            Model::CorrelatedGroup(group) => group.is_sound(),
            Model::Forecaster(forecaster) => forecaster.is_sound(),
            Model::Segments(segments) => segments.is_sound(),
        };
        if sound { Ok(()) } else { malformed("its numbers do not go together") }
    }
}

#[cfg(test)]
mod tests;
