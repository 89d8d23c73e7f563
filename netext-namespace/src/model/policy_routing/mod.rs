//! Policy routing: tables of routes, and rules that lead packets to them, which operators add by actions.
//!
//! The server does not replay them. So they are kept over shutdowns and restarts of the router's networks, until the
//! router is destroyed.

mod route;
mod rule;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use route::{HopScope, NextHop, Route, RouteAction, RoutePattern};
pub use rule::{FirewallMark, IpProtocol, PortSpan, RoutingRule, RuleWords, UnknownProtocol};
pub use words::WordError;

/// The priority of the first rule that is added without one.
const FIRST_PRIORITY: u32 = 1000;
/// The priority of the rule that leads to the main table. No rule after it is consulted.
pub(crate) const MAIN_PRIORITY: u32 = 32766;

/// A routing table's number.
///
/// Not 0 and 253 to 255, which are the kernel's, and below the numbers of our own tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct RoutingTableId(u32);

/// The first number of our own tables.
pub const FIRST_OWN_TABLE: u32 = 0x6e65_0000;

/// A number that an operator's table cannot have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a routing table's number: 1 to 252, or 256 to {last}; 253 to 255 are the kernel's",
    last = FIRST_OWN_TABLE - 1
)]
pub struct InvalidRoutingTableId(String);

impl TryFrom<u32> for RoutingTableId {
    type Error = InvalidRoutingTableId;

    fn try_from(number: u32) -> Result<Self, InvalidRoutingTableId> {
        match number {
            1..=252 | 256..FIRST_OWN_TABLE => Ok(Self(number)),
            _ => Err(InvalidRoutingTableId(number.to_string())),
        }
    }
}

impl std::str::FromStr for RoutingTableId {
    type Err = InvalidRoutingTableId;

    fn from_str(text: &str) -> Result<Self, InvalidRoutingTableId> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|_| digits);
        number.ok_or_else(|| InvalidRoutingTableId(words::excerpt(text)))?.try_into()
    }
}

impl From<RoutingTableId> for u32 {
    fn from(id: RoutingTableId) -> Self {
        id.0
    }
}

impl fmt::Display for RoutingTableId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The tables of a router, by their numbers. No two have one name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PolicyRouting(BTreeMap<RoutingTableId, RoutingTable>);

/// A routing table with the rules that lead to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoutingTable {
    /// Its name for people.
    pub name: RoutingTableName,
    /// Its routes, at most one for each destination and metric.
    pub routes: BTreeSet<Route>,
    /// The rules that lead to it, each with its priority among all rules of the router.
    pub rules: BTreeSet<PlacedRule>,
}

/// A rule with its priority: the least is consulted first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlacedRule {
    /// Its priority.
    pub priority: u32,
    /// The packets that it matches.
    pub rule: RoutingRule,
}

/// A routing table's name: a letter, followed by up to 31 letters, digits, `-`, `_` or `.`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RoutingTableName(String);

/// A table as a parameter names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoutingTableRef {
    /// By its number.
    Id(RoutingTableId),
    /// By its name.
    Name(RoutingTableName),
    /// By both, which must belong together.
    Both(RoutingTableId, RoutingTableName),
}

/// A change of tables, routes or rules that is not possible.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyRoutingError {
    /// A name that no table can have.
    #[error(
        "{0:?} is not a routing table's name: a letter and up to 31 letters, digits, '-', '_' or '.'; not local, \
         main, default, unspec, all or cache"
    )]
    Name(String),
    /// Another table has the number.
    #[error("the number {id} is that of the table {name}; take another number, or delete that table first")]
    NumberTaken {
        /// The number.
        id: RoutingTableId,
        /// The table that has it.
        name: RoutingTableName,
    },
    /// Another table has the name.
    #[error(
        "the name {name} is that of the table number {id}; take another name, or delete that table first"
    )]
    NameTaken {
        /// The name.
        name: RoutingTableName,
        /// The table that has it.
        id: RoutingTableId,
    },
    /// There is no such table.
    #[error("there is no table {wanted}{others}; create it with pbr-create-table")]
    NoTable {
        /// The requested table.
        wanted: RoutingTableRef,
        /// The tables that exist, to be read after the requested one.
        others: String,
    },
    /// The table has another route for that destination and metric.
    #[error(
        "the table {table} has {route:?} already; delete that route first, or give the new one another metric"
    )]
    RouteTaken {
        /// The table.
        table: RoutingTableName,
        /// Its route.
        route: String,
    },
    /// A priority that a rule of an operator cannot have.
    #[error("priority {0}: expected a number from 1 to {last}", last = MAIN_PRIORITY - 1)]
    Priority(u32),
    /// All priorities are taken.
    #[error("all priorities from {FIRST_PRIORITY} on are taken; give one, or delete a rule first")]
    NoPriority,
}

impl PolicyRouting {
    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tables in the order of their numbers.
    pub fn tables(&self) -> impl Iterator<Item = (RoutingTableId, &RoutingTable)> {
        self.0.iter().map(|(id, table)| (*id, table))
    }

    /// Creates a table, unless it exists.
    pub fn create(&mut self, id: RoutingTableId, name: RoutingTableName) -> Result<(), PolicyRoutingError> {
        if let Some((other, _)) = self.0.iter().find(|(other, table)| table.name == name && **other != id) {
            return Err(PolicyRoutingError::NameTaken { name, id: *other });
        }
        let new = || RoutingTable { name: name.clone(), routes: BTreeSet::new(), rules: BTreeSet::new() };
        let table = self.0.entry(id).or_insert_with(new);
        if table.name != name {
            return Err(PolicyRoutingError::NumberTaken { id, name: table.name.clone() });
        }
        Ok(())
    }

    /// Deletes a table with its routes and the rules that lead to it, if it exists.
    pub fn delete(&mut self, table: &RoutingTableRef) -> Result<(), PolicyRoutingError> {
        if self.tables().any(|(id, found)| table.contradicts(id, found)) {
            return Err(self.no_table(table));
        }
        self.0.retain(|id, found| !table.is(*id, found));
        Ok(())
    }

    /// The named table.
    pub fn table(
        &self,
        wanted: &RoutingTableRef,
    ) -> Result<(RoutingTableId, &RoutingTable), PolicyRoutingError> {
        self.tables().find(|(id, table)| wanted.is(*id, table)).ok_or_else(|| self.no_table(wanted))
    }

    /// Adds a route, unless it exists.
    pub fn add_route(&mut self, table: &RoutingTableRef, route: Route) -> Result<(), PolicyRoutingError> {
        let table = self.table_mut(table)?;
        let same_key =
            |other: &&Route| (other.destination, other.metric) == (route.destination, route.metric);
        match table.routes.iter().find(same_key) {
            Some(other) if *other != route => {
                Err(PolicyRoutingError::RouteTaken { table: table.name.clone(), route: other.to_string() })
            }
            _ => {
                table.routes.insert(route);
                Ok(())
            }
        }
    }

    /// Deletes the matching routes of a table, if the table exists.
    pub fn delete_routes(&mut self, table: &RoutingTableRef, meant: &RoutePattern) {
        if let Ok(table) = self.table_mut(table) {
            table.routes.retain(|route| !meant.matches(route));
        }
    }

    /// Adds a rule, unless it exists: with the given priority, or after all others.
    pub fn add_rule(&mut self, table: &RoutingTableRef, words: RuleWords) -> Result<(), PolicyRoutingError> {
        let RuleWords { rule, priority } = words;
        let last = self.0.values().flat_map(|table| &table.rules).map(|rule| rule.priority).max();
        let last = last.filter(|last| *last >= FIRST_PRIORITY);
        let table = self.table_mut(table)?;
        let is_there = |placed: &PlacedRule| {
            placed.rule == rule && priority.is_none_or(|priority| priority == placed.priority)
        };
        if table.rules.iter().any(is_there) {
            return Ok(());
        }
        let priority = match priority {
            Some(priority @ 1..MAIN_PRIORITY) => priority,
            Some(priority) => return Err(PolicyRoutingError::Priority(priority)),
            None => match last.map_or(FIRST_PRIORITY, |last| last + 1) {
                priority @ ..MAIN_PRIORITY => priority,
                _ => return Err(PolicyRoutingError::NoPriority),
            },
        };
        table.rules.insert(PlacedRule { priority, rule });
        Ok(())
    }

    /// Deletes a rule of a table, if both exist: with the given priority, or with any.
    pub fn delete_rules(&mut self, table: &RoutingTableRef, words: &RuleWords) {
        if let Ok(table) = self.table_mut(table) {
            table.rules.retain(|placed| {
                placed.rule != words.rule
                    || words.priority.is_some_and(|priority| priority != placed.priority)
            });
        }
    }

    fn table_mut(&mut self, wanted: &RoutingTableRef) -> Result<&mut RoutingTable, PolicyRoutingError> {
        let id = self.table(wanted)?.0;
        self.0
            .get_mut(&id)
            .ok_or_else(|| PolicyRoutingError::NoTable { wanted: wanted.clone(), others: String::new() })
    }

    fn no_table(&self, wanted: &RoutingTableRef) -> PolicyRoutingError {
        let names: Vec<_> = self.0.iter().map(|(id, table)| format!("{} ({id})", table.name)).collect();
        let others = match names.as_slice() {
            [] => ", nor any other".to_owned(),
            names => format!("; this router has {}", names.join(", ")),
        };
        PolicyRoutingError::NoTable { wanted: wanted.clone(), others }
    }
}

impl RoutingTableRef {
    fn is(&self, id: RoutingTableId, table: &RoutingTable) -> bool {
        match self {
            Self::Id(wanted) => *wanted == id,
            Self::Name(wanted) => *wanted == table.name,
            Self::Both(number, name) => *number == id && *name == table.name,
        }
    }

    /// Whether a table has the given number but not the given name, or the name but not the number.
    fn contradicts(&self, id: RoutingTableId, table: &RoutingTable) -> bool {
        matches!(self, Self::Both(number, name) if (*number == id) != (*name == table.name))
    }
}

impl FromStr for RoutingTableRef {
    type Err = PolicyRoutingError;

    /// A name begins with a letter, a number does not.
    fn from_str(text: &str) -> Result<Self, PolicyRoutingError> {
        match text.parse() {
            Ok(id) => Ok(Self::Id(id)),
            Err(_) => text.parse().map(Self::Name),
        }
    }
}

impl fmt::Display for RoutingTableRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(formatter),
            Self::Name(name) => name.fmt(formatter),
            Self::Both(id, name) => write!(formatter, "{name} ({id})"),
        }
    }
}

impl TryFrom<String> for RoutingTableName {
    type Error = PolicyRoutingError;

    fn try_from(name: String) -> Result<Self, PolicyRoutingError> {
        let kernels = ["local", "main", "default", "unspec", "all", "cache"];
        let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= 32
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            && !kernels.contains(&name.as_str());
        if is_name { Ok(Self(name)) } else { Err(PolicyRoutingError::Name(name.chars().take(60).collect())) }
    }
}

impl FromStr for RoutingTableName {
    type Err = PolicyRoutingError;

    fn from_str(name: &str) -> Result<Self, PolicyRoutingError> {
        name.to_owned().try_into()
    }
}

impl From<RoutingTableName> for String {
    fn from(name: RoutingTableName) -> Self {
        name.0
    }
}

impl fmt::Display for RoutingTableName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_the_kernels_tables_and_of_our_own_are_refused() {
        for good in ["1", "100", "252", "256", "1000", "1852112895"] {
            assert!(good.parse::<RoutingTableId>().is_ok(), "{good}");
        }
        for bad in
            ["0", "253", "254", "255", "1852112896", "4294967295", "4294967296", "-1", "+5", "", "0x64", "a"]
        {
            assert!(bad.parse::<RoutingTableId>().is_err(), "{bad}");
        }
    }
}
