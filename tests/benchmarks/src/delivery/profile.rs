//! Where processor time goes: by process, and by the threads that have names.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::BENCH;
use crate::figures::print;
use crate::processes::{descendants, thread_seconds};

/// A thread costs less than this share of a microsecond a packet: not worth a line.
const WORTH_A_LINE_US: f64 = 0.02;

/// Seconds by process and thread.
type Seconds = BTreeMap<(&'static str, String), f64>;

/// Processor time since a moment.
pub(super) struct Profile {
    processes: Vec<(&'static str, u32)>,
    before: Seconds,
}

impl Profile {
    /// From now on. A hub's PostgreSQL is told apart from it.
    pub(super) fn begin(processes: Vec<(&'static str, u32)>) -> Self {
        let before = seconds(&processes);
        Self { processes, before }
    }

    /// Microseconds for each of so many packets.
    pub(super) fn print(&self, packets: u64, context: &Value) {
        let mut whole = BTreeMap::<&str, f64>::new();
        for ((process, thread), now) in seconds(&self.processes) {
            let before = self.before.get(&(process, thread.clone())).copied().unwrap_or(0.0);
            let micros = (now - before).max(0.0) * 1e6 / packets as f64;
            *whole.entry(process).or_default() += micros;
            if micros >= WORTH_A_LINE_US {
                let mut context = context.clone();
                (context["process"], context["thread"]) = (json!(process), json!(thread));
                print(BENCH, "cpu_per_packet_of_thread", micros, "us", &context);
            }
        }
        for (process, micros) in whole {
            let mut context = context.clone();
            context["process"] = json!(process);
            print(BENCH, "cpu_per_packet", micros, "us", &context);
        }
    }
}

fn seconds(processes: &[(&'static str, u32)]) -> Seconds {
    let mut all = Seconds::new();
    for &(name, root) in processes {
        for pid in descendants(root) {
            // What descends from the hub is PostgreSQL.
            let name = if pid == root { name } else { "PostgreSQL" };
            add_threads(&mut all, name, pid);
        }
    }
    all
}

fn add_threads(all: &mut Seconds, process: &'static str, pid: u32) {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    for task in tasks {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        if let Some((thread, seconds)) = thread_seconds(&stat) {
            *all.entry((process, thread)).or_default() += seconds;
        }
    }
}
