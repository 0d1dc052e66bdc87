//! What the private PostgreSQL is told at each start, and why.

use std::fs;

use super::Durability;

/// One hub pools at most 22 and has 4 of its own; the rest is for psql, Grafana, backups and a second hub that is taking
/// over.
const MAX_CONNECTIONS: u32 = 50;
/// Hot reads are answered by the archive's head, so the cache holds index pages and dirty ones: it may stay small, and
/// more than a GiB only makes checkpoints longer.
const SHARED_BUFFERS_MIB: std::ops::RangeInclusive<u64> = 128..=1_024;
/// Of the machine's memory; the rest is the head's, and the kernel's cache of segments.
const SHARED_BUFFERS_PART: u64 = 8;
/// A line for each statement that is slower: few, and worth knowing.
const SLOW_STATEMENT: &str = "5s";

/// Who may connect. The socket's folder is closed to all but one user of the machine (and root): whoever comes through it
/// is believed to be the hub or who looks after it. Readers show a password even there.
pub(super) const HBA: &str = "\
# Written by cloud-hub at each start of PostgreSQL.
local all postgres,sto trust
local replication postgres trust
local all all scram-sha-256
";

/// Settings, as `name=value`.
pub(super) fn settings(durability: Durability, lz4: bool) -> Vec<String> {
    let compression = if lz4 { "lz4" } else { "on" };
    let memory = memory_bytes().unwrap_or(0) >> 20;
    let buffers = match durability {
        Durability::Full => {
            (memory / SHARED_BUFFERS_PART).clamp(*SHARED_BUFFERS_MIB.start(), *SHARED_BUFFERS_MIB.end())
        }
        Durability::TestOnly => *SHARED_BUFFERS_MIB.start(),
    };
    let mut settings = vec![
        "listen_addresses=".to_owned(),
        "unix_socket_permissions=0700".to_owned(),
        format!("max_connections={MAX_CONNECTIONS}"),
        format!("shared_buffers={buffers}MB"),
        // What the planner may think is cached by the kernel too.
        format!("effective_cache_size={}MB", (memory / 2).max(buffers)),
        // Checkpoints write whole pages of what follows them: rare and slow ones write less in all.
        "checkpoint_timeout=15min".to_owned(),
        "checkpoint_completion_target=0.9".to_owned(),
        "max_wal_size=2GB".to_owned(),
        format!("wal_compression={compression}"),
        // A disk of today reads some places at once; 1 is PostgreSQL's own default.
        "effective_io_concurrency=32".to_owned(),
        // Our statements are short: compiling them takes longer than running them.
        "jit=off".to_owned(),
        // An acknowledgement says durable.
        "synchronous_commit=on".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
        "log_line_prefix=%m [%p] %q%u@%d %a ".to_owned(),
        format!("log_min_duration_statement={SLOW_STATEMENT}"),
        // Values are telemetry, and secrets' hashes.
        "log_parameter_max_length=0".to_owned(),
        "log_lock_waits=on".to_owned(),
        // `passes_by_itself` reads what PostgreSQL says.
        "lc_messages=C".to_owned(),
    ];
    if durability == Durability::TestOnly {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings
}

/// The machine's memory, or what a container may use of it.
fn memory_bytes() -> Option<u64> {
    let total = total_in(&fs::read_to_string("/proc/meminfo").ok()?)?;
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok();
    let limit = limit.and_then(|text| text.trim().parse().ok()).unwrap_or(u64::MAX);
    Some(total.min(limit))
}

/// `MemTotal` of `/proc/meminfo`, in bytes.
pub(super) fn total_in(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    kibibytes.checked_mul(1_024)
}
