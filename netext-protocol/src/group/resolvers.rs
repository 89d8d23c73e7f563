//! What guests are told about name resolution.

use crate::wire::object::object;
use crate::{AddressList, DomainName};

object! { group
    /// What guests are told about name resolution.
    pub struct Resolvers {
        optional {
            /// The network's DNS domain.
            domain: DomainName = "domain",
        }
        defaulted {
            /// The resolvers, in order.
            dns: AddressList = "dns",
            /// The resolvers with IPv6 addresses.
            dns6: AddressList = "dns6",
        }
    }
}

/// Nothing is told.
impl Default for Resolvers {
    fn default() -> Self {
        Self::new()
    }
}
