//! What `edge-node status` prints.

use std::path::Path;

use dashboard::contract::{Backlog, BacklogRates, Drain, Node, NodeState};
use inspect::grouped;

use super::FILE;

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// Prints what the running node wrote last; exit code 3 when something needs a look.
pub fn print(data_directory: &Path, json: bool) -> anyhow::Result<std::process::ExitCode> {
    let file = data_directory.join(FILE);
    let text = std::fs::read_to_string(&file).map_err(|error| {
        anyhow::anyhow!("{}: {error}; has the node ever run? Start it with `edge-node run`", file.display())
    })?;
    let age = std::fs::metadata(&file)?.modified()?.elapsed().unwrap_or_default();
    let node: Node = serde_json::from_str(&text)?;
    let is_running = age.as_secs() < 10;
    let needs_a_look = !is_running || node.state != NodeState::Connected || node.problem.is_some();
    if json {
        println!("{text}");
    } else {
        print_for_people(&node, is_running, age.as_secs());
    }
    Ok(std::process::ExitCode::from(if needs_a_look { 3 } else { 0 }))
}

fn print_for_people(node: &Node, is_running: bool, age_s: u64) {
    let report = node.report.clone().unwrap_or_default();
    println!("{} · {} · edge-node {}", node.name, node.site, report.version);
    if !is_running {
        println!("▲ NOT RUNNING: what follows is {age_s} s old");
    }
    let (mark, word) = match node.state {
        NodeState::Connected => ("●", "connected"),
        NodeState::Disconnected | NodeState::NeverConnected => ("■", "NOT CONNECTED"),
        NodeState::NotEnrolled => ("○", "not enrolled"),
        NodeState::Revoked => ("▲", "REVOKED"),
    };
    let since = node.since.as_deref().map(|since| format!(" since {since}")).unwrap_or_default();
    println!("{mark} Hub link    {word}{since}");
    if let Some(problem) = &node.problem {
        println!("              {problem}");
    }
    let backlog = &report.backlog;
    let oldest = backlog.oldest.as_deref().map(|oldest| format!(" · oldest {oldest}")).unwrap_or_default();
    println!(
        "● Backlog     {} packets · {} batches · {} bytes{oldest}",
        backlog.packets, backlog.batches, backlog.bytes
    );
    println!("              {}", outlook(backlog));
    if let Some(clock) = &report.clock {
        println!("● Clock       {:+.1} ms to the hub's, within {:.1} ms", clock.offset_ms, clock.error_ms);
    }
    for link in &report.links {
        let last = link.last_packet.as_deref().unwrap_or("never");
        println!(
            "● Link {:<10} {} {} · {} records, {} on disk · {} clients · last {last}",
            link.name, link.door, link.listen, link.packets, link.durable, link.clients
        );
        if link.quarantined > 0 {
            println!("  quarantine  {} records: edge-node quarantine ls", link.quarantined);
        }
        for found in &link.found {
            println!("  found       {} × {}", found.count, found.verdict);
        }
        for rejected in &link.rejected {
            println!("  rejected    {} × {} ({} bytes)", rejected.count, rejected.cause, rejected.bytes);
        }
    }
    if let Some(days) = report.certificate_days {
        println!("● Certificate {days} days left");
    }
}

/// How long the backlog lasts, in one line.
fn outlook(backlog: &Backlog) -> String {
    let rates = backlog.rates.unwrap_or_default();
    let out = flow(rates.packets_out_per_s, rates.bytes_out_per_s);
    let (drains, counts_in) = match backlog.drain {
        Drain::After { seconds } => (format!("drains in {} at {out}", duration(seconds)), false),
        Drain::Disconnected => ("does NOT drain without a session".to_owned(), true),
        Drain::Empty => ("nothing waits".to_owned(), false),
        Drain::KeepsUp => (format!("keeps up at {out}"), false),
        Drain::Never => (format!("does NOT drain: {} come in, {out} go out", incoming(&rates)), false),
        Drain::Paused => ("does NOT drain: it is paused".to_owned(), true),
        Drain::Unknown => ("drain time not known yet".to_owned(), false),
    };
    let is_growing = counts_in && rates.packets_in_per_s > 0.0;
    let comes_in = is_growing.then(|| format!("; {} come in", incoming(&rates)));
    let full = backlog.full_in_s.map(|seconds| format!("; full in {}", duration(seconds)));
    let older = (backlog.older_journals > 0).then(|| {
        let journals = if backlog.older_journals == 1 { "journal" } else { "journals" };
        format!("; {} older {journals} beside it", backlog.older_journals)
    });
    [Some(drains), comes_in, full, older].into_iter().flatten().collect()
}

fn incoming(rates: &BacklogRates) -> String {
    flow(rates.packets_in_per_s, rates.bytes_in_per_s)
}

/// `1,240 packets/s (158 KiB/s)`.
fn flow(packets_per_s: f64, bytes_per_s: f64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let (mut bytes, mut unit) = (bytes_per_s, 0);
    while bytes >= 1_024.0 && unit + 1 < units.len() {
        (bytes, unit) = (bytes / 1_024.0, unit + 1);
    }
    format!("{} packets/s ({} {}/s)", number(packets_per_s), number(bytes), units[unit])
}

fn number(value: f64) -> String {
    if value > 0.0 && value < 9.95 { format!("{value:.1}") } else { grouped(value.round() as u64) }
}

/// `12 s`, `3 min 20 s`, `5 h 12 min`, `2 d 4 h`: rounded up, so that it is never over sooner.
fn duration(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    let two = |count: u64, unit: &str, rest: u64, smaller: &str| match rest {
        0 => format!("{} {unit}", grouped(count)),
        _ => format!("{} {unit} {rest} {smaller}", grouped(count)),
    };
    match seconds {
        0..MINUTE_S => format!("{seconds} s"),
        MINUTE_S..HOUR_S => two(seconds / MINUTE_S, "min", seconds % MINUTE_S, "s"),
        HOUR_S..DAY_S => two(seconds / HOUR_S, "h", seconds % HOUR_S / MINUTE_S, "min"),
        _ => two(seconds / DAY_S, "d", seconds % DAY_S / HOUR_S, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_says_how_long_the_backlog_lasts() {
        let rates = BacklogRates {
            packets_in_per_s: 400.0,
            bytes_in_per_s: 51_200.0,
            packets_out_per_s: 1_240.2,
            bytes_out_per_s: 2_000_000.0,
        };
        let slow = BacklogRates { packets_out_per_s: 350.0, bytes_out_per_s: 1_000.0, ..rates };
        let idle = BacklogRates::default();
        let full = Some(17_999.2);
        let cases = [
            (Drain::Empty, Some(idle), None, "nothing waits"),
            (Drain::Unknown, None, None, "drain time not known yet"),
            (
                Drain::After { seconds: 199.6 },
                Some(rates),
                None,
                "drains in 3 min 20 s at 1,240 packets/s (1.9 MiB/s)",
            ),
            (Drain::KeepsUp, Some(rates), None, "keeps up at 1,240 packets/s (1.9 MiB/s)"),
            (
                Drain::Never,
                Some(slow),
                full,
                "does NOT drain: 400 packets/s (50 KiB/s) come in, 350 packets/s (1,000 B/s) go out; full in 5 h",
            ),
            (
                Drain::Disconnected,
                Some(slow),
                full,
                "does NOT drain without a session; 400 packets/s (50 KiB/s) come in; full in 5 h",
            ),
            (Drain::Disconnected, Some(idle), None, "does NOT drain without a session"),
            (Drain::Paused, None, None, "does NOT drain: it is paused"),
        ];
        for (drain, rates, full_in_s, expected) in cases {
            assert_eq!(outlook(&Backlog { drain, rates, full_in_s, ..Backlog::default() }), expected);
        }
        let beside = Backlog { drain: Drain::Empty, older_journals: 2, ..Backlog::default() };
        assert_eq!(outlook(&beside), "nothing waits; 2 older journals beside it");
    }

    #[test]
    fn durations_have_two_units_at_most_and_end_for_no_number() {
        let cases = [
            (0.0, "0 s"),
            (0.2, "1 s"),
            (60.0, "1 min"),
            (3_599.5, "1 h"),
            (5.0 * 3_600.0 + 12.0 * 60.0 + 3.0, "5 h 12 min"),
            (187_200.0, "2 d 4 h"),
            (1e9, "11,574 d 1 h"),
            (f64::MAX, "213,503,982,334,601 d 7 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
    }
}
