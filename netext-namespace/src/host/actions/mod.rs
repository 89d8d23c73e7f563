//! The actions that an operator triggers, by name.
//!
//! One table says which there are. What it does not name may be an operator's hook; what that is not is refused
//! with the names that are known. Each action is for a network and for a VPC.

mod capture;
mod connections;
mod dump;
mod health;
mod hooks;
pub(crate) mod lists;
mod parameters;
mod policy_routing;
mod reboot;
mod statistics;

use std::pin::Pin;

use netext_core::{Context, DeviceError};
use netext_protocol::{ActionResult, CustomAction, NetworkId};
use serde_json::{Map, Value};

use super::changes::router_of_subject;
use super::transaction;
use crate::kernel::namespace::Namespace;
use crate::model::{Router, RouterId};
use crate::store::Store;
use parameters::Parameters;

/// One action on one router.
struct Call<'a> {
    store: &'a Store,
    context: &'a Context,
    router: RouterId,
    /// The network that it was called for, if not for a VPC as a whole.
    network: Option<NetworkId>,
    parameters: Parameters<'a>,
}

type Outcome = Result<ActionResult, DeviceError>;
type Pending<'a> = Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>;

/// An action: the name that it is called by, and what it does.
struct Action {
    name: &'static str,
    run: for<'a> fn(Call<'a>) -> Pending<'a>,
}

/// Builds the table from names and functions.
macro_rules! actions {
    ($($name:literal => $run:path,)*) => {
        &[$(Action { name: $name, run: |call| Box::pin($run(call)) },)*]
    };
}

/// Every action.
const ACTIONS: &[Action] = actions! {
    "pbr-create-table" => policy_routing::create_table,
    "pbr-delete-table" => policy_routing::delete_table,
    "pbr-list-tables" => policy_routing::list_tables,
    "pbr-add-route" => policy_routing::add_route,
    "pbr-delete-route" => policy_routing::delete_route,
    "pbr-list-routes" => policy_routing::list_routes,
    "pbr-add-rule" => policy_routing::add_rule,
    "pbr-delete-rule" => policy_routing::delete_rule,
    "pbr-list-rules" => policy_routing::list_rules,
    "list-firewall-rules" => lists::firewall_rules,
    "list-connections" => connections::list,
    "traffic-stats" => statistics::traffic,
    "capture" => capture::capture,
    "dump-config" => dump::configuration,
    "reboot-device" => reboot::reboot,
    "status" => health::status,
    "repair" => health::repair,
};

/// Performs an action.
pub(super) async fn perform(store: &Store, context: &Context, request: &CustomAction) -> Outcome {
    let router = router_of_subject(store, context, &request.subject)?;
    let Some(action) = ACTIONS.iter().find(|action| action.name == request.action) else {
        return match hooks::find(store, &request.action)? {
            Some(hook) => hook.run(store, context, router, request),
            None => Err(unknown(&request.action)),
        };
    };
    let parameters = Parameters::new(action.name, &request.parameters);
    let network = request.subject.network().map(|network| network.network_id);
    (action.run)(Call { store, context, router, network, parameters }).await
}

fn unknown(name: &str) -> DeviceError {
    let name: String = name.chars().take(60).collect();
    let known: Vec<_> = ACTIONS.iter().map(|action| action.name).collect();
    let known = known.join(", ");
    DeviceError::invalid(format!(
        "action {name:?} is not known, nor is there a hook for it; known are {known}"
    ))
}

impl Call<'_> {
    /// Changes what is desired of the router, which must be one of this host.
    async fn change(
        &self,
        make: impl FnOnce(&mut Router) -> Result<(), DeviceError> + Send,
    ) -> Result<(), DeviceError> {
        let make = |router: &mut Router| {
            self.known(router)?;
            make(router)
        };
        transaction::try_change(self.store, self.context, self.router, make, |_, _| Ok(())).await
    }

    /// The router as it is desired. No command is waited for: a list is wanted most when one hangs.
    fn read(&self) -> Result<Router, DeviceError> {
        let router = self.store.read(self.router)?.router;
        self.known(&router)?;
        Ok(router)
    }

    /// The router's namespace, to look at what is there.
    fn namespace(&self) -> Result<Namespace, DeviceError> {
        self.read()?;
        let opened = Namespace::open(&self.router.namespace());
        let opened = opened.map_err(|error| DeviceError::device(error.to_string()))?;
        opened.ok_or_else(|| DeviceError::device(format!("the router of {} is down", self.router)))
    }

    fn known(&self, router: &Router) -> Result<(), DeviceError> {
        if router.is_empty() {
            let router = self.router;
            return Err(DeviceError::device(format!(
                "this host has no router of {router}; implement it first"
            )));
        }
        Ok(())
    }
}

/// A row of a table: what is absent is left out.
fn row<const N: usize>(columns: [(&str, Value); N]) -> Map<String, Value> {
    columns
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
