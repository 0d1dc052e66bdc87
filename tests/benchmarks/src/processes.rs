//! What the kernel says of a running process.

use anyhow::{Context, bail};

/// Peak and present resident memory in MiB.
pub fn memory_mib(pid: u32) -> anyhow::Result<(f64, f64)> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib = line
            .and_then(|rest| rest.trim().strip_suffix(" kB"))
            .and_then(|text| text.trim().parse::<f64>().ok());
        kib.map(|kib| kib / 1_024.0).with_context(|| format!("/proc/{pid}/status has no {name}"))
    };
    Ok((field("VmHWM:")?, field("VmRSS:")?))
}

/// Seconds of processor time a process has used, children it has waited for included.
pub fn cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name in parentheses may hold anything; what follows it is numbers.
    let Some((_, numbers)) = stat.rsplit_once(')') else { bail!("/proc/{pid}/stat cannot be read") };
    let ticks: f64 =
        numbers.split_whitespace().skip(11).take(4).filter_map(|number| number.parse::<f64>().ok()).sum();
    Ok(ticks / rustix::param::clock_ticks_per_second() as f64)
}

/// The process and all that descend from it, as PostgreSQL's backends do from the hub.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let children = format!("/proc/{0}/task/{0}/children", found[next]);
        let listed = std::fs::read_to_string(children).unwrap_or_default();
        found.extend(listed.split_whitespace().filter_map(|text| text.parse::<u32>().ok()));
        next += 1;
    }
    found
}

/// Seconds of processor time that a hub, its PostgreSQL, a node and we, who make the load, have used.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    node_s: f64,
    hub_s: f64,
    postgresql_s: f64,
    load_s: f64,
}

impl Usage {
    /// Up to now; what descends from the hub is its PostgreSQL.
    pub fn of(hub: u32, node: Option<u32>) -> anyhow::Result<Self> {
        let database = descendants(hub).into_iter().filter(|&pid| pid != hub);
        Ok(Self {
            node_s: node.map_or(Ok(0.0), own_cpu_seconds)?,
            hub_s: own_cpu_seconds(hub)?,
            postgresql_s: database.filter_map(|pid| cpu_seconds(pid).ok()).sum(),
            load_s: own_cpu_seconds(std::process::id())?,
        })
    }

    /// By process, since an earlier moment.
    pub fn since(self, before: Self) -> [(&'static str, f64); 4] {
        [
            ("node", self.node_s - before.node_s),
            ("hub", self.hub_s - before.hub_s),
            ("PostgreSQL", self.postgresql_s - before.postgresql_s),
            ("load and questions", self.load_s - before.load_s),
        ]
    }
}

/// Without what children used that were waited for.
pub fn own_cpu_seconds(pid: u32) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, seconds) = thread_seconds(&stat).context("/proc/PID/stat has a name")?;
    Ok(seconds)
}

/// The name of a thread or process in its `stat`, and the processor time it used itself.
pub(crate) fn thread_seconds(stat: &str) -> Option<(String, f64)> {
    // The name in parentheses may hold anything; what follows it is numbers.
    let (begin, numbers) = stat.rsplit_once(')')?;
    let (_, name) = begin.split_once('(')?;
    let ticks: f64 =
        numbers.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<f64>().ok()).sum();
    Some((name.to_owned(), ticks / rustix::param::clock_ticks_per_second() as f64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_threads_time_is_read_behind_a_name_with_spaces_and_parentheses() {
        let stat = "12 (a (b) c) S 1 12 12 0 -1 4 0 0 0 0 300 200 7 7 20 0 1 0 100 0 0";
        let per_second = rustix::param::clock_ticks_per_second() as f64;
        assert_eq!(thread_seconds(stat), Some(("a (b) c".to_owned(), 500.0 / per_second)));
        assert_eq!(thread_seconds("gone"), None);
    }
}
