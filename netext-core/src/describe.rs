//! The description of a device.

use std::collections::{BTreeMap, BTreeSet};

use netext_protocol::{Capability, Command, InvalidCapability, PROTOCOL_VERSION, Scope, Service};
use serde_json::{Value, json};

/// The description of a device: its name and version, the services and capabilities that an operator registers, and the
/// commands that follow from them.
///
/// It decides which commands reach the device: a command of undeclared services succeeds without doing anything, as the
/// protocol demands, and a command that is not implemented fails.
///
/// By default a declared service has all of its capabilities, with the values of a device that supports everything in the
/// protocol, because the server looks them up and fails without them. A device that supports less says so with
/// [`capability`](Self::capability).
///
/// ```
/// use netext_core::Description;
/// use netext_core::protocol::{Capability, Command, Service};
///
/// let description = Description::new("acme", "1.0.0")
///     .services([Service::Dhcp, Service::PortForwarding])
///     .capability(Capability::PortForwardingProtocols, "tcp")
///     .without(Command::SetDhcpOptions);
///
/// assert_eq!(description.network_services(), "Dhcp,PortForwarding");
/// assert_eq!(
///     description.network_service_capabilities(),
///     r#"{"Dhcp":{"DhcpAccrossMultipleSubnets":"true"},"PortForwarding":{"SupportedProtocols":"tcp"}}"#,
/// );
/// assert!(description.implements(Command::AddDhcpEntry));
/// assert!(!description.implements(Command::SetDhcpOptions));
/// assert!(!description.implements(Command::ApplyLbRules));
/// assert!(description.capability_faults().is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    name: String,
    version: String,
    services: BTreeSet<Service>,
    /// Values that differ from the default; `None` for a capability that is not declared.
    capabilities: BTreeMap<Capability, Option<String>>,
    /// Capabilities that this version of the protocol does not know.
    other_capabilities: BTreeMap<Service, BTreeMap<String, String>>,
    vpc: bool,
    owns_segments: bool,
    without: BTreeSet<Command>,
}

impl Description {
    /// A device that provides no service yet. A binary passes its own `env!("CARGO_PKG_VERSION")`.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            services: BTreeSet::new(),
            capabilities: BTreeMap::new(),
            other_capabilities: BTreeMap::new(),
            vpc: false,
            owns_segments: false,
            without: BTreeSet::new(),
        }
    }

    /// Declares a service.
    pub fn service(mut self, service: Service) -> Self {
        self.services.insert(service);
        self
    }

    /// Declares services.
    pub fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services.extend(services);
        self
    }

    /// Declares a service with this value of a capability, such as a shorter list of protocols.
    /// [`Capability::values`] describes the valid values; another value is a [fault](Self::capability_faults).
    pub fn capability(mut self, capability: Capability, value: impl Into<String>) -> Self {
        self.services.insert(capability.service());
        self.capabilities.insert(capability, Some(value.into()));
        self
    }

    /// Declares a service with a capability that this version of the protocol does not know. Servers ignore
    /// capabilities that they do not know.
    pub fn other_capability(
        mut self,
        service: Service,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> Self {
        self.services.insert(service);
        self.other_capabilities.entry(service).or_default().insert(name.into(), value.into());
        self
    }

    /// Leaves a capability undeclared. That is a [fault](Self::capability_faults) if the server needs it.
    pub fn without_capability(mut self, capability: Capability) -> Self {
        self.capabilities.insert(capability, None);
        self
    }

    /// The device owns its segments: CloudStack chooses no VLAN, and takes the segment from the answer to
    /// `implement-network`. `--describe` prints it as `network.isolation.method`.
    pub fn owns_segments(mut self) -> Self {
        self.owns_segments = true;
        self
    }

    /// The device carries VPCs: it implements the commands about a VPC as a whole, which belong to no service.
    pub fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// The device does not implement this command of a declared service.
    pub fn without(mut self, command: Command) -> Self {
        self.without.insert(command);
        self
    }

    /// The device's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The device's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether the device declares the service.
    pub fn declares(&self, service: Service) -> bool {
        self.services.contains(&service)
    }

    /// Whether the device provides a service of the command, or the command belongs to none.
    pub fn provides(&self, command: Command) -> bool {
        command.belongs_to(&self.services)
    }

    /// Whether the device implements the command.
    pub fn implements(&self, command: Command) -> bool {
        self.provides(command)
            && (self.vpc || command.scope() != Scope::Vpc)
            && !self.without.contains(&command)
    }

    /// The commands that the device implements.
    pub fn commands(&self) -> impl Iterator<Item = Command> {
        Command::ALL.iter().copied().filter(|command| self.implements(*command))
    }

    /// The value to register as `network.services`.
    pub fn network_services(&self) -> String {
        let names: Vec<_> = self.services.iter().map(|service| service.name()).collect();
        names.join(",")
    }

    /// The value to register as `network.service.capabilities`.
    pub fn network_service_capabilities(&self) -> String {
        self.capabilities_by_name().to_string()
    }

    /// The faults of the capabilities: missing ones that the server needs, and values that it does not understand.
    pub fn capability_faults(&self) -> Vec<CapabilityFault> {
        CapabilityFault::all_in(self.services.iter().copied(), &self.capabilities_by_name())
    }

    /// The output of `--describe`.
    pub fn to_json(&self) -> Value {
        let mut description = json!({
            "name": self.name,
            "version": self.version,
            "protocol_version": PROTOCOL_VERSION,
            "services": self.services,
            "capabilities": self.capabilities_by_name(),
            "commands": self.commands().map(Command::name).collect::<Vec<_>>(),
            "network.services": self.network_services(),
            "network.service.capabilities": self.network_service_capabilities(),
        });
        if self.owns_segments {
            description["network.isolation.method"] = "NetworkExtension".into();
        }
        let faults: Vec<_> = self.capability_faults().iter().map(ToString::to_string).collect();
        if !faults.is_empty() {
            description["capability_faults"] = faults.into();
        }
        description
    }

    fn capabilities_by_name(&self) -> Value {
        let mut by_service: BTreeMap<Service, BTreeMap<&str, &str>> = BTreeMap::new();
        for capability in self.services.iter().flat_map(|service| Capability::all_of(*service)) {
            let value = match self.capabilities.get(&capability) {
                Some(own) => own.as_deref(),
                None => capability.full(),
            };
            if let Some(value) = value {
                by_service.entry(capability.service()).or_default().insert(capability.name(), value);
            }
        }
        for (service, others) in &self.other_capabilities {
            let others = others.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            by_service.entry(*service).or_default().extend(others);
        }
        json!(by_service)
    }
}

/// Why the server cannot use the capabilities that a device declares.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CapabilityFault {
    /// The server looks the capability up and does not find it.
    #[error("{}.{} is missing: {}", .0.service(), .0.name(), .0.without().unwrap_or("nothing is lost"))]
    Missing(Capability),
    /// The server does not understand the value.
    #[error(transparent)]
    Invalid(#[from] InvalidCapability),
}

impl CapabilityFault {
    /// The faults of a registration: its services, and the value of `network.service.capabilities` parsed as JSON.
    /// Names are case-insensitive, and unknown names are ignored, as in the server.
    pub fn all_in(services: impl IntoIterator<Item = Service>, registered: &Value) -> Vec<Self> {
        let services: BTreeSet<_> = services.into_iter().collect();
        let missing = Capability::missing_of(services.iter().copied(), registered).map(Self::Missing);
        let declared = registered.as_object().into_iter().flatten().flat_map(|(service, capabilities)| {
            let service = Service::named(service).filter(|it| services.contains(it));
            let capabilities = capabilities.as_object().into_iter().flatten();
            capabilities.filter_map(move |(name, value)| Some((Capability::of(service?, name)?, value)))
        });
        let invalid = declared.filter_map(|(capability, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            capability.check(&text).err().map(Self::Invalid)
        });
        missing.chain(invalid).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_without_services_still_answers_the_life_of_networks_and_nics() {
        let names: Vec<_> = Description::new("bare", "1").commands().map(Command::name).collect();
        assert_eq!(
            names,
            [
                "ensure-network-device",
                "implement-network",
                "shutdown-network",
                "destroy-network",
                "prepare-nic",
                "release-nic"
            ]
        );
    }

    #[test]
    fn a_device_with_every_service_and_vpcs_answers_every_command() {
        let description = Description::new("full", "1").services(Service::ALL.iter().copied()).vpc();
        assert!(description.commands().eq(Command::ALL.iter().copied()));
    }

    #[test]
    fn restoring_belongs_to_any_of_its_three_services() {
        assert!(Description::new("d", "1").service(Service::Dns).implements(Command::RestoreNetwork));
        assert!(!Description::new("d", "1").service(Service::Lb).implements(Command::RestoreNetwork));
    }

    #[test]
    fn the_registration_strings_are_ready_to_be_registered() {
        let description = Description::new("d", "1")
            .service(Service::NetworkAcl)
            .capability(Capability::SourceNatTypes, "perzone")
            .other_capability(Service::NetworkAcl, "Later", "1");
        assert_eq!(description.to_json()["network.services"], "SourceNat,NetworkACL");
        let capabilities: Value = serde_json::from_str(&description.network_service_capabilities()).unwrap();
        assert_eq!(
            capabilities,
            json!({
                "SourceNat": { "SupportedSourceNatTypes": "perzone", "RedundantRouter": "false" },
                "NetworkACL": { "SupportedProtocols": "tcp,udp,icmp", "Later": "1" },
            }),
        );
        assert_eq!(description.to_json()["capabilities"], capabilities);
    }

    #[test]
    fn a_declared_service_lacks_no_capability_that_the_server_reads() {
        let description = Description::new("d", "1").services(Service::ALL.iter().copied());
        assert_eq!(description.capability_faults(), []);
        let capabilities = &description.to_json()["capabilities"];
        assert_eq!(capabilities["Firewall"]["SupportedTrafficDirection"], "ingress,egress");
        assert_eq!(capabilities["UserData"]["Supported"], "true");
        assert!(capabilities["Lb"].get("SslTermination").is_none(), "{capabilities}");
    }

    #[test]
    fn a_missing_capability_is_reported() {
        for &capability in Capability::ALL {
            let full = Description::new("d", "1").service(capability.service());
            let description = full.without_capability(capability);
            let faults = description.capability_faults();
            let reported = description.to_json()["capability_faults"][0].as_str().map(str::to_owned);
            match capability.without() {
                Some(consequence) => {
                    assert_eq!(faults, [CapabilityFault::Missing(capability)]);
                    assert!(reported.unwrap().ends_with(consequence));
                }
                None => assert_eq!((faults, reported), (Vec::new(), None)),
            }
        }
    }

    #[test]
    fn a_value_that_the_server_does_not_understand_is_reported() {
        for (capability, value) in [
            (Capability::LbAlgorithms, "fastest"),
            (Capability::LbSslTermination, "false"),
            (Capability::FirewallProtocols, ""),
            (Capability::DhcpAcrossSubnets, "yes"),
        ] {
            let faults = Description::new("d", "1").capability(capability, value).capability_faults();
            assert!(!faults.is_empty(), "{}.{} = {value}", capability.service(), capability.name());
        }
    }
}
