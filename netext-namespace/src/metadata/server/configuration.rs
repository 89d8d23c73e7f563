//! What the server is to serve.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ServeError;

/// The server's configuration: a JSON file in the router's folder, written by whoever supervises the server and
/// read at its start and at every SIGHUP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The guest networks of the router.
    pub tiers: Vec<ServedTier>,
    /// Where to log, if anywhere. Read at the start only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<PathBuf>,
}

/// A guest network that is served.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServedTier {
    /// The router's address in the guest network: the extension IP.
    pub address: Ipv4Addr,
    /// The interface of the guest network. Who comes by another one is not answered, whatever address it
    /// claims. Without it any interface will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// The folder of the [`Instances`](crate::metadata::Instances) of the guest network.
    pub folder: PathBuf,
}

impl Configuration {
    /// The name of the file in the router's folder.
    pub const FILE: &str = "metadata-server.json";

    /// Reads a configuration.
    pub fn load(path: &Path) -> Result<Self, ServeError> {
        let refused = |why| ServeError::Configuration { path: path.to_owned(), why };
        let bytes = fs::read(path).map_err(|error| refused(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| refused(error.to_string()))
    }
}
