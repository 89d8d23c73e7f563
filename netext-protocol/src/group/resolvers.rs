//! What guests are told about name resolution.

use crate::wire::object::object;
use crate::{AddressList, DomainName};

object! { group
    /// What guests are told about name resolution.
    pub struct Resolvers {
        optional {
            /// The network's DNS domain: instances are `<hostname>.<domain>`. Empty where the capability
            /// `Dns.AllowDnsSuffixModification` is not declared.
            domain: DomainName = "domain",
        }
        defaulted {
            /// The resolvers for guests, in order of preference.
            dns: AddressList = "dns",
            /// The resolvers with IPv6 addresses, in order of preference.
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
