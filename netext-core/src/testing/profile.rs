//! What an extension provides.

use std::collections::BTreeSet;

use netext_protocol::{Command, GuestType, Scope, Service};
use serde_json::Value;

use super::call::{Extension, ExtensionCall, JudgedResponse, ServerVerdict};
use crate::{CapabilityFault, Description};

/// What an extension provides: [conformance](super::conformance) requires no more of it.
///
/// ```
/// use netext_core::Description;
/// use netext_core::protocol::{GuestType, Service};
/// use netext_core::testing::ExtensionProfile;
///
/// let described = ExtensionProfile::of(&Description::new("acme", "1.0.0").service(Service::Dhcp).vpc());
/// let listed = ExtensionProfile::new([Service::Dhcp]).guest_type(GuestType::Shared);
/// assert_eq!(described.services, listed.services);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExtensionProfile {
    /// The kind of network that conformance tries it on; isolated by default.
    pub guest_type: GuestType,
    /// The services that it declares.
    pub services: BTreeSet<Service>,
    /// The registered capabilities as JSON, from service to capability to value; `None` if they are unknown.
    pub capabilities: Option<Value>,
    /// Whether it carries VPCs.
    pub vpc: bool,
    /// The commands of its services that it does not implement.
    pub without: BTreeSet<Command>,
}

/// Why the profile of an extension is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProfileError(String);

impl ExtensionProfile {
    /// An extension that provides these services, except for the commands that no server sends yet.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Self {
        let without = Command::ALL.iter().copied().filter(|command| !command.is_sent()).collect();
        let services = services.into_iter().collect();
        Self { guest_type: GuestType::Isolated, services, capabilities: None, vpc: false, without }
    }

    /// Tries it on networks of another kind.
    pub fn guest_type(mut self, guest_type: GuestType) -> Self {
        self.guest_type = guest_type;
        self
    }

    /// Declares that it carries VPCs.
    pub fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// The profile of a device that describes itself.
    pub fn of(description: &Description) -> Self {
        Self::registered(&description.to_json()).expect("a description has everything that is registered")
    }

    /// The profile of a registered extension. The registration is the JSON that `--describe` prints, or the details
    /// `network.services` and `network.service.capabilities` of an extension in CloudStack.
    ///
    /// ```
    /// use netext_core::testing::ExtensionProfile;
    /// use serde_json::json;
    ///
    /// let profile = ExtensionProfile::registered(&json!({
    ///     "network.services": "SourceNat,PortForwarding",
    ///     "network.service.capabilities": "{\"SourceNat\": {\"SupportedSourceNatTypes\": \"peraccount\", \"RedundantRouter\": \"false\"}}",
    /// }))?;
    /// assert_eq!(
    ///     profile.capability_faults()[0].to_string(),
    ///     "PortForwarding.SupportedProtocols is missing: createPortForwardingRule ends in a null pointer",
    /// );
    /// # Ok::<(), netext_core::testing::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// If it has no services, an unknown service, or capabilities that are not an object.
    pub fn registered(registration: &Value) -> Result<Self, ProfileError> {
        let services = services(registration)?;
        let mut profile = Self::new(services);
        profile.capabilities = Some(capabilities(registration)?);
        if let Some(names) = registration.get("commands").and_then(Value::as_array) {
            // Commands of a newer protocol have no name here, and are not checked.
            let commands: BTreeSet<Command> =
                names.iter().filter_map(Value::as_str).filter_map(|name| name.parse().ok()).collect();
            profile.vpc = commands.contains(&Command::ImplementVpc);
            profile.without.clear();
            let is_missing = |it: &Command| profile.implements(*it) && !commands.contains(it);
            profile.without = Command::ALL.iter().copied().filter(is_missing).collect();
        }
        Ok(profile)
    }

    /// The profile that an extension prints for `--describe`.
    ///
    /// # Errors
    /// If it does not answer `--describe`, or prints no registration.
    pub fn described_by(extension: &impl Extension) -> Result<Self, ProfileError> {
        let judged = JudgedResponse::new("--describe", extension.call(&ExtensionCall::bare(["--describe"])));
        let unknown = |why: String| ProfileError(format!("it does not answer --describe: {why}"));
        if judged.verdict != ServerVerdict::Succeeded {
            return Err(unknown(judged.verdict.to_string()));
        }
        let description = serde_json::from_str::<Value>(&judged.response.output);
        let description = description.map_err(|_| unknown("its output is not JSON".to_owned()))?;
        Self::registered(&description)
    }

    /// The registered capabilities that make API calls of the server fail; none if they are unknown.
    pub fn capability_faults(&self) -> Vec<CapabilityFault> {
        let services = self.services.iter().copied();
        self.capabilities.as_ref().map_or_else(Vec::new, |it| CapabilityFault::all_in(services, it))
    }

    /// Whether it declares a service of the command, or the command belongs to every extension.
    pub(super) fn declares(&self, command: Command) -> bool {
        command.belongs_to(&self.services)
    }

    /// Whether it does something for the command.
    pub(super) fn implements(&self, command: Command) -> bool {
        self.declares(command)
            && (self.vpc || command.scope() != Scope::Vpc)
            && !self.without.contains(&command)
    }
}

fn services(registration: &Value) -> Result<BTreeSet<Service>, ProfileError> {
    let listed =
        || registration.get("services")?.as_array()?.iter().map(Value::as_str).collect::<Option<_>>();
    let names: Vec<&str> = match registration.get("network.services").and_then(Value::as_str) {
        Some(text) => text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect(),
        None => listed().ok_or_else(|| ProfileError("it has no `network.services`".to_owned()))?,
    };
    let service = |name: &str| {
        Service::named(name)
            .ok_or_else(|| ProfileError(format!("`network.services` has an unknown service {name:?}")))
    };
    names.into_iter().map(service).collect()
}

/// The capabilities as an object; an empty one if none are registered.
fn capabilities(registration: &Value) -> Result<Value, ProfileError> {
    let written = ["network.service.capabilities", "capabilities"].iter().find_map(|it| registration.get(it));
    let capabilities = match written {
        None => return Ok(Value::Object(serde_json::Map::new())),
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_default(),
        Some(other) => other.clone(),
    };
    let is_object = capabilities.is_object();
    is_object.then_some(capabilities).ok_or_else(|| {
        ProfileError("`network.service.capabilities` is not the JSON text of an object".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_registration_is_read_from_a_description_and_from_stored_details() {
        let description = Description::new("d", "1").services([Service::Firewall, Service::Lb]).vpc();
        let described = ExtensionProfile::of(&description);
        assert!(described.vpc && described.without.is_empty());
        let capabilities = description.network_service_capabilities();
        let stored =
            json!({"network.services": "firewall, LB", "network.service.capabilities": capabilities});
        let stored = ExtensionProfile::registered(&stored).unwrap();
        assert_eq!((&stored.services, &stored.capabilities), (&described.services, &described.capabilities));
        assert_eq!(stored.capability_faults(), []);
    }

    #[test]
    fn unregistered_capabilities_are_missing() {
        let profile = ExtensionProfile::registered(&json!({"services": ["PortForwarding"]})).unwrap();
        assert_eq!(profile.capability_faults().len(), 1);
        assert_eq!(ExtensionProfile::new([Service::PortForwarding]).capability_faults(), []);
    }

    #[test]
    fn an_invalid_registration_is_refused_with_the_reason() {
        for (registration, why) in [
            (json!([]), "it has no `network.services`"),
            (
                json!({"network.services": "Dhcp,Coffee"}),
                "`network.services` has an unknown service \"Coffee\"",
            ),
            (
                json!({"services": [], "capabilities": "{"}),
                "`network.service.capabilities` is not the JSON text of an object",
            ),
        ] {
            assert_eq!(ExtensionProfile::registered(&registration).unwrap_err().to_string(), why);
        }
    }
}
