//! How a router does: what differs from what it shall be, and what no repair can help.

use netext_core::{Deadline, DeviceError};
use serde::{Serialize, Serializer};

use super::reconcile::reconcile;
use crate::compile::links;
use crate::drift::{Difference, Pass, RouterPart};
use crate::kernel::links::without_carrier;
use crate::model::RouterId;
use crate::store::Store;

/// How a router does.
#[derive(Debug, Serialize)]
pub struct Health {
    /// The router.
    #[serde(serialize_with = "as_text")]
    pub router: RouterId,
    /// Its namespace.
    pub namespace: String,
    /// How many guest networks are in force.
    pub tiers: usize,
    /// How many public addresses are in use.
    pub public_addresses: usize,
    /// How many instances are known.
    pub instances: usize,
    /// What differs from what it shall be; `reconcile` puts it right.
    pub differences: Vec<Difference>,
    /// What is wrong around it, and is nothing that a repair can help.
    pub troubles: Vec<String>,
    /// What kept the rest from being looked at, and would keep a repair from reaching its end.
    pub obstacle: Option<String>,
}

/// A field of health that people look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The namespace, its interfaces and what they are plugged into.
    Links,
    /// Addresses and routes.
    Addresses,
    /// Packet rules.
    Rules,
    /// Daemons.
    Daemons,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Links, Self::Addresses, Self::Rules, Self::Daemons];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Addresses => "addresses",
            Self::Rules => "rules",
            Self::Daemons => "daemons",
        }
    }

    /// The field that a part of a router belongs to.
    pub fn of(part: RouterPart) -> Self {
        match part {
            RouterPart::Namespace | RouterPart::Link | RouterPart::Parameter => Self::Links,
            RouterPart::Address | RouterPart::Route => Self::Addresses,
            RouterPart::Rules => Self::Rules,
            RouterPart::Daemon | RouterPart::File => Self::Daemons,
        }
    }
}

impl Health {
    /// Whether everything is as it shall be.
    pub fn is_well(&self) -> bool {
        self.differences.is_empty() && self.troubles.is_empty() && self.obstacle.is_none()
    }

    /// What differs in a field.
    pub fn differences_in(&self, field: Field) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |difference| Field::of(difference.part) == field)
    }
}

/// Looks at a router without changing anything. `None` for a router that has no state.
///
/// # Errors
/// When the router is busy until the deadline, or its state cannot be used.
pub async fn health(store: &Store, id: RouterId, deadline: &Deadline) -> Result<Option<Health>, DeviceError> {
    let Some(seen) = reconcile(store, id, deadline, Pass::rehearsal()).await? else { return Ok(None) };
    let router = seen.router;
    let troubles = without_carrier(&links(&router));
    let troubles = troubles.map_err(|error| DeviceError::device(error.to_string()))?;
    Ok(Some(Health {
        router: id,
        namespace: id.namespace().to_string(),
        tiers: router.implemented_tiers().count(),
        public_addresses: router.public_addresses().count(),
        instances: router.implemented_tiers().map(|(_, tier)| tier.nics.len()).sum(),
        differences: seen.differences,
        troubles,
        obstacle: seen.obstacle.map(|error| error.report()),
    }))
}

fn as_text<S: Serializer>(router: &RouterId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(router)
}
