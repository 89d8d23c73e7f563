//! Lists that the wire packs into one text.

use std::fmt;
use std::net::IpAddr;
use std::ops::Deref;

use crate::wire::text::{Text, text_type};

/// IP addresses, written `198.51.100.53,198.51.100.54`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList(Vec<IpAddr>);

impl From<Vec<IpAddr>> for AddressList {
    fn from(addresses: Vec<IpAddr>) -> Self {
        Self(addresses)
    }
}

impl Deref for AddressList {
    type Target = [IpAddr];

    fn deref(&self) -> &[IpAddr] {
        &self.0
    }
}

impl fmt::Display for AddressList {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str(",")?;
            }
            address.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Text for AddressList {
    const EXPECTED: &'static str = "a comma-separated list of IP addresses";
    const PATTERN: Option<&'static str> = Some("^[0-9A-Fa-f:., ]*$");

    fn parse_text(text: &str) -> Option<Self> {
        text.split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().ok())
            .collect::<Option<_>>()
            .map(Self)
    }
}

text_type!(AddressList);
