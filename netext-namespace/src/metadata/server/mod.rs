//! The server that answers guests: metadata on port 80, passwords on port 8080.
//!
//! One process per router, a mode of the same executable: `serve-metadata <configuration file>`. It serves every
//! guest network of the [`MetadataServerConfiguration`]. The router's address that a guest connects to identifies the
//! guest network, the address that it connects from identifies the guest.
//!
//! For its supervisor:
//! - It listens on all addresses, writes the line `ready` to its stdout, and closes stdin, stdout and stderr. If it
//!   cannot, it ends with one line on stderr: exit code 1 if the configuration is at fault, 3 if the machine is.
//! - At SIGHUP it reads the configuration again: it listens on new addresses and closes removed ones; the others are
//!   not interrupted. An interface that was created again counts as new. If it cannot listen on an address, it logs
//!   that and tries again at the next SIGHUP.
//! - SIGTERM and SIGINT end it, as soon as running requests are answered but within two seconds.
//! - It needs no signal when instance metadata changes.

#[cfg(any(fuzzing, test))]
pub(crate) mod fuzzing;
mod listener;
mod responder;
mod start;

use std::collections::HashMap;
use std::io;
use std::mem;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use listener::{ConnectionLimits, TierListeners, interface_number};
use netext_core::error_chain;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Instant, sleep};

pub use responder::{MetadataQuery, MetadataResponse};
pub use start::{MODE, MetadataServerConfiguration, PROCESS, START_MODE, ServedTier, run, start};

/// How long running requests may take when the server ends.
const GRACE: Duration = Duration::from_secs(2);

/// Why the server cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum MetadataServerError {
    /// The configuration cannot be used.
    #[error("cannot use the metadata server's configuration {}", path.display())]
    Configuration {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// An address cannot be listened on.
    #[error("cannot listen on {address}:{port}{}", on(interface.as_deref()))]
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
    /// The operating system refused an operation.
    #[error("the metadata server cannot {action}")]
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

/// Serves until a signal ends it. Calls `ready` when it listens on all addresses.
fn serve(
    path: &Path,
    configuration: MetadataServerConfiguration,
    ready: impl FnOnce(),
) -> Result<(), MetadataServerError> {
    let process = |action| move |source| MetadataServerError::Process { action, source };
    let runtime = Builder::new_current_thread()
        .enable_io()
        .enable_time()
        // For acknowledged passwords: their removal waits for the disk.
        .max_blocking_threads(1)
        .thread_keep_alive(Duration::from_secs(1))
        .build()
        .map_err(process("start"))?;
    let served = runtime.block_on(async {
        let watch = |kind| signal(kind).map_err(process("watch for signals"));
        let mut reload = watch(SignalKind::hangup())?;
        let mut terminate = watch(SignalKind::terminate())?;
        let mut interrupt = watch(SignalKind::interrupt())?;

        let mut serving = ServedTiers::default();
        serving.configure(configuration).await.into_iter().next().map_or(Ok(()), Err)?;
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
    });
    // A password that is being removed may wait for the disk.
    runtime.shutdown_timeout(GRACE);
    served
}

/// The guest networks that are served.
#[derive(Debug, Default)]
struct ServedTiers {
    tiers: HashMap<(ServedTier, Option<NonZeroU32>), TierListeners>,
    limits: Arc<ConnectionLimits>,
}

impl ServedTiers {
    /// Serves what is configured and nothing else, as far as that is possible.
    async fn configure(&mut self, configuration: MetadataServerConfiguration) -> Vec<MetadataServerError> {
        let wanted: Vec<_> = configuration
            .tiers
            .into_iter()
            .map(|served| {
                let number = interface_number(&served);
                (served, number)
            })
            .collect();
        // First: a new tier may have the same address on another interface.
        let (kept, gone): (HashMap<_, _>, HashMap<_, _>) =
            mem::take(&mut self.tiers).into_iter().partition(|(tier, _)| wanted.contains(tier));
        self.tiers = kept;
        for listeners in gone.into_values() {
            listeners.close().await;
        }
        let mut failures = Vec::new();
        for tier in wanted {
            if !self.tiers.contains_key(&tier) {
                match TierListeners::open(&tier.0, &self.limits) {
                    Ok(listeners) => drop(self.tiers.insert(tier, listeners)),
                    Err(error) => failures.push(error),
                }
            }
        }
        failures
    }

    async fn reload(&mut self, path: &Path) {
        match MetadataServerConfiguration::load(path) {
            Ok(configuration) => {
                for error in self.configure(configuration).await {
                    tracing::error!(error = %error_chain(&error), "not served");
                }
                tracing::info!(tiers = self.tiers.len(), "configuration read again");
            }
            Err(error) => tracing::error!(error = %error_chain(&error), "the old configuration stays"),
        }
    }

    /// Stops listening, and gives running requests a moment.
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
