//! Whoever answers commands, whatever they are.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use netext_protocol::{Command, Envelope, Request};

use crate::deadline::grace;
use crate::{Deadline, Description, DeviceError, Reply};

/// Answers commands as they come, with the payload as raw bytes.
///
/// A device implements [`NetworkDevice`](crate::NetworkDevice) and is a handler by that. Implement this trait
/// for what stands between the server and a device: a proxy that carries the payload elsewhere unread, a
/// recorder, a wrapper that tries again.
///
/// ```
/// use std::path::Path;
///
/// use netext_core::{Description, DeviceError, Handler, Invocation, Reply, async_trait};
///
/// /// Keeps commands from a device that is being worked on.
/// struct Maintained<H> {
///     handler: H,
/// }
///
/// #[async_trait]
/// impl<H: Handler> Handler for Maintained<H> {
///     fn description(&self) -> Description {
///         self.handler.description()
///     }
///
///     async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
///         if Path::new("/run/acme/maintenance").exists() {
///             let command = invocation.command();
///             return Err(DeviceError::device(format!("{command} has to wait: maintenance")).retryable(true));
///         }
///         // Payload and deadline go on as they came.
///         self.handler.handle(invocation).await
///     }
/// }
/// ```
#[async_trait]
pub trait Handler: Send + Sync {
    /// What it says about itself, for `--describe`.
    fn description(&self) -> Description;

    /// Answers one command. Several run at the same time in processes of their own, for one network too.
    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError>;
}

/// One command as it came. `Debug` does not show the payload, because it holds credentials.
#[derive(Clone)]
pub struct Invocation {
    command: Command,
    payload: Vec<u8>,
    payload_path: Option<PathBuf>,
    timeout: Duration,
    deadline: Deadline,
}

impl Invocation {
    /// How long a command may take where nobody says otherwise: what the server passes on today.
    pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

    /// A command with its payload and the default timeout.
    pub fn new(command: Command, payload: impl Into<Vec<u8>>) -> Self {
        Self {
            command,
            payload: payload.into(),
            payload_path: None,
            timeout: Self::DEFAULT_TIMEOUT,
            deadline: Deadline::after(Self::DEFAULT_TIMEOUT),
        }
    }

    /// With the timeout that the server passed on, and the deadline that the runner made of it.
    pub fn with_deadline(mut self, timeout: Duration, deadline: Deadline) -> Self {
        self.timeout = timeout;
        self.deadline = deadline;
        self
    }

    /// With the path that the payload was read from.
    pub fn with_payload_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.payload_path = Some(path.into());
        self
    }

    /// The command.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The payload file's bytes, UTF-8 if they come from the runner. They hold credentials.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The payload file's path, for what must say it; the runner has read the file already.
    pub fn payload_path(&self) -> Option<&Path> {
        self.payload_path.as_deref()
    }

    /// The timeout argument.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// How long the handler has to undo what it began once the work is called off: a fifth of the timeout, at least
    /// 200 ms and at most 2 s.
    pub fn grace(&self) -> Duration {
        grace(self.timeout)
    }

    /// Until when to work.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The payload as a request with its details. The error names the field, what was found and what was
    /// expected.
    pub fn parse(&self) -> Result<Envelope<Request>, DeviceError> {
        Envelope::parse(self.command, &self.payload).map_err(|error| match &self.payload_path {
            Some(path) => DeviceError::invalid(format!("{error} (in {})", path.display())),
            None => error.into(),
        })
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Invocation")
            .field("command", &self.command)
            .field("payload", &format_args!("{} bytes", self.payload.len()))
            .field("payload_path", &self.payload_path)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}
