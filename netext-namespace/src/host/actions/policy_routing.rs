//! Policy routing: an operator's tables, routes and rules.

use netext_core::DeviceError;
use netext_protocol::ActionResult;

use super::{ActionCall, ActionOutcome, row};
use crate::model::{
    Route, RoutePattern, Router, RoutingTable, RoutingTableId, RoutingTableName, RoutingTableRef, RuleWords,
};

const ID: &[&str] = &["table-id", "id"];
const NAME: &[&str] = &["table-name", "table", "name"];
const TABLE: &[&str] = &["table", "table-name", "name"];
const ROUTE: &[&str] = &["route"];
const RULE: &[&str] = &["rule"];

pub(super) async fn create_table(call: ActionCall<'_>) -> ActionOutcome {
    let id: RoutingTableId = call.parameters.required(ID)?;
    let name: RoutingTableName = call.parameters.required(NAME)?;
    let done = format!("table {name} has the number {id}");
    call.change(|router| Ok(router.policy_routing.create(id, name)?)).await?;
    Ok(ActionResult::message(done))
}

/// Its routes and rules go with it.
pub(super) async fn delete_table(call: ActionCall<'_>) -> ActionOutcome {
    let table = call.table()?;
    call.change(|router| Ok(router.policy_routing.delete(&table)?)).await?;
    Ok(ActionResult::message(format!("there is no table {table}")))
}

pub(super) async fn list_tables(call: ActionCall<'_>) -> ActionOutcome {
    let router = call.read()?;
    let tables = router.policy_routing.tables().map(|(id, table)| {
        row([
            ("id", id.to_string().into()),
            ("name", table.name.to_string().into()),
            ("routes", table.routes.len().into()),
            ("rules", table.rules.len().into()),
        ])
    });
    Ok(ActionResult::rows(tables.collect()))
}

pub(super) async fn add_route(call: ActionCall<'_>) -> ActionOutcome {
    let table = call.table()?;
    let route: Route = call.parameters.required(ROUTE)?;
    let done = format!("table {table} has the route {route}");
    call.change(|router| Ok(router.policy_routing.add_route(&table, route)?)).await?;
    Ok(ActionResult::message(done))
}

pub(super) async fn delete_route(call: ActionCall<'_>) -> ActionOutcome {
    let table = call.table()?;
    let meant: RoutePattern = call.parameters.required(ROUTE)?;
    call.change(|router| {
        router.policy_routing.delete_routes(&table, &meant);
        Ok(())
    })
    .await?;
    Ok(ActionResult::message(format!("table {table} has no such route")))
}

pub(super) async fn list_routes(call: ActionCall<'_>) -> ActionOutcome {
    let router = call.read()?;
    let rows = call.tables(&router)?.into_iter().flat_map(|(_, table)| {
        table
            .routes
            .iter()
            .map(|route| row([("table", table.name.to_string().into()), ("route", route.to_string().into())]))
    });
    Ok(ActionResult::rows(rows.collect()))
}

pub(super) async fn add_rule(call: ActionCall<'_>) -> ActionOutcome {
    let table = call.table()?;
    let words: RuleWords = call.parameters.required(RULE)?;
    let done = format!("the rule {} leads to table {table}", words.rule);
    call.change(|router| Ok(router.policy_routing.add_rule(&table, words)?)).await?;
    Ok(ActionResult::message(done))
}

pub(super) async fn delete_rule(call: ActionCall<'_>) -> ActionOutcome {
    let table = call.table()?;
    let words: RuleWords = call.parameters.required(RULE)?;
    call.change(|router| {
        router.policy_routing.delete_rules(&table, &words);
        Ok(())
    })
    .await?;
    Ok(ActionResult::message(format!("the rule {} does not lead to table {table}", words.rule)))
}

/// In the order of evaluation.
pub(super) async fn list_rules(call: ActionCall<'_>) -> ActionOutcome {
    let router = call.read()?;
    let tables = call.tables(&router)?.into_iter();
    let mut rules: Vec<_> =
        tables.flat_map(|(_, table)| table.rules.iter().map(move |placed| (placed, &table.name))).collect();
    rules.sort();
    let rows = rules.into_iter().map(|(placed, table)| {
        row([
            ("priority", placed.priority.into()),
            ("rule", placed.rule.to_string().into()),
            ("table", table.to_string().into()),
        ])
    });
    Ok(ActionResult::rows(rows.collect()))
}

impl ActionCall<'_> {
    /// The table that the parameters name: by its number, by its name, or by both.
    fn named_table(&self) -> Result<Option<RoutingTableRef>, DeviceError> {
        let by_number: Option<RoutingTableId> = self.parameters.optional(ID)?;
        let by_name: Option<RoutingTableRef> = self.parameters.optional(TABLE)?;
        Ok(match (by_number, by_name) {
            (Some(id), Some(RoutingTableRef::Name(name))) => Some(RoutingTableRef::Both(id, name)),
            (Some(id), Some(RoutingTableRef::Id(other))) if id != other => {
                return Err(self
                    .parameters
                    .refused("table-id", format!("{id} is not {other}; name one table")));
            }
            (Some(id), _) => Some(RoutingTableRef::Id(id)),
            (None, by_name) => by_name,
        })
    }

    fn table(&self) -> Result<RoutingTableRef, DeviceError> {
        self.named_table()?.map_or_else(|| self.parameters.required(TABLE), Ok)
    }

    /// The table that the parameters name, or all of them.
    fn tables<'r>(&self, router: &'r Router) -> Result<Vec<(RoutingTableId, &'r RoutingTable)>, DeviceError> {
        Ok(match self.named_table()? {
            Some(table) => vec![router.policy_routing.table(&table)?],
            None => router.policy_routing.tables().collect(),
        })
    }
}
