//! The host role: the device of the protocol that acts on this machine.

pub(crate) mod actions;
mod apply;
mod device;
mod errors;
pub mod health;
mod nics;
mod operator_files;
mod reconcile;
mod services;
mod transaction;
mod watch;

use std::time::Instant;

use netext_core::{Context, DeviceError};
use netext_protocol::{Network, NetworkId, Vpc};

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

    /// A change of the router of a VPC.
    fn vpc<'a>(&'a self, context: &'a Context, vpc: &Vpc) -> Transaction<'a> {
        Transaction::new(&self.store, context, RouterId::Vpc(vpc.vpc_id))
    }

    /// Removes the folder of a VPC's tier. That of a network that stands alone is the folder of its router's state.
    fn forget_network(
        &self,
        router: RouterId,
        network: NetworkId,
        deadline: Instant,
    ) -> Result<(), DeviceError> {
        if let RouterId::Vpc(_) = router {
            let stuck = services::stop_network(&self.store, network, deadline);
            errors::all(stuck.into_iter().map(DeviceError::from).collect())?;
            self.store.forget_network(network)?;
        }
        Ok(())
    }
}
