//! The router's interfaces, the guests behind them, and what the router itself answers to guests.

use super::ruleset::Ruleset;
use crate::model::{Router, guest_interface, public_interface};

/// What guests may ask of the router's own address: DNS, metadata, passwords. DHCP comes before they have an
/// address to ask from, so it has a rule of its own.
const SERVICES: [(&str, u16); 4] = [("udp", 53), ("tcp", 53), ("tcp", 80), ("tcp", 8080)];

pub(super) fn compile(router: &Router, ruleset: &mut Ruleset) {
    for (_, tier) in router.implemented_tiers() {
        let Some(address) = tier.address() else { continue };
        let (_, interface) = guest_interface(router.id, &tier.segment());
        ruleset.add("guest_interfaces", &interface);
        if let Some(subnet) = tier.subnet() {
            ruleset.add("guest_subnets", format!("{interface} . {subnet}"));
            ruleset.add("guest_addresses", subnet);
        }
        for (protocol, port) in SERVICES {
            ruleset.add("guest_services", format!("{interface} . {} . {protocol} . {port}", address.addr()));
        }
        if let Some(ipv6) = tier.ipv6.filter(|_| tier.routes()) {
            for (protocol, port) in SERVICES {
                ruleset.add(
                    "guest_services_ipv6",
                    format!("{interface} . {} . {protocol} . {port}", ipv6.gateway),
                );
            }
        }
        if tier.routes() {
            ruleset.map("hairpin", &interface, address.addr());
        }
    }
    for (segment, _) in router.addresses_by_segment() {
        let (_, interface) = public_interface(router.id, &segment);
        ruleset.add("public_interfaces", interface);
    }
}
