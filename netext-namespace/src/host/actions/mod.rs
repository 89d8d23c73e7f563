//! The actions that an operator triggers, by name.
//!
//! A table has the known actions. Any other name may be that of an operator's hook; otherwise it is refused, with the
//! known names. Each action is for a network or a VPC.

mod capture;
pub(crate) mod configuration;
mod health;
mod hooks;
mod policy_routing;
mod traffic;

use std::fmt::Display;
use std::pin::Pin;
use std::str::FromStr;

use netext_core::{Context, DeviceError};
use netext_protocol::{ActionParameters, ActionResult, CustomAction, NetworkId};
use serde_json::{Map, Value};

use super::transaction::{Transaction, router_of_subject};
use crate::kernel::namespace::Namespace;
use crate::model::{Router, RouterId};
use crate::store::Store;

/// One action on one router.
struct ActionCall<'a> {
    store: &'a Store,
    context: &'a Context,
    router: RouterId,
    /// The network of the call, unless it is for a VPC as a whole.
    network: Option<NetworkId>,
    parameters: GivenParameters<'a>,
}

pub(super) type ActionOutcome = Result<ActionResult, DeviceError>;
type PendingAction<'a> = Pin<Box<dyn Future<Output = ActionOutcome> + Send + 'a>>;

/// An action: its name, and what it does.
struct OperatorAction {
    name: &'static str,
    run: for<'a> fn(ActionCall<'a>) -> PendingAction<'a>,
}

/// Builds the table from names and functions.
macro_rules! actions {
    ($($name:literal => $run:path,)*) => {
        &[$(OperatorAction { name: $name, run: |call| Box::pin($run(call)) },)*]
    };
}

/// Every action.
const ACTIONS: &[OperatorAction] = actions! {
    "pbr-create-table" => policy_routing::create_table,
    "pbr-delete-table" => policy_routing::delete_table,
    "pbr-list-tables" => policy_routing::list_tables,
    "pbr-add-route" => policy_routing::add_route,
    "pbr-delete-route" => policy_routing::delete_route,
    "pbr-list-routes" => policy_routing::list_routes,
    "pbr-add-rule" => policy_routing::add_rule,
    "pbr-delete-rule" => policy_routing::delete_rule,
    "pbr-list-rules" => policy_routing::list_rules,
    "list-firewall-rules" => configuration::firewall_rules,
    "list-connections" => traffic::connections,
    "traffic-stats" => traffic::statistics,
    "capture" => capture::capture,
    "dump-config" => configuration::dump,
    "reboot-device" => health::reboot,
    "status" => health::status,
    "repair" => health::repair,
};

/// Performs an action.
pub(super) async fn perform(store: &Store, context: &Context, request: &CustomAction) -> ActionOutcome {
    let router = router_of_subject(store, context, &request.subject)?;
    let Some(action) = ACTIONS.iter().find(|action| action.name == request.action) else {
        return match hooks::find(store, &request.action)? {
            Some(hook) => hook.run(store, context, router, request),
            None => Err(unknown(&request.action)),
        };
    };
    let parameters = GivenParameters::new(action.name, &request.parameters);
    let network = request.subject.network().map(|network| network.network_id);
    (action.run)(ActionCall { store, context, router, network, parameters }).await
}

fn unknown(name: &str) -> DeviceError {
    let name: String = name.chars().take(60).collect();
    let known: Vec<_> = ACTIONS.iter().map(|action| action.name).collect();
    let known = known.join(", ");
    DeviceError::invalid(format!(
        "action {name:?} is unknown, and there is no hook for it; the known actions are {known}"
    ))
}

impl ActionCall<'_> {
    /// Changes the router, which must exist on this host.
    async fn change(
        &self,
        change: impl FnOnce(&mut Router) -> Result<(), DeviceError> + Send,
    ) -> Result<(), DeviceError> {
        self.transaction()
            .try_change(|router| {
                self.check_exists(router)?;
                change(router)
            })
            .commit()
            .await
    }

    fn transaction(&self) -> Transaction<'_> {
        Transaction::new(self.store, self.context, self.router)
    }

    /// The desired router. Does not wait for a running command: operators need lists most when one hangs.
    fn read(&self) -> Result<Router, DeviceError> {
        let router = self.store.read(self.router)?.router;
        self.check_exists(&router)?;
        Ok(router)
    }

    /// The router's namespace.
    fn namespace(&self) -> Result<Namespace, DeviceError> {
        self.read()?;
        Namespace::open(&self.router.namespace())?
            .ok_or_else(|| DeviceError::device(format!("the router of {} is down", self.router)))
    }

    fn check_exists(&self, router: &Router) -> Result<(), DeviceError> {
        if router.is_empty() {
            return Err(self.no_router());
        }
        Ok(())
    }

    fn no_router(&self) -> DeviceError {
        DeviceError::device(format!("this host has no router of {}; implement it first", self.router))
    }
}

/// The parameters of an action: texts by name. Errors name the action and the parameter, and never the value.
struct GivenParameters<'a> {
    action: &'static str,
    given: &'a ActionParameters,
}

impl<'a> GivenParameters<'a> {
    fn new(action: &'static str, given: &'a ActionParameters) -> Self {
        Self { action, given }
    }

    /// The value of a parameter that may have several names, if it is given by any of them.
    fn optional<T: FromStr>(&self, names: &[&'static str]) -> Result<Option<T>, DeviceError>
    where
        T::Err: Display,
    {
        let mut given = names.iter().filter_map(|name| Some((*name, self.given.get(name)?.trim())));
        let Some((name, value)) = given.next() else { return Ok(None) };
        if let Some((other, _)) = given.find(|(_, other)| *other != value) {
            return Err(self.refused(name, format!("{other} says something else; give one of them")));
        }
        value.parse().map(Some).map_err(|error: T::Err| self.refused(name, error))
    }

    /// The value of a parameter that must be given.
    fn required<T: FromStr>(&self, names: &[&'static str]) -> Result<T, DeviceError>
    where
        T::Err: Display,
    {
        let missing =
            || DeviceError::invalid(format!("{}: the parameter {} is missing", self.action, names[0]));
        self.optional(names)?.ok_or_else(missing)
    }

    /// The refusal of a parameter.
    fn refused(&self, name: &str, reason: impl Display) -> DeviceError {
        DeviceError::invalid(format!("{}: {name}: {reason}", self.action))
    }
}

/// A row of a table, without columns that are null.
fn row<const N: usize>(columns: [(&str, Value); N]) -> Map<String, Value> {
    columns
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
