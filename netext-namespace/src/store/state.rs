//! The state of a router, and the document that holds it.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::StoreError;
use crate::model::{Router, RouterId};

/// The state of a router between commands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouterState {
    /// The desired router.
    pub router: Router,
    /// The epoch in which this host serves the router. 0 if no proxy ever chose the host.
    pub epoch: u64,
    /// The epoch of the host that superseded this one, which has fenced the router.
    pub superseded: Option<u64>,
}

impl RouterState {
    /// The state of a router without anything.
    pub fn new(router: RouterId) -> Self {
        Self { router: Router::new(router), epoch: 0, superseded: None }
    }

    /// Whether there is a router, and this host serves it.
    pub fn serves(&self) -> bool {
        !self.router.is_empty() && self.superseded.is_none()
    }
}

/// The format of the document; this version reads it and every earlier one. In format 1 a tier's NICs are an object by
/// their hardware addresses, in format 2 a list.
const FORMAT: u32 = 2;

#[derive(Serialize)]
struct StateDocument<'a> {
    format: u32,
    #[serde(flatten)]
    state: &'a RouterState,
}

#[derive(Deserialize)]
struct StoredState {
    format: u32,
    router: Router,
    #[serde(default)]
    epoch: u64,
    superseded: Option<u64>,
}

#[derive(Deserialize)]
struct StateFormat {
    format: u32,
}

impl RouterState {
    /// The state as a document.
    pub(super) fn to_document(&self) -> io::Result<Vec<u8>> {
        Ok(serde_json::to_vec(&StateDocument { format: FORMAT, state: self })?)
    }

    /// Parses a document.
    pub(super) fn from_document(bytes: &[u8], path: &Path) -> Result<Self, StoreError> {
        let format = || serde_json::from_slice(bytes).map(|StateFormat { format }| format);
        let newer = |found| StoreError::Newer { path: path.to_owned(), found, known: FORMAT };
        // Faster than from bytes, where every single string is checked for UTF-8.
        let stored = match std::str::from_utf8(bytes) {
            Ok(text) => serde_json::from_str::<StoredState>(text),
            Err(_) => serde_json::from_slice(bytes),
        };
        match stored {
            Ok(stored) if stored.format <= FORMAT => {
                let StoredState { router, epoch, superseded, .. } = stored;
                Ok(Self { router, epoch, superseded })
            }
            Ok(stored) => Err(newer(stored.format)),
            // A newer document may have other fields.
            Err(source) => match format() {
                Ok(found) if found > FORMAT => Err(newer(found)),
                _ => Err(StoreError::Damaged { path: path.to_owned(), source }),
            },
        }
    }
}
