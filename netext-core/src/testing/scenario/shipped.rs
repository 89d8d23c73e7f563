//! The scenarios that come with the tool.

use super::Scenario;

/// Name and text of every scenario that comes with the tool.
const SHIPPED: &[(&str, &str)] = &[
    ("isolated-network", include_str!("shipped/isolated-network.toml")),
    ("vpc", include_str!("shipped/vpc.toml")),
    ("shared-network", include_str!("shipped/shared-network.toml")),
    ("restart", include_str!("shipped/restart.toml")),
    ("failover", include_str!("shipped/failover.toml")),
];

impl Scenario {
    /// The names of the scenarios that come with the tool.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SHIPPED.iter().map(|(name, _)| *name)
    }

    /// The text of a scenario that comes with the tool: a file to start one's own from.
    pub fn text(name: &str) -> Option<&'static str> {
        SHIPPED.iter().find(|(shipped, _)| *shipped == name).map(|(_, text)| *text)
    }

    /// A scenario that comes with the tool.
    pub fn named(name: &str) -> Option<Self> {
        Self::text(name).map(|text| Self::parse(text).expect("the tests read every one"))
    }
}
