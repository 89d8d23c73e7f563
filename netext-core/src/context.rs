//! What a device knows beside the request.

use netext_protocol::{Command, DeviceDetails, Envelope, Extra, PhysicalDetails};

use crate::Deadline;

/// What travels with every request: the operator's and the device's own details, and until when to work.
///
/// A device's own tests make one with [`Context::new`].
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

    /// Takes an envelope apart into its request and the context that came with it.
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

    /// With what the operator registered.
    pub fn with_physical_details(mut self, details: PhysicalDetails) -> Self {
        self.physical_details = details;
        self
    }

    /// With what the device last said about itself.
    pub fn with_device_details(mut self, details: DeviceDetails) -> Self {
        self.device_details = details;
        self
    }

    /// The command that is being answered.
    pub fn command(&self) -> Command {
        self.command
    }

    /// What the operator registered on the physical network: hosts, credentials, and whatever the vendor
    /// documents.
    pub fn physical_details(&self) -> &PhysicalDetails {
        &self.physical_details
    }

    /// What the device answered to `ensure-network-device` last. The server runs a command even if ensuring
    /// failed, and forgets the details at a shutdown: they may be empty or out of date.
    pub fn device_details(&self) -> &DeviceDetails {
        &self.device_details
    }

    /// Fields beside the payload that this version of the protocol does not know.
    pub fn extra(&self) -> &Extra {
        &self.extra
    }

    /// Until when to work. Code that waits for something asks it for its timeout; code that is about to
    /// change something asks it first.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }
}
