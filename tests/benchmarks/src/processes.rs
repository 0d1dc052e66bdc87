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
