//! What a device says about itself.

use std::collections::{BTreeMap, BTreeSet};

use netext_protocol::{Command, PROTOCOL_VERSION, Scope, Service};
use serde_json::{Value, json};

/// What a device says about itself: its name and version, the services and capabilities that an operator
/// registers, and with them the commands that it answers.
///
/// The runner goes by it: a command of which no service is declared is answered by doing nothing, as the
/// protocol demands, and a command that is not described as implemented never reaches the device.
///
/// ```
/// use netext_core::Description;
/// use netext_core::protocol::{Command, Service};
///
/// let description = Description::new("acme", "1.0.0")
///     .service(Service::Dhcp)
///     .capability(Service::SourceNat, "SupportedSourceNatTypes", "peraccount")
///     .without(Command::SetDhcpOptions);
///
/// assert_eq!(description.network_services(), "Dhcp,SourceNat");
/// assert!(description.implements(Command::AddDhcpEntry));
/// assert!(!description.implements(Command::SetDhcpOptions));
/// assert!(!description.implements(Command::ApplyLbRules));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    name: String,
    version: String,
    services: BTreeSet<Service>,
    capabilities: BTreeMap<Service, BTreeMap<String, String>>,
    vpc: bool,
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
            vpc: false,
            without: BTreeSet::new(),
        }
    }

    /// It provides a service.
    pub fn service(mut self, service: Service) -> Self {
        self.services.insert(service);
        self
    }

    /// It provides some services.
    pub fn services(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.services.extend(services);
        self
    }

    /// It provides a service with a capability, such as `SupportedLBAlgorithms` = `roundrobin,source`. The
    /// names and values are CloudStack's.
    pub fn capability(mut self, service: Service, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.services.insert(service);
        self.capabilities.entry(service).or_default().insert(name.into(), value.into());
        self
    }

    /// It carries VPCs: the commands about a VPC as a whole belong to no service, so they are declared here.
    pub fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// It does not answer this command although it provides the service.
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
        let services = command.services();
        services.is_empty() || services.iter().any(|service| self.declares(*service))
    }

    /// Whether the device answers the command by doing something.
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

    /// What `--describe` prints.
    pub fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "version": self.version,
            "protocol_version": PROTOCOL_VERSION,
            "services": self.services,
            "capabilities": self.capabilities_by_name(),
            "commands": self.commands().map(Command::name).collect::<Vec<_>>(),
            "network.services": self.network_services(),
            "network.service.capabilities": self.network_service_capabilities(),
        })
    }

    fn capabilities_by_name(&self) -> Value {
        json!(self.capabilities)
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
            .capability(Service::Lb, "SupportedProtocols", "tcp,udp")
            .capability(Service::SourceNat, "RedundantRouter", "false");
        assert_eq!(description.to_json()["network.services"], "SourceNat,Lb,NetworkACL");
        let capabilities: Value = serde_json::from_str(&description.network_service_capabilities()).unwrap();
        assert_eq!(
            capabilities,
            json!({ "SourceNat": { "RedundantRouter": "false" }, "Lb": { "SupportedProtocols": "tcp,udp" } }),
        );
        assert_eq!(description.to_json()["capabilities"], capabilities);
    }
}
