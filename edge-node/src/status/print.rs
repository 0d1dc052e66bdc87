//! What `edge-node status` prints.

use std::path::Path;

use dashboard::contract::{Node, NodeState};

use super::FILE;

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
