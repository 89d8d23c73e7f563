//! The smallest useful extension: every network is a file in a folder, for another tool to act on.

use std::path::PathBuf;
use std::process::ExitCode;
use std::{fs, io};

use netext_core::protocol::{DestroyNetwork, ImplementNetwork, NetworkId, NetworkUpdate, ShutdownNetwork};
use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};

fn main() -> ExitCode {
    let folder = std::env::var_os("NETEXT_MINIMAL_FOLDER").unwrap_or("/var/spool/netext-minimal".into());
    netext_core::main(Spool { folder: folder.into() })
}

/// Keeps a file `network-<id>.json` for every implemented network.
struct Spool {
    folder: PathBuf,
}

impl Spool {
    fn file(&self, id: NetworkId) -> PathBuf {
        self.folder.join(format!("network-{id}.json"))
    }

    /// Removing a file that does not exist succeeds: the server may ask twice.
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
        let id = request.network.network_id;
        // Written under another name, unique to this process, and renamed: no reader sees half a file.
        let new = self.folder.join(format!(".network-{id}.{}", std::process::id()));
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&new, serde_json::to_vec_pretty(&request.network)?))
            .and_then(|()| fs::rename(&new, self.file(id)));
        written.map(|()| None).map_err(|error| self.failed(id, error))
    }

    async fn shutdown_network(&self, _: &Context, request: ShutdownNetwork) -> Result<(), DeviceError> {
        self.remove(request.network.network_id)
    }

    async fn destroy_network(&self, _: &Context, request: DestroyNetwork) -> Result<(), DeviceError> {
        self.remove(request.network.network_id)
    }
}
