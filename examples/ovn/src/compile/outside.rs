//! A network's port on the public segment.

use netext_core::DeviceError;
use netext_core::protocol::{PublicIp, Segment};

use super::{OUTSIDE, Subnet, localnet, mac, name, router_port};
use crate::registration::Registration;
use crate::rows::Row;
use crate::state::State;

pub(super) struct Outside<'a> {
    segment: Segment,
    /// The router's own address there: the source NAT address, if there is one.
    own: &'a PublicIp,
}

impl<'a> Outside<'a> {
    pub(super) fn of(state: &'a State) -> Result<Option<Self>, DeviceError> {
        let addresses = || state.addresses.values();
        let Some(own) = addresses().find(|it| it.is_source_nat()).or_else(|| addresses().next()) else {
            return Ok(None);
        };
        let segment = |public: &PublicIp| public.public_vlan.clone().unwrap_or(Segment::Untagged);
        match addresses().find(|other| segment(other) != segment(own)) {
            None => Ok(Some(Self { segment: segment(own), own })),
            Some(other) => Err(DeviceError::invalid(format!(
                "{} is on the public segment {}, {} on {}: this extension supports one segment per network",
                own.public_ip,
                segment(own),
                other.public_ip,
                segment(other)
            ))),
        }
    }

    /// The router's port, and all rows that it is connected to.
    pub(super) fn rows(
        &self,
        state: &State,
        registration: &Registration,
        subnet: Subnet,
    ) -> Result<(Row, Vec<Row>), DeviceError> {
        let id = state.network.network_id;
        let name = format!("{}-outside", name(id));
        let chassis = chassis(&name, registration)?;
        let length = self.own.public_cidr.map_or(32, |cidr| cidr.prefix_len());
        let port = Row::new("Logical_Router_Port", "outside")
            .with("name", name.clone())
            .with("mac", mac(id, OUTSIDE).to_string())
            .with("networks", format!("{}/{length}", self.own.public_ip))
            .with_rows("gateway_chassis", &chassis);

        let public = format!("cs-public-{}", self.segment);
        let uplink =
            localnet(&format!("{public}-uplink"), &registration.public_network, &self.segment)?.shared();
        let switch = Row::new("Logical_Switch", &public).with("name", public.clone());
        let switch = switch.with_rows("ports", [&uplink]).shared();
        let key = format!("from-outside/{public}");
        let switch_port = router_port(&key, &format!("{name}-peer"), &name).port_of(&switch);
        let mut others = guard(&name, &switch_port, subnet);
        others.extend(chassis.into_iter().chain([uplink, switch, switch_port]));
        Ok((port, others))
    }

    pub(super) fn default_route(&self) -> Option<Row> {
        let gateway = self.own.public_gateway?;
        let row = Row::new("Logical_Router_Static_Route", "default-route");
        Some(row.with("ip_prefix", "0.0.0.0/0").with("nexthop", gateway.to_string()))
    }
}

/// The chassis that may carry the traffic to and from external networks, the first one preferred.
fn chassis(port: &str, registration: &Registration) -> Result<Vec<Row>, DeviceError> {
    if registration.gateway_chassis.is_empty() {
        let message =
            "register `gateway.chassis`: the chassis that carry traffic to and from external networks";
        return Err(DeviceError::invalid(message));
    }
    let by_priority = (1..).zip(registration.gateway_chassis.iter().rev());
    let row = |(priority, chassis): (u16, &crate::registration::Name)| {
        Row::new("Gateway_Chassis", format!("chassis/{chassis}"))
            .with("name", format!("{port}-{chassis}"))
            .with("chassis_name", chassis.to_string())
            .with("priority", priority)
    };
    Ok(by_priority.map(row).collect())
}

/// Drops packets from outside to guests' own addresses: a neighbour on the public segment with a route to them would
/// bypass NAT. It is in front of the router, where destinations are not translated yet.
fn guard(name: &str, port: &Row, subnet: Subnet) -> Vec<Row> {
    // Names in a match have no `-`.
    let group = name.replace('-', "_");
    let drop = Row::new("ACL", "guard-of-guests")
        .with("direction", "to-lport")
        .with("priority", 1000)
        .with("action", "drop")
        .with("match", format!("outport == @{group} && ip4.dst == {}", subnet.cidr));
    let group = Row::new("Port_Group", "guarded").with("name", group);
    let group = group.with_rows("ports", [port]).with_rows("acls", [&drop]);
    vec![group, drop]
}
