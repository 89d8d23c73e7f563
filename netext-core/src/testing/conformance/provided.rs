//! What an extension provides.

use std::collections::BTreeSet;

use netext_protocol::{Command, GuestType, Scope, Service};
use serde_json::Value;

use crate::testing::{Call, Extension, Judged, Verdict};
use crate::{CapabilityFault, Description};

/// What an extension provides, and so what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provided {
    /// The kind of network that it is tried on: isolated, unless it carries no such networks.
    pub guest_type: GuestType,
    /// The services that it declares.
    pub services: BTreeSet<Service>,
    /// The capabilities that are registered for it, as JSON: service to capability to value. `None` if they are
    /// not known.
    pub capabilities: Option<Value>,
    /// Whether it carries VPCs.
    pub vpc: bool,
    /// The commands that it does not answer although it provides their service.
    pub without: BTreeSet<Command>,
}

/// Why it is not known what an extension provides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnknownRegistration(String);

impl Provided {
    /// An extension that provides some services. That it answers the commands that no server sends yet is
    /// not assumed.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Self {
        let without = Command::ALL.iter().copied().filter(|command| !command.is_sent()).collect();
        let services = services.into_iter().collect();
        Self { guest_type: GuestType::Isolated, services, capabilities: None, vpc: false, without }
    }

    /// It is tried on networks of another kind.
    pub fn on(mut self, guest_type: GuestType) -> Self {
        self.guest_type = guest_type;
        self
    }

    /// It carries VPCs.
    pub fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// What a device says about itself.
    pub fn of(description: &Description) -> Self {
        Self::registered(&description.to_json()).expect("a description says what is to be registered")
    }

    /// What a registration says, as JSON: what `--describe` prints, or the details `network.services` and
    /// `network.service.capabilities` of an extension in CloudStack.
    ///
    /// ```
    /// use netext_core::testing::conformance::Provided;
    /// use serde_json::json;
    ///
    /// let provided = Provided::registered(&json!({
    ///     "network.services": "SourceNat,PortForwarding",
    ///     "network.service.capabilities": "{\"SourceNat\": {\"SupportedSourceNatTypes\": \"peraccount\", \"RedundantRouter\": \"false\"}}",
    /// }))?;
    /// assert_eq!(
    ///     provided.capability_faults()[0].to_string(),
    ///     "PortForwarding.SupportedProtocols is missing: createPortForwardingRule ends in a null pointer",
    /// );
    /// # Ok::<(), netext_core::testing::conformance::UnknownRegistration>(())
    /// ```
    pub fn registered(registration: &Value) -> Result<Self, UnknownRegistration> {
        let services = services(registration)?;
        let mut provided = Self::new(services);
        provided.capabilities = Some(capabilities(registration)?);
        if let Some(names) = registration.get("commands").and_then(Value::as_array) {
            // Commands of a newer protocol are not asked for.
            let commands: BTreeSet<Command> =
                names.iter().filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect();
            provided.vpc = commands.contains(&Command::ImplementVpc);
            provided.without.clear();
            let silent = |it: &Command| provided.answers(*it) && !commands.contains(it);
            provided.without = Command::ALL.iter().copied().filter(silent).collect();
        }
        Ok(provided)
    }

    /// What an extension answers to `--describe`.
    pub fn asked_of(extension: &impl Extension) -> Result<Self, UnknownRegistration> {
        let judged = Judged::new("--describe", extension.answer(&Call::bare(["--describe"])));
        let unknown = |why: String| UnknownRegistration(format!("it does not answer --describe: {why}"));
        if judged.verdict != Verdict::Succeeded {
            return Err(unknown(judged.verdict.to_string()));
        }
        let description = serde_json::from_str::<Value>(&judged.answer.output);
        let description = description.map_err(|_| unknown("what it prints is no JSON".to_owned()))?;
        Self::registered(&description)
    }

    /// Why the server will stumble over what is registered; nothing if that is not known.
    pub fn capability_faults(&self) -> Vec<CapabilityFault> {
        let services = self.services.iter().copied();
        self.capabilities.as_ref().map_or_else(Vec::new, |it| CapabilityFault::all_in(services, it))
    }

    /// Whether a service of the command is declared, or it belongs to none.
    pub(super) fn declares(&self, command: Command) -> bool {
        command.belongs_to(&self.services)
    }

    /// Whether the extension answers the command by doing something.
    pub(super) fn answers(&self, command: Command) -> bool {
        self.declares(command)
            && (self.vpc || command.scope() != Scope::Vpc)
            && !self.without.contains(&command)
    }
}

fn services(registration: &Value) -> Result<BTreeSet<Service>, UnknownRegistration> {
    let listed =
        || registration.get("services")?.as_array()?.iter().map(Value::as_str).collect::<Option<_>>();
    let names: Vec<&str> = match registration.get("network.services").and_then(Value::as_str) {
        Some(text) => text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
        None => listed().ok_or_else(|| UnknownRegistration("it has no `network.services`".to_owned()))?,
    };
    let service = |name: &str| {
        Service::named(name).ok_or_else(|| {
            UnknownRegistration(format!("`network.services` has {name:?}, which is no service"))
        })
    };
    names.into_iter().map(service).collect()
}

/// The capabilities as an object; an empty one if none are registered.
fn capabilities(registration: &Value) -> Result<Value, UnknownRegistration> {
    let written = ["network.service.capabilities", "capabilities"].iter().find_map(|it| registration.get(it));
    let capabilities = match written {
        None => return Ok(Value::Object(serde_json::Map::new())),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
    };
    let is_object = capabilities.is_object();
    is_object.then_some(capabilities).ok_or_else(|| {
        UnknownRegistration("`network.service.capabilities` is not the JSON text of an object".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_registration_is_read_as_it_is_described_and_as_it_is_stored() {
        let description = Description::new("d", "1").services([Service::Firewall, Service::Lb]).vpc();
        let described = Provided::of(&description);
        assert!(described.vpc && described.without.is_empty());
        let capabilities = description.network_service_capabilities();
        let stored =
            json!({"network.services": "firewall, LB", "network.service.capabilities": capabilities});
        let stored = Provided::registered(&stored).unwrap();
        assert_eq!((&stored.services, &stored.capabilities), (&described.services, &described.capabilities));
        assert_eq!(stored.capability_faults(), []);
    }

    #[test]
    fn capabilities_that_are_not_registered_are_missing() {
        let provided = Provided::registered(&json!({"services": ["PortForwarding"]})).unwrap();
        assert_eq!(provided.capability_faults().len(), 1);
        assert_eq!(Provided::new([Service::PortForwarding]).capability_faults(), []);
    }

    #[test]
    fn what_is_no_registration_is_refused_with_the_reason() {
        for (registration, why) in [
            (json!([]), "it has no `network.services`"),
            (
                json!({"network.services": "Dhcp,Coffee"}),
                "`network.services` has \"Coffee\", which is no service",
            ),
            (
                json!({"services": [], "capabilities": "{"}),
                "`network.service.capabilities` is not the JSON text of an object",
            ),
        ] {
            assert_eq!(Provided::registered(&registration).unwrap_err().to_string(), why);
        }
    }
}
