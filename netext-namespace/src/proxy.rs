//! The proxy role: on the management server, for whatever host owns a network.

use async_trait::async_trait;
use netext_core::{Description, DeviceError, Handler, Invocation, Reply};

use crate::host::HostDevice;

/// Hands commands to the machine that they are for.
#[derive(Debug)]
pub struct Proxy {
    local: HostDevice,
}

impl Proxy {
    /// The proxy that acts on this machine where no hosts are registered.
    pub fn new(local: HostDevice) -> Self {
        Self { local }
    }
}

#[async_trait]
impl Handler for Proxy {
    fn description(&self) -> Description {
        self.local.description()
    }

    async fn handle(&self, invocation: Invocation) -> Result<Reply, DeviceError> {
        let hosts = invocation.parse()?.physical_details.hosts().join(",");
        if hosts.is_empty() {
            return self.local.handle(invocation).await;
        }
        Err(DeviceError::invalid(format!(
            "physical-network-extension-details.hosts is {hosts:?}, but this version cannot carry commands to \
             other hosts; register no hosts and no host to act on this machine"
        )))
    }
}
