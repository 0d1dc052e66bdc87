//! The torturer's own account: what the journal acknowledged, and what it was told it may forget.
//!
//! Lines of text, written in one call each time. A line that is cut off was not said.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Context;
use delivery::{BatchSequence, ChainHash, StoreId};

/// One thing that was said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Entry {
    /// The batch is durable: `commit` returned.
    Acknowledged(BatchSequence, Content),
    /// The journal is this one; it has committed something.
    Store(StoreId),
    /// The journal is about to hear that the hub has everything up to here.
    Told(BatchSequence),
    /// The journal is about to be asked to forget everything up to here.
    Unneeded(BatchSequence),
}

/// What a batch holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Content {
    /// Its hash, which covers every byte.
    pub hash: ChainHash,
    /// What its records are made from.
    pub seed: u64,
}

impl Entry {
    /// Its line.
    pub fn line(&self) -> String {
        match self {
            Self::Acknowledged(sequence, content) => {
                format!("acknowledged {} {} {}\n", sequence.0, hexadecimal(&content.hash.0), content.seed)
            }
            Self::Store(store) => format!("store {}\n", hexadecimal(&store.0)),
            Self::Told(sequence) => format!("told {}\n", sequence.0),
            Self::Unneeded(sequence) => format!("unneeded {}\n", sequence.0),
        }
    }

    fn parse(line: &str) -> anyhow::Result<Self> {
        let words: Vec<&str> = line.split(' ').collect();
        let sequence = |text: &str| anyhow::Ok(BatchSequence(text.parse()?));
        Ok(match *words.as_slice() {
            ["acknowledged", number, hash, seed] => Self::Acknowledged(
                sequence(number)?,
                Content { hash: ChainHash(sixteen_bytes(hash)?), seed: seed.parse()? },
            ),
            ["store", store] => Self::Store(StoreId(sixteen_bytes(store)?)),
            ["told", number] => Self::Told(sequence(number)?),
            ["unneeded", number] => Self::Unneeded(sequence(number)?),
            _ => anyhow::bail!("not a line of a ledger"),
        })
    }
}

/// Everything that was said, summed up.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Ledger {
    /// Which journal; unknown until something was acknowledged.
    pub store: Option<StoreId>,
    /// The newest batch that was ever acknowledged.
    pub newest: Option<BatchSequence>,
    /// Acknowledged batches that must be there.
    pub needed: BTreeMap<u64, Content>,
    /// How far the journal may believe that the hub is.
    pub told: Option<BatchSequence>,
    /// How far the journal was asked to forget.
    pub unneeded: Option<BatchSequence>,
}

impl Ledger {
    /// Reads lines.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut ledger = Self::default();
        ledger.read(text)?;
        Ok(ledger)
    }

    /// Reads further lines. The last one may be cut off.
    pub fn read(&mut self, text: &str) -> anyhow::Result<()> {
        for line in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')) {
            self.add(Entry::parse(line).with_context(|| format!("{line:?}"))?);
        }
        Ok(())
    }

    fn add(&mut self, entry: Entry) {
        match entry {
            Entry::Acknowledged(sequence, content) => {
                self.newest = self.newest.max(Some(sequence));
                self.needed.insert(sequence.0, content);
            }
            Entry::Store(store) => self.store = Some(store),
            Entry::Told(sequence) => self.told = self.told.max(Some(sequence)),
            Entry::Unneeded(sequence) => {
                self.unneeded = self.unneeded.max(Some(sequence));
                // The newest batch always stays.
                let newest = self.newest.map_or(0, |newest| newest.0);
                self.needed.retain(|number, _| *number > sequence.0 || *number == newest);
            }
        }
    }

    /// The same, said again from the beginning.
    pub fn text(&self) -> String {
        let mut text = self.store.map(|store| Entry::Store(store).line()).unwrap_or_default();
        for (number, content) in &self.needed {
            text += &Entry::Acknowledged(BatchSequence(*number), *content).line();
        }
        text += &self.told.map(|told| Entry::Told(told).line()).unwrap_or_default();
        text + &self.unneeded.map(|unneeded| Entry::Unneeded(unneeded).line()).unwrap_or_default()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn sixteen_bytes(text: &str) -> anyhow::Result<[u8; 16]> {
    anyhow::ensure!(text.len() == 32, "not 32 digits");
    Ok(u128::from_str_radix(text, 16)?.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_says_the_same_again_and_a_line_that_was_cut_off_was_not_said() {
        let content = |seed| Content { hash: ChainHash([seed as u8; 16]), seed };
        let entries = [
            Entry::Store(StoreId([1; 16])),
            Entry::Acknowledged(BatchSequence(1), content(11)),
            Entry::Acknowledged(BatchSequence(2), content(12)),
            Entry::Acknowledged(BatchSequence(3), content(13)),
            Entry::Told(BatchSequence(2)),
            Entry::Unneeded(BatchSequence(1)),
        ];
        let text: String = entries.iter().map(Entry::line).collect();
        let ledger = Ledger::parse(&text).expect("reads");
        assert_eq!(ledger.needed.keys().copied().collect::<Vec<_>>(), [2, 3]);
        assert_eq!((ledger.newest, ledger.told), (Some(BatchSequence(3)), Some(BatchSequence(2))));
        assert_eq!(Ledger::parse(&ledger.text()).expect("reads"), ledger);
        let cut = Ledger::parse(&format!("{text}acknowledged 4 00")).expect("reads");
        assert_eq!(cut, ledger);
        assert!(Ledger::parse("acknowledged 4 00\n").is_err());
    }
}
