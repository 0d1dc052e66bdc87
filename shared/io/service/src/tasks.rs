//! Tasks have an owner: they start through a group, end in order, and one that fails ends the process.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

/// What a task's end means for the others.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnEnd {
    /// Nothing: it had an end of its own.
    Continue,
    /// Everything stops: the process is not whole without it.
    Shutdown,
}

/// The long-running tasks of a process.
pub struct TaskGroup {
    tasks: JoinSet<(&'static str, anyhow::Result<()>, OnEnd)>,
    shutdown: CancellationToken,
}

impl TaskGroup {
    /// A group whose tasks stop when `shutdown` is cancelled.
    pub fn new(shutdown: CancellationToken) -> Self {
        Self { tasks: JoinSet::new(), shutdown }
    }

    /// Starts a task. If it fails, or ends though it must not, before shutdown was asked for, that is logged at
    /// once, also when nobody is in `run`.
    pub fn spawn(
        &mut self,
        name: &'static str,
        on_end: OnEnd,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        let shutdown = self.shutdown.clone();
        self.tasks.spawn(async move {
            let result = task.await;
            match &result {
                _ if shutdown.is_cancelled() => {}
                Ok(()) if on_end == OnEnd::Shutdown => warn!(task = name, "task ended"),
                Ok(()) => {}
                Err(failure) => error!(task = name, error = format!("{failure:#}"), "task failed"),
            }
            (name, result, on_end)
        });
    }

    /// Waits until shutdown was asked for or a task that must not end did; true when all was well.
    ///
    /// Several groups can be run in one `select!`: it is cancel safe, and without tasks it waits for shutdown.
    pub async fn run(&mut self) -> bool {
        loop {
            let stops = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return true,
                ended = self.tasks.join_next(), if !self.tasks.is_empty() => match ended {
                    Some(Ok((_, Ok(()), OnEnd::Continue))) | None => continue,
                    Some(Ok((name, _, _))) => name.to_owned(),
                    Some(Err(failure)) => failure.to_string(),
                },
            };
            error!(task = stops, "stopping because of this task");
            self.shutdown.cancel();
            return false;
        }
    }

    /// Waits for all tasks to end, against a deadline; what fails, panics or is cut off is logged.
    pub async fn drain(mut self, deadline: Duration) {
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                match ended {
                    Ok((_, Ok(()), _)) => {}
                    Ok((name, Err(failure), _)) => {
                        warn!(task = name, error = format!("{failure:#}"), "task failed while stopping");
                    }
                    Err(failure) => error!(error = %failure, "task panicked"),
                }
            }
        };
        if tokio::time::timeout(deadline, all).await.is_err() {
            warn!(cut_off = self.tasks.len(), "tasks did not stop in time");
            self.tasks.abort_all();
        }
    }
}

/// Cancels `shutdown` at SIGINT or SIGTERM; a second signal ends the process at once.
pub async fn watch_signals(shutdown: CancellationToken) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let signal = tokio::select! {
        _ = interrupt.recv() => "SIGINT",
        _ = terminate.recv() => "SIGTERM",
        () = shutdown.cancelled() => return Ok(()),
    };
    info!(signal, "signal received, stopping in order");
    shutdown.cancel();
    // Outlives this task on purpose: whoever is in a hurry must not have to wait for the order of stopping.
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        warn!("second signal received, stopping at once");
        std::process::exit(1);
    });
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use tokio::time::{sleep, timeout};

    use super::*;

    const SHORT: Duration = Duration::from_millis(50);

    /// What is logged on this thread while the guard lives.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Log {
        fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
            let log = Self::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
            (log, tracing::subscriber::set_default(subscriber))
        }

        fn text(&self) -> String {
            String::from_utf8_lossy(&self.0.lock().expect("not poisoned")).into_owned()
        }
    }

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("not poisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_panic_is_told_while_draining() {
        let (log, _guard) = Log::begin();
        let mut group = TaskGroup::new(CancellationToken::new());
        group.spawn("breaks", OnEnd::Continue, async { panic!("the floor is gone") });
        group.drain(Duration::from_secs(5)).await;
        assert!(log.text().contains("the floor is gone"), "{}", log.text());
    }

    #[tokio::test]
    async fn the_end_of_a_task_is_told_even_if_nobody_runs_its_group() {
        let (log, _guard) = Log::begin();
        let mut group = TaskGroup::new(CancellationToken::new());
        group.spawn("fails", OnEnd::Continue, async { anyhow::bail!("no such disk") });
        group.spawn("must-stay", OnEnd::Shutdown, async { Ok(()) });
        group.spawn("may-end", OnEnd::Continue, async { Ok(()) });
        sleep(SHORT).await;
        let text = log.text();
        assert!(text.contains("no such disk") && text.contains("must-stay"), "{text}");
        assert!(!text.contains("may-end"), "{text}");
    }

    #[tokio::test]
    async fn several_groups_run_together_and_none_misses_an_end() {
        let shutdown = CancellationToken::new();
        let (mut empty, mut working) = (TaskGroup::new(shutdown.clone()), TaskGroup::new(shutdown.clone()));
        for _ in 0..100 {
            working.spawn("short", OnEnd::Continue, async { Ok(()) });
        }
        working.spawn("ends", OnEnd::Shutdown, async {
            sleep(SHORT * 2).await;
            Ok(())
        });
        let ended_well = timeout(Duration::from_secs(5), async {
            loop {
                // Dropped again and again: what it has not told yet, the next call tells.
                tokio::select! {
                    ended_well = empty.run() => return ended_well,
                    ended_well = working.run() => return ended_well,
                    () = sleep(SHORT / 10) => {}
                }
            }
        });
        assert_eq!(ended_well.await, Ok(false));
        assert!(shutdown.is_cancelled());
    }

    #[tokio::test]
    async fn a_group_without_tasks_waits_for_shutdown() {
        let shutdown = CancellationToken::new();
        let mut group = TaskGroup::new(shutdown.clone());
        assert!(timeout(SHORT, group.run()).await.is_err());
        shutdown.cancel();
        assert!(group.run().await);
    }
}
