//! The health of a router: what differs from its desired state, and what no repair can help.

use netext_core::{Deadline, DeviceError};
use serde::{Serialize, Serializer};

use super::reconcile::reconcile;
use crate::drift::{Difference, Pass, RouterPart};
use crate::kernel::links::without_carrier;
use crate::model::RouterId;
use crate::store::Store;

/// The outcome of a check of a router's health.
#[derive(Debug, Serialize)]
pub struct HealthCheck {
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
    /// What differs from its desired state; `reconcile` repairs it.
    pub differences: Vec<Difference>,
    /// What is wrong around it, and no repair can help.
    pub troubles: Vec<String>,
    /// What ended the check early, and would end a repair early.
    pub obstacle: Option<String>,
}

/// An area of health, as operators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthField {
    /// The namespace, its interfaces and what they are plugged into.
    Links,
    /// Addresses and routes.
    Addresses,
    /// Packet rules.
    Rules,
    /// Daemons.
    Daemons,
}

impl HealthField {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Links, Self::Addresses, Self::Rules, Self::Daemons];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Links => "links",
            Self::Addresses => "addresses",
            Self::Rules => "rules",
            Self::Daemons => "daemons",
        }
    }

    /// The field of a part of a router.
    pub fn of(part: RouterPart) -> Self {
        match part {
            RouterPart::Namespace | RouterPart::Link | RouterPart::Parameter => Self::Links,
            RouterPart::Address | RouterPart::Route => Self::Addresses,
            RouterPart::Rules => Self::Rules,
            RouterPart::Daemon | RouterPart::File => Self::Daemons,
        }
    }
}

impl HealthCheck {
    /// Whether nothing differs and nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.differences.is_empty() && self.troubles.is_empty() && self.obstacle.is_none()
    }

    /// The differences in a field.
    pub fn differences_in(&self, field: HealthField) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(move |difference| HealthField::of(difference.part) == field)
    }
}

/// Checks a router without changing anything. `None` for a router that has no state.
///
/// # Errors
/// When the router is busy until the deadline, or its state cannot be used.
pub async fn health(
    store: &Store,
    id: RouterId,
    deadline: &Deadline,
) -> Result<Option<HealthCheck>, DeviceError> {
    let Some(seen) = reconcile(store, id, deadline, Pass::rehearsal()).await? else { return Ok(None) };
    let router = seen.router;
    let troubles = without_carrier(&seen.links)?;
    Ok(Some(HealthCheck {
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
