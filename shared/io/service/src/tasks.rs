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

    /// Starts a task.
    pub fn spawn(
        &mut self,
        name: &'static str,
        on_end: OnEnd,
        task: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (name, task.await, on_end) });
    }

    /// Waits until shutdown was asked for or a task that must not end did; true when all was well.
    pub async fn run(&mut self) -> bool {
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return true,
                ended = self.tasks.join_next(), if !self.tasks.is_empty() => match ended {
                    Some(Ok((_, Ok(()), OnEnd::Continue))) | None => {}
                    Some(Ok((name, Ok(()), OnEnd::Shutdown))) => {
                        warn!(task = name, "task ended, stopping");
                        self.shutdown.cancel();
                        return false;
                    }
                    Some(Ok((name, Err(failure), _))) => {
                        error!(task = name, error = format!("{failure:#}"), "task failed, stopping");
                        self.shutdown.cancel();
                        return false;
                    }
                    Some(Err(failure)) => {
                        error!(error = %failure, "task panicked, stopping");
                        self.shutdown.cancel();
                        return false;
                    }
                },
            }
        }
    }

    /// Waits for all tasks to end, against a deadline; what is cut off is logged.
    pub async fn drain(mut self, deadline: Duration) {
        let all = async {
            while let Some(ended) = self.tasks.join_next().await {
                if let Ok((name, Err(failure), _)) = ended {
                    warn!(task = name, error = format!("{failure:#}"), "task failed while stopping");
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
