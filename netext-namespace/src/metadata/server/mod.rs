//! The server that answers guests: metadata on port 80, passwords on port 8080.
//!
//! One process per router, a mode of the same executable: `serve-metadata <configuration file>`. It serves every
//! guest network of the [`Configuration`]; which one a guest belongs to is told by the router's address that it
//! has connected to, and which guest it is by the address that it has connected from.
//!
//! For whoever supervises it:
//! - It listens on all addresses, writes the line `ready` to its stdout, and lets go of stdin, stdout and stderr.
//!   Or it ends with one line on stderr: exit code 1 if the configuration is at fault, 3 if the machine is.
//! - SIGHUP has it read the configuration again: what is new is listened on, what is gone is not, and what stays
//!   notices nothing. An interface that was made anew counts as new. What cannot be listened on is logged, and
//!   tried again at the next SIGHUP.
//! - SIGTERM and SIGINT end it, as soon as running requests are answered but within two seconds.
//! - It never needs to be told that instance data has changed.

mod configuration;
mod limits;
mod listener;
mod path;
mod process;
mod start;
mod tier;

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use limits::Limits;
use listener::{Listeners, interface_number};
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

pub use configuration::{Configuration, ServedTier};
pub use path::{Answer, Question};
pub use process::{MODE, run};
pub use start::Start;

/// How long running requests may take when the server is ended.
const GRACE: Duration = Duration::from_secs(2);

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration cannot be used.
    #[error("cannot use the metadata server's configuration {}: {why}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}:{port}{}: {source}", on(interface.as_deref()))]
    Listen {
        /// The address.
        address: Ipv4Addr,
        /// The port.
        port: u16,
        /// The interface.
        interface: Option<String>,
        /// Why not.
        source: io::Error,
    },
    /// The operating system refused something.
    #[error("the metadata server cannot {action}: {source}")]
    Process {
        /// What was attempted.
        action: &'static str,
        /// Why it failed.
        source: io::Error,
    },
}

fn on(interface: Option<&str>) -> String {
    interface.map_or_else(String::new, |interface| format!(" on interface {interface}"))
}

/// Serves until it is told to end. `ready` is called when everything is listened on.
fn serve(path: &Path, configuration: Configuration, ready: impl FnOnce()) -> Result<(), ServeError> {
    let process = |action| move |source| ServeError::Process { action, source };
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // For acknowledged passwords, which wait for the disk.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(process("start"))?;
    runtime.block_on(async {
        let watch = |kind| signal(kind).map_err(process("watch for signals"));
        let mut reload = watch(SignalKind::hangup())?;
        let mut terminate = watch(SignalKind::terminate())?;
        let mut interrupt = watch(SignalKind::interrupt())?;

        let mut serving = Serving::default();
        serving.become_like(configuration).await.into_iter().next().map_or(Ok(()), Err)?;
        ready();
        tracing::info!(tiers = serving.tiers.len(), "metadata server started");
        loop {
            tokio::select! {
                _ = reload.recv() => serving.reload(path).await,
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
        }
        serving.end().await;
        tracing::info!("metadata server ended");
        Ok(())
    })
}

/// What is served.
#[derive(Debug, Default)]
struct Serving {
    tiers: HashMap<(ServedTier, Option<NonZeroU32>), Listeners>,
    limits: Arc<Limits>,
}

impl Serving {
    /// Serves what is configured and nothing else, as far as that is possible.
    async fn become_like(&mut self, configuration: Configuration) -> Vec<ServeError> {
        let wanted: Vec<_> = configuration
            .tiers
            .into_iter()
            .map(|served| {
                let number = interface_number(&served);
                (served, number)
            })
            .collect();
        // What goes makes room for what comes, which may be the same address on another interface.
        let (kept, gone): (HashMap<_, _>, HashMap<_, _>) =
            mem::take(&mut self.tiers).into_iter().partition(|(tier, _)| wanted.contains(tier));
        self.tiers = kept;
        for listeners in gone.into_values() {
            listeners.close().await;
        }
        let mut failures = Vec::new();
        for tier in wanted {
            if !self.tiers.contains_key(&tier) {
                match Listeners::open(&tier.0, &self.limits) {
                    Ok(listeners) => drop(self.tiers.insert(tier, listeners)),
                    Err(error) => failures.push(error),
                }
            }
        }
        failures
    }

    async fn reload(&mut self, path: &Path) {
        match Configuration::load(path) {
            Ok(configuration) => {
                for error in self.become_like(configuration).await {
                    tracing::error!(%error, "not served");
                }
                tracing::info!(tiers = self.tiers.len(), "configuration read again");
            }
            Err(error) => tracing::error!(%error, "configuration kept as it was"),
        }
    }

    /// Listens no more, and gives running requests a moment.
    async fn end(mut self) {
        for (_, tier) in self.tiers.drain() {
            tier.close().await;
        }
        let deadline = Instant::now() + GRACE;
        while !self.limits.is_idle() && Instant::now() < deadline {
            sleep(Duration::from_millis(10)).await;
        }
    }
}
