//! The northbound database: the actual rows of a network, and the one transaction that makes them the desired rows.

use std::collections::BTreeMap;

use netext_core::DeviceError;
use netext_core::protocol::NetworkId;
use serde_json::{Map, Value, json};

use crate::ovsdb::{Client, Refusal};
use crate::rows::{Column, Row, map, normal, pairs};

/// The tables with rows of this extension.
const TABLES: [&str; 12] = [
    "Logical_Switch",
    "Logical_Switch_Port",
    "Logical_Router",
    "Logical_Router_Port",
    "Logical_Router_Static_Route",
    "Gateway_Chassis",
    "NAT",
    "Load_Balancer",
    "ACL",
    "Port_Group",
    "DHCP_Options",
    "DNS",
];

/// The `external_ids` that identify our rows: their key, and their owner.
const KEY: &str = "netext-key";
const OWNER: &str = "netext-owner";
const STATE: &str = "netext-state";
/// Counts the transactions of a network, so that each notices another that repaired the same rows.
const REVISION: &str = "netext-revision";
/// The owner of rows that all networks share.
const EVERYBODY: &str = "everybody";

/// The key of the row with the network's state: a network has one from its first command to its last.
pub(crate) const SWITCH: &str = "switch";

/// The actual rows of a network.
pub(crate) struct StoredRows {
    owner: String,
    rows: BTreeMap<(String, String), StoredRow>,
}

struct StoredRow {
    table: &'static str,
    uuid: String,
    is_shared: bool,
    columns: Map<String, Value>,
}

impl StoredRows {
    /// Reads all rows of a network, and the rows that it shares with others, in one transaction.
    pub(crate) fn read(client: &mut Client, network: NetworkId) -> Result<Self, DeviceError> {
        let owner = format!("network-{network}");
        let reads: Vec<_> =
            TABLES.iter().flat_map(|table| [(*table, owner.as_str()), (*table, EVERYBODY)]).collect();
        let operations = reads
            .iter()
            .map(|(table, owner)| json!({ "op": "select", "table": table, "where": owned_by(owner) }));
        let results = client.transact(operations.collect())?.map_err(|refusal| refused(&refusal))?;

        let mut rows = BTreeMap::new();
        for ((table, owner), result) in reads.into_iter().zip(&results) {
            for row in result["rows"].as_array().into_iter().flatten().filter_map(Value::as_object) {
                let key = external_id(row, KEY).unwrap_or_default().to_owned();
                let uuid = row["_uuid"][1].as_str().unwrap_or_default().to_owned();
                let found = StoredRow { table, uuid, is_shared: owner == EVERYBODY, columns: row.clone() };
                rows.insert((table.to_owned(), key), found);
            }
        }
        Ok(Self { owner, rows })
    }

    /// The state after the last command, as text.
    pub(crate) fn state(&self) -> Option<&str> {
        external_id(&self.row("Logical_Switch", SWITCH)?.columns, STATE)
    }

    fn revision(&self) -> u64 {
        let revision = self.row("Logical_Switch", SWITCH).and_then(|row| external_id(&row.columns, REVISION));
        revision.and_then(|revision| revision.parse().ok()).unwrap_or_default()
    }

    fn row(&self, table: &str, key: &str) -> Option<&StoredRow> {
        self.rows.get(&(table.to_owned(), key.to_owned()))
    }

    /// Makes the rows the desired ones, unless another process changed them meanwhile; answers whether it did. Sends
    /// nothing if there is no difference.
    pub(crate) fn replace_with(
        &self,
        client: &mut Client,
        rows: &[Row],
        state: Option<&str>,
    ) -> Result<bool, DeviceError> {
        let revision = self.revision();
        let plan = |revision| Plan::new(self, rows, state, revision).operations();
        if plan(revision).is_empty() {
            return Ok(true);
        }
        let changes = plan(revision + 1);
        let operations = self.guards(rows).chain(changes).collect();
        match client.transact(operations)? {
            Ok(_) => Ok(true),
            Err(Refusal::Outdated) => Ok(false),
            Err(refusal) => Err(refused(&refusal)),
        }
    }

    /// The conditions of the transaction: the network's state has not changed, and the shared rows that it inserts do not
    /// exist.
    fn guards(&self, rows: &[Row]) -> impl Iterator<Item = Value> {
        let wait = |condition: Value, rows: Value| {
            json!({ "op": "wait", "timeout": 0, "table": "Logical_Switch", "where": condition,
                    "columns": ["external_ids"], "until": "==", "rows": rows })
        };
        let own = match self.row("Logical_Switch", SWITCH) {
            Some(row) => wait(is(&row.uuid), json!([{ "external_ids": row.columns["external_ids"] }])),
            None => wait(owned_by(&self.owner), json!([])),
        };
        let absent = rows.iter().filter(|row| row.is_shared && row.table == "Logical_Switch");
        let absent = absent.filter(|row| self.row(row.table, &row.key).is_none());
        let shared: Vec<_> =
            absent.map(|row| wait(having(&[(KEY, &row.key), (OWNER, EVERYBODY)]), json!([]))).collect();
        std::iter::once(own).chain(shared)
    }
}

/// The difference between the actual and the desired rows.
struct Plan<'a> {
    found: &'a StoredRows,
    rows: &'a [Row],
    /// The index of each key's row.
    places: BTreeMap<&'a str, usize>,
    state: Option<&'a str>,
    revision: u64,
}

impl<'a> Plan<'a> {
    fn new(found: &'a StoredRows, rows: &'a [Row], state: Option<&'a str>, revision: u64) -> Self {
        let places = rows.iter().enumerate().map(|(place, row)| (row.key.as_str(), place)).collect();
        Self { found, rows, places, state, revision }
    }

    fn operations(&self) -> Vec<Value> {
        let mut operations = Vec::new();
        for row in self.rows {
            match self.found.row(row.table, &row.key) {
                None => operations.extend(self.insert(row)),
                Some(_) if row.is_shared => {}
                Some(found) => operations.extend(self.update(row, found)),
            }
        }
        for ((_, key), found) in &self.found.rows {
            let is_wanted =
                self.places.get(key.as_str()).is_some_and(|it| self.rows[*it].table == found.table);
            if !is_wanted && !found.is_shared {
                operations.extend(Self::delete(found));
            }
        }
        operations
    }

    fn insert(&self, row: &Row) -> impl Iterator<Item = Value> {
        let insert = json!({ "op": "insert", "table": row.table, "uuid-name": self.symbol(&row.key), "row": self.columns(row) });
        let attach = row.port_of.as_deref().map(|switch| {
            let condition = match self.found.row("Logical_Switch", switch) {
                Some(found) => is(&found.uuid),
                None => json!([["_uuid", "==", self.reference(switch)]]),
            };
            json!({ "op": "mutate", "table": "Logical_Switch", "where": condition,
                    "mutations": [["ports", "insert", self.reference(&row.key)]] })
        });
        std::iter::once(insert).chain(attach)
    }

    fn update(&self, row: &Row, found: &StoredRow) -> Option<Value> {
        let mut columns = self.columns(row);
        columns.retain(|column, value| found.columns.get(column).map(normal) != Some(normal(value)));
        (!columns.is_empty())
            .then(|| json!({ "op": "update", "table": row.table, "where": is(&found.uuid), "row": columns }))
    }

    /// Deletes a row, and takes a port of a shared switch out of it. All other references are in rows that change as well.
    fn delete(found: &StoredRow) -> impl Iterator<Item = Value> {
        let uuid = json!(["uuid", found.uuid]);
        let detach = (found.table == "Logical_Switch_Port").then(|| {
            json!({ "op": "mutate", "table": "Logical_Switch", "where": [["ports", "includes", uuid]],
                    "mutations": [["ports", "delete", uuid]] })
        });
        let delete = json!({ "op": "delete", "table": found.table, "where": is(&found.uuid) });
        detach.into_iter().chain([delete])
    }

    /// The columns as OVSDB writes them, with the ids that mark the row as ours.
    fn columns(&self, row: &Row) -> Map<String, Value> {
        let owner = if row.is_shared { EVERYBODY } else { &self.found.owner };
        let revision = self.revision.to_string();
        let mut ids = vec![(KEY, row.key.as_str()), (OWNER, owner)];
        if let (Some(state), SWITCH) = (self.state, row.key.as_str()) {
            ids.extend([(STATE, state), (REVISION, &revision)]);
        }
        let mut columns = Map::from_iter([("external_ids".to_owned(), map(ids))]);
        for (name, column) in &row.columns {
            let value = match column {
                Column::Value(value) => value.clone(),
                Column::Rows(keys) => {
                    json!(["set", keys.iter().map(|key| self.reference(key)).collect::<Vec<_>>()])
                }
            };
            columns.insert((*name).to_owned(), value);
        }
        columns
    }

    /// A reference to the compiled row with this key: by its uuid, or by the symbol with which it is inserted.
    fn reference(&self, key: &str) -> Value {
        let row = &self.rows[self.places[key]];
        match self.found.row(row.table, key) {
            Some(found) => json!(["uuid", found.uuid]),
            None => json!(["named-uuid", self.symbol(key)]),
        }
    }

    fn symbol(&self, key: &str) -> String {
        format!("row{}", self.places[key])
    }
}

fn external_id<'a>(row: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    pairs(row.get("external_ids")?).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn owned_by(owner: &str) -> Value {
    having(&[(OWNER, owner)])
}

fn having(ids: &[(&str, &str)]) -> Value {
    json!([["external_ids", "includes", map(ids.iter().copied())]])
}

fn is(uuid: &str) -> Value {
    json!([["_uuid", "==", ["uuid", uuid]]])
}

fn refused(refusal: &Refusal) -> DeviceError {
    DeviceError::device(match refusal {
        Refusal::Outdated => {
            "OVN's northbound database changes faster than this extension can read it".to_owned()
        }
        Refusal::Failed(why) => format!("OVN's northbound database refused the change: {why}"),
    })
}
