//! The check of capabilities names each one that is missing.

use netext_core::protocol::{Capability, Service};
use netext_core::testing::conformance::{Check, ConformanceSuite, NotPassed};
use netext_core::testing::{ExtensionProfile, Server};
use netext_core::{Description, DeviceError, Handler, Invocation, Reply, async_trait};
use serde_json::{Value, json};

/// A device that accepts every command and does nothing.
struct Registered(Description);

#[async_trait]
impl Handler for Registered {
    fn description(&self) -> Description {
        self.0.clone()
    }

    async fn handle(&self, _: Invocation) -> Result<Reply, DeviceError> {
        Ok(Reply::Nothing)
    }
}

fn full() -> Description {
    Description::new("full", "1").services(Service::ALL.iter().copied())
}

/// Runs the check of capabilities.
fn check(profile: ExtensionProfile) -> Result<(), NotPassed> {
    let server = Server::for_device(Registered(Description::new("bare", "1")));
    ConformanceSuite::new(&server, profile).ask(Check::named("capabilities").unwrap())
}

fn failed(how: impl Into<String>) -> Result<(), NotPassed> {
    Err(NotPassed::Failed(how.into()))
}

#[test]
fn each_missing_capability_is_named_and_no_other() {
    let mut named = 0;
    for &capability in Capability::ALL {
        let server = Server::for_device(Registered(full().without_capability(capability)));
        let checked = check(ExtensionProfile::described_by(server.extension()).unwrap());
        match capability.without() {
            Some(consequence) => {
                let (service, name) = (capability.service(), capability.name());
                assert_eq!(checked, failed(format!("{service}.{name} is missing: {consequence}")));
                named += 1;
            }
            None => assert_eq!(checked, Ok(()), "{capability:?}"),
        }
    }
    assert!(named > 10, "{named}");
}

#[test]
fn tls_support_that_is_declared_as_false_fails() {
    let description = full().capability(Capability::LbSslTermination, "false");
    assert_eq!(check(ExtensionProfile::of(&description)), failed("Lb.SslTermination: \"false\" is not true"));
}

#[test]
fn names_in_another_case_and_unknown_names_pass() {
    let described = full().to_json();
    let capabilities = described["capabilities"].as_object().unwrap();
    let lower = capabilities.iter().map(|(service, capabilities)| {
        let capabilities = capabilities.as_object().unwrap().iter();
        let capabilities = capabilities.map(|(name, value)| (name.to_lowercase(), value.clone()));
        (service.to_uppercase(), capabilities.collect::<serde_json::Map<_, _>>().into())
    });
    let mut lower: Value = lower.collect::<serde_json::Map<_, _>>().into();
    lower["DHCP"]["Teleportation"] = "true".into();
    lower["Vpn"] = json!({ "SupportedVpnTypes": "removeaccessvpn" });
    let registration = json!({
        "network.services": described["network.services"],
        "network.service.capabilities": lower.to_string(),
    });
    assert_eq!(check(ExtensionProfile::registered(&registration).unwrap()), Ok(()));
}

#[test]
fn the_check_is_skipped_if_the_registered_capabilities_are_unknown() {
    assert!(matches!(check(ExtensionProfile::new([Service::Firewall])), Err(NotPassed::Skipped(_))));
}

#[test]
fn a_device_with_every_capability_can_be_registered() {
    Server::for_device(Registered(full())).assert_registrable();
}

#[test]
#[should_panic = "PortForwarding.SupportedProtocols is missing: createPortForwardingRule ends in a null pointer"]
fn a_missing_capability_prevents_the_registration() {
    let description = full().without_capability(Capability::PortForwardingProtocols);
    Server::for_device(Registered(description)).assert_registrable();
}
