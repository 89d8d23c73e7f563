//! What a DHCP server gave an instance.

use std::collections::BTreeMap;

/// A lease, as udhcpc hands it to its script: `ip`, `subnet`, `router`, `dns`, `domain`, `search`,
/// `hostname`, `serverid`, `lease` and whatever else the server sent, by udhcpc's names.
#[derive(Clone, Debug)]
pub struct Lease {
    options: BTreeMap<String, String>,
}

impl Lease {
    /// Reads lines of `name=value`.
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        Self { options: lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect() }
    }

    /// The value of an option, if the server sent it.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// Asserts the value of an option; several addresses are apart by a space.
    #[track_caller]
    pub fn with(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.option(name), Some(value), "{name} of the lease: {:?}", self.options);
        self
    }

    /// Asserts that the server did not send an option.
    #[track_caller]
    pub fn without(&self, name: &str) -> &Self {
        assert_eq!(self.option(name), None, "the lease has a {name}: {:?}", self.options);
        self
    }
}
