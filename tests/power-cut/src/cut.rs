//! One power cut: what it leaves behind, and what had been acknowledged by then.

use std::path::Path;

use anyhow::Context;
use rand::rngs::SmallRng;

use crate::disk::{Disk, NameRule, Unsynced};
use crate::ledger::Ledger;
use crate::record::Operation;
use crate::run::LEDGER;
use crate::tree::{Node, Tree};

/// What there is when power comes back.
pub struct Remains {
    /// The files, with the whole ledger: that is not on the disk that lost its power.
    pub tree: Tree,
    /// What had been acknowledged.
    pub ledger: Ledger,
}

/// Cuts the power after these operations, which began with the files of `base`.
pub fn cut(
    base: &Tree,
    operations: &[Operation<'_>],
    rule: NameRule,
    unsynced: Unsynced,
    chance: &mut SmallRng,
) -> anyhow::Result<Remains> {
    let mut disk = Disk::new(base, rule)?;
    disk.apply(operations)?;
    let mut tree = disk.after_power_cut(unsynced, chance);
    let mut ledger = Ledger::default();
    match disk.as_seen(Path::new(LEDGER)) {
        Some(said) => {
            ledger.read(std::str::from_utf8(&said).context("a ledger is text")?)?;
            tree.0.insert(LEDGER.into(), Node::File(said));
        }
        None => drop(tree.0.remove(Path::new(LEDGER))),
    }
    Ok(Remains { tree, ledger })
}
