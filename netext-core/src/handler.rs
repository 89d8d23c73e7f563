//! Answering commands: the invocation as it came, and what a device is given of it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use netext_protocol::{Command, DeviceDetails, Envelope, Extra, PhysicalDetails, Request};

use crate::deadline::grace;
use crate::{Deadline, Description, DeviceError, Reply};

/// Answers commands with their payload as raw bytes.
///
/// Every [`NetworkDevice`](crate::NetworkDevice) is a handler. Implement this trait for a program between the server
/// and a device: a proxy that passes the payload on unread, a recorder, a wrapper that retries.
///
/// ```
/// use std::path::Path;
///
/// use netext_core::{Description, DeviceError, Handler, Invocation, Reply, async_trait};
///
/// /// Refuses commands while an operator works on the device.
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
///         // Payload and deadline stay as they are.
///         self.handler.handle(invocation).await
///     }
/// }
/// ```
#[async_trait]
pub trait Handler: Send + Sync {
    /// The description that `--describe` prints.
    fn description(&self) -> Description;

    /// Answers one command. Several commands run at the same time, each in a process of its own, also for one network.
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
    /// The timeout of a command that comes without one. Today's server passes on the same.
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

    /// Sets the timeout that the server passed on, and the deadline that results from it.
    pub fn with_deadline(mut self, timeout: Duration, deadline: Deadline) -> Self {
        self.timeout = timeout;
        self.deadline = deadline;
        self
    }

    /// Sets the path that the payload was read from.
    pub fn with_payload_path(mut self, path: impl Into<PathBuf>) -> Self {
        self.payload_path = Some(path.into());
        self
    }

    /// The command.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The bytes of the payload file, UTF-8 if they come from the runner. They hold credentials.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The path of the payload file, for messages; the runner has read the file already.
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

    /// When the time is over.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The payload as a request with its details. The error names the field, the value and the expected value.
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

/// What comes with every request to a [`NetworkDevice`](crate::NetworkDevice): the details that the operator
/// registered, the device's own details, and the deadline.
///
/// The tests of a device make one with [`Context::new`].
#[derive(Clone, Debug)]
pub struct Context {
    command: Command,
    physical_details: PhysicalDetails,
    device_details: DeviceDetails,
    extra: Extra,
    deadline: Deadline,
}

impl Context {
    /// A context without any details.
    pub fn new(command: Command, deadline: Deadline) -> Self {
        Self {
            command,
            physical_details: PhysicalDetails::default(),
            device_details: DeviceDetails::default(),
            extra: Extra::default(),
            deadline,
        }
    }

    /// Splits an envelope into its request and the context that came with it.
    pub fn of_envelope<R>(command: Command, envelope: Envelope<R>, deadline: Deadline) -> (Self, R) {
        let context = Self {
            command,
            physical_details: envelope.physical_details,
            device_details: envelope.device_details,
            extra: envelope.extra,
            deadline,
        };
        (context, envelope.request)
    }

    /// Sets the details that the operator registered.
    pub fn with_physical_details(mut self, details: PhysicalDetails) -> Self {
        self.physical_details = details;
        self
    }

    /// Sets the details that the device answered last.
    pub fn with_device_details(mut self, details: DeviceDetails) -> Self {
        self.device_details = details;
        self
    }

    /// The command that is being answered.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The details that the operator registered on the physical network: hosts, credentials, and others that the
    /// vendor documents.
    pub fn physical_details(&self) -> &PhysicalDetails {
        &self.physical_details
    }

    /// The device's last answer to `ensure-network-device`. They may be empty or out of date: the server runs a command
    /// even if `ensure-network-device` failed, and forgets the details at a shutdown.
    pub fn device_details(&self) -> &DeviceDetails {
        &self.device_details
    }

    /// Fields beside the payload that this version of the protocol does not know.
    pub fn extra(&self) -> &Extra {
        &self.extra
    }

    /// When the time is over. Code that waits takes its timeout from the deadline, and code that is about to change
    /// something checks it first.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }
}
