//! A folder as a network device.

use std::path::PathBuf;
use std::{fs, io};

use netext_core::protocol::{
    DestroyNetwork, ImplementNetwork, Network, NetworkId, NetworkUpdate, ShutdownNetwork,
};
use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};

/// Keeps a file `network-<id>.json` for every network that is implemented.
pub(crate) struct Spool {
    folder: PathBuf,
}

impl Spool {
    pub(crate) fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    fn file(&self, id: NetworkId) -> PathBuf {
        self.folder.join(format!("network-{id}.json"))
    }

    /// Written beside and renamed, so that nobody ever reads half of it.
    fn write(&self, network: &Network) -> io::Result<()> {
        let new = self.folder.join(format!(".network-{}.new", network.network_id));
        fs::create_dir_all(&self.folder)?;
        fs::write(&new, serde_json::to_vec_pretty(network)?)?;
        fs::rename(new, self.file(network.network_id))
    }

    /// Removing what is not there is no failure: the server may ask twice.
    fn remove(&self, id: NetworkId) -> Result<(), DeviceError> {
        match fs::remove_file(self.file(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(id, error)),
            _ => Ok(()),
        }
    }

    fn failed(&self, id: NetworkId, error: io::Error) -> DeviceError {
        DeviceError::device(format!("cannot change {}", self.file(id).display())).with_source(error)
    }
}

#[async_trait]
impl NetworkDevice for Spool {
    fn describe(&self) -> Description {
        Description::new("minimal", env!("CARGO_PKG_VERSION"))
    }

    async fn implement_network(
        &self,
        _: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError> {
        self.write(&request.network).map_err(|error| self.failed(request.network.network_id, error))?;
        Ok(None)
    }

    async fn shutdown_network(&self, _: &Context, request: ShutdownNetwork) -> Result<(), DeviceError> {
        self.remove(request.network.network_id)
    }

    async fn destroy_network(&self, _: &Context, request: DestroyNetwork) -> Result<(), DeviceError> {
        self.remove(request.network.network_id)
    }
}

#[cfg(test)]
mod tests {
    use netext_core::protocol::Command;
    use netext_core::{Handler, Invocation};

    use super::*;

    const PAYLOAD: &str = r#"{"payload": {"network_id": "209", "vlan": "1910"}}"#;

    async fn run(spool: &Spool, command: Command) {
        spool.handle(Invocation::new(command, PAYLOAD)).await.unwrap();
    }

    #[tokio::test]
    async fn a_network_is_a_file_from_implement_to_destroy() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path());
        let file = folder.path().join("network-209.json");

        run(&spool, Command::ImplementNetwork).await;
        run(&spool, Command::ImplementNetwork).await;
        let network: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        assert_eq!(network["vlan"], "1910");

        run(&spool, Command::DestroyNetwork).await;
        run(&spool, Command::DestroyNetwork).await;
        assert!(!file.exists());
    }
}
