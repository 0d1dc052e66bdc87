//! Whether what the journal acknowledged survives power cuts and kills.
//!
//! A kill is easy to have and shows little: the page cache outlives the process. For a power cut, a **recorder**
//! (`recorder.c`, loaded in front of the C library) writes down every operation on the journal's files with its
//! bytes. A **disk that forgets** ([`disk`]) replays the record up to some operation and decides what a machine
//! would find there after that moment. The journal is then opened with the node's own function and compared with
//! a **ledger** ([`ledger`]) of what had been acknowledged by then, batch by batch, byte by byte ([`check`]).
//!
//! # What the disk forgets
//!
//! - An `fsync` or `fdatasync` that *ended* before the cut makes durable what was done to that file before it
//!   *began*: its bytes and its length. `sync_file_range` makes nothing durable: it reaches neither the length nor
//!   the cache of the disk.
//! - Bytes that were written and not synced are there, or not, or in part: each sector of 512 or 4,096 bytes
//!   shows the state of a moment of its own since it was last synced. Sectors are not torn themselves.
//! - A length that was not synced is that of any moment since the last sync. What the length covers and no kept
//!   write filled is zero.
//! - Names (made, renamed, removed) that were not synced are kept up to some moment, for each directory another.
//!   Syncing a directory makes durable what was done to the names in it. Under [`disk::NameRule::FileSync`], the
//!   sync of a new file or directory also makes durable the name that it was made under, and those of the new
//!   directories above it, as ext4, XFS and btrfs do; under [`disk::NameRule::DirectorySync`] it does not.
//!
//! This is stricter than ext4 with `data=ordered`, which writes new bytes before the length that covers them,
//! puts all names and lengths through one journal in order, and makes durable with any `fsync` whatever names
//! were changed before. It is as strict as POSIX except for the name rule, and except that the disk itself keeps
//! what it said it had flushed.

pub mod check;
pub mod cut;
pub mod disk;
pub mod engine;
pub mod fill;
pub mod ledger;
pub mod record;
pub mod run;
pub mod tree;
pub mod workload;
