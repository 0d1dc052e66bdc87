//! Documents as they travel from the hub to a node, to and from documents as they are kept.

use delivery::{DocumentBounds, DocumentHash, DocumentHead, DocumentSignature, HeldDocument, TEXT_BYTES_MAX};

use super::{Bounds, DocumentKind, MissionDocument};

impl From<DocumentKind> for delivery::DocumentKind {
    fn from(kind: DocumentKind) -> Self {
        match kind {
            DocumentKind::AlarmRules => Self::AlarmRules,
            DocumentKind::DetectionRules => Self::DetectionRules,
            DocumentKind::Dictionary => Self::Dictionary,
            DocumentKind::Limits => Self::Limits,
            DocumentKind::Model => Self::Model,
        }
    }
}

/// A document that is about the node, not about a mission.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it is not about a mission")]
pub struct OfNode;

impl TryFrom<delivery::DocumentKind> for DocumentKind {
    type Error = OfNode;

    fn try_from(kind: delivery::DocumentKind) -> Result<Self, OfNode> {
        match kind {
            delivery::DocumentKind::AlarmRules => Ok(Self::AlarmRules),
            delivery::DocumentKind::DetectionRules => Ok(Self::DetectionRules),
            delivery::DocumentKind::Dictionary => Ok(Self::Dictionary),
            delivery::DocumentKind::Limits => Ok(Self::Limits),
            delivery::DocumentKind::Model => Ok(Self::Model),
            delivery::DocumentKind::Endpoints | delivery::DocumentKind::Trust => Err(OfNode),
        }
    }
}

impl From<Bounds> for DocumentBounds {
    fn from(bounds: Bounds) -> Self {
        match bounds {
            Bounds::Good => Self::Good,
            Bounds::Violation => Self::Violation,
        }
    }
}

impl From<DocumentBounds> for Bounds {
    fn from(bounds: DocumentBounds) -> Self {
        match bounds {
            DocumentBounds::Good => Self::Good,
            DocumentBounds::Violation => Self::Violation,
        }
    }
}

impl MissionDocument {
    /// The document, as a node says that it holds it.
    pub fn held(&self) -> HeldDocument {
        HeldDocument { kind: self.kind.into(), number: self.number, hash: DocumentHash(self.hash().0) }
    }

    /// What an authority signs of it.
    pub fn signed_bytes(&self, mission: &str) -> Vec<u8> {
        self.head(mission, self.held().hash, DocumentSignature::default()).signed_bytes()
    }

    /// What goes before its text to a node, which is not packed yet. Author and reason are cut to what a frame takes:
    /// they are for people.
    pub fn head(&self, mission: &str, hash: DocumentHash, signature: DocumentSignature) -> DocumentHead {
        let shown = |text: &Option<String>| text.as_deref().map(cut);
        DocumentHead {
            mission: Some(mission.to_owned()),
            kind: self.kind.into(),
            number: self.number,
            effective_from: self.effective_from,
            effective_to: self.effective_to,
            file_name: self.file_name.clone(),
            bounds: self.bounds.map(DocumentBounds::from),
            author: shown(&self.author),
            reason: shown(&self.reason),
            hash,
            text_bytes: self.content.len() as u64,
            packed_bytes: 0,
            signature,
        }
    }

    /// A document that came, with its text.
    pub fn received(head: DocumentHead, content: String) -> Result<Self, OfNode> {
        Ok(Self {
            kind: head.kind.try_into()?,
            number: head.number,
            effective_from: head.effective_from,
            effective_to: head.effective_to,
            file_name: head.file_name,
            bounds: head.bounds.map(Bounds::from),
            author: head.author,
            reason: head.reason,
            content,
        })
    }
}

fn cut(text: &str) -> String {
    text[..text.floor_char_boundary(TEXT_BYTES_MAX)].to_owned()
}
