//! The host role: the device of the protocol that acts on this machine.

pub(crate) mod actions;
mod apply;
mod device;
mod errors;
pub mod health;
mod nics;
mod operator_files;
mod reconcile;
mod recovery;
mod services;
mod staging;
mod transaction;
mod watch;

use std::time::Instant;

use netext_core::{Context, DeviceError};
use netext_protocol::{Network, NetworkId, Vpc};

use crate::metadata::{InstanceChange, MetadataError};
use crate::model::RouterId;
use crate::store::Store;
pub(crate) use reconcile::HeldRouter;
pub use reconcile::{Reconciled, reconcile};
use transaction::{Transaction, router_of};
pub use watch::look_after;

/// The network device that this machine is: routers in network namespaces.
#[derive(Debug)]
pub struct HostDevice {
    store: Store,
}

impl HostDevice {
    /// The device that keeps its routers' state in a store.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// A change of the router that serves a network.
    fn network<'a>(
        &'a self,
        context: &'a Context,
        network: &Network,
    ) -> Result<Transaction<'a>, DeviceError> {
        Ok(Transaction::new(&self.store, context, router_of(&self.store, context, network)?))
    }

    /// A network's metadata after its shutdown.
    fn cleared(&self, network: NetworkId, deadline: Instant) -> Result<InstanceChange, MetadataError> {
        let mut change = self.store.instances(network).change(deadline)?;
        change.clear()?;
        Ok(change)
    }

    /// A change of the router of a VPC.
    fn vpc<'a>(&'a self, context: &'a Context, vpc: &Vpc) -> Transaction<'a> {
        Transaction::new(&self.store, context, RouterId::Vpc(vpc.vpc_id))
    }
}
