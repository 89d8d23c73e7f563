//! Routes and rules of policy routing, as people write them for `ip route` and `ip rule`.
//!
//! Their words are parsed into types that hold what is understood and nothing else; a word that is not is refused
//! by name. No text of theirs goes further than this folder.

mod route;
mod rule;
mod words;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use route::{NextHop, Route, RoutePattern, Scope, Way};
pub use rule::{Mark, PortSpan, Rule, RuleWords};
pub use words::WordError;

/// The number by which the kernel tells our routes and rules from those of people and routing daemons
/// (`proto 110`): the former are compared and healed, the latter left alone.
pub const PROTOCOL: u8 = 110;

/// A routing table's number.
///
/// Not 0 and 253 to 255, which are the kernel's, and below the numbers that we take for tables of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct TableId(u32);

/// The first number of the tables that are our own, whatever operators ask for.
pub const FIRST_OWN_TABLE: u32 = 0x6e65_0000;

/// A number that is no operator's table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0} is not a routing table's number: 1 to 252, or 256 to {last}; 253 to 255 are the kernel's",
    last = FIRST_OWN_TABLE - 1
)]
pub struct InvalidTableId(String);

impl TryFrom<u32> for TableId {
    type Error = InvalidTableId;

    fn try_from(number: u32) -> Result<Self, InvalidTableId> {
        match number {
            1..=252 | 256..FIRST_OWN_TABLE => Ok(Self(number)),
            _ => Err(InvalidTableId(number.to_string())),
        }
    }
}

impl std::str::FromStr for TableId {
    type Err = InvalidTableId;

    fn from_str(text: &str) -> Result<Self, InvalidTableId> {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse::<u32>().ok().filter(|_| digits);
        number.ok_or_else(|| InvalidTableId(words::excerpt(text)))?.try_into()
    }
}

impl From<TableId> for u32 {
    fn from(id: TableId) -> Self {
        id.0
    }
}

impl fmt::Display for TableId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The routes and rules of a router beyond its main table.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RoutingPlan {
    /// The routes.
    pub routes: BTreeSet<TableRoute>,
    /// The rules.
    pub rules: BTreeSet<TableRule>,
}

/// A route of a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableRoute {
    /// The table's number.
    pub table: u32,
    /// The route.
    pub route: Route,
}

/// A rule with its place and the table that it leads to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TableRule {
    /// Its place: the rule with the least is consulted first.
    pub priority: u32,
    /// Which packets it means.
    pub rule: Rule,
    /// The table's number.
    pub table: u32,
}

/// As `ip route` takes it.
impl fmt::Display for TableRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} table {}", self.route, self.table)
    }
}

/// As `ip rule` takes it.
impl fmt::Display for TableRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} priority {} table {}", self.rule, self.priority, self.table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_and_our_own_are_nobody_elses() {
        for good in ["1", "100", "252", "256", "1000", "1852112895"] {
            assert!(good.parse::<TableId>().is_ok(), "{good}");
        }
        for bad in
            ["0", "253", "254", "255", "1852112896", "4294967295", "4294967296", "-1", "+5", "", "0x64", "a"]
        {
            assert!(bad.parse::<TableId>().is_err(), "{bad}");
        }
    }
}
