//! Capabilities that the server looks up, found missing one by one.

use netext_core::protocol::{Capability, Service};
use netext_core::testing::Server;
use netext_core::testing::conformance::{Check, Finding, Provided, Suite};
use netext_core::{Description, DeviceError, Handler, Invocation, Reply, async_trait};
use serde_json::{Value, json};

/// A device that answers everything and keeps nothing.
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

/// What the check of capabilities finds.
fn found(provided: Provided) -> Finding {
    let server = Server::for_device(Registered(Description::new("bare", "1")));
    let check = Check::all().find(|check| check.id == "capabilities").unwrap();
    Suite::new(&server, provided).ask(check)
}

#[test]
fn each_capability_that_is_left_out_is_named_and_no_other() {
    let mut named = 0;
    for &capability in Capability::ALL {
        let server = Server::for_device(Registered(full().without_capability(capability)));
        let finding = found(Provided::asked_of(server.extension()).unwrap());
        match capability.without() {
            Some(consequence) => {
                let (service, name) = (capability.service(), capability.name());
                let told = format!("{service}.{name} is missing: {consequence}");
                assert_eq!(finding, Finding::Failed(told));
                named += 1;
            }
            None => assert_eq!(finding, Finding::Passed, "{capability:?}"),
        }
    }
    assert!(named > 10, "{named}");
}

#[test]
fn support_for_tls_that_is_declared_as_false_is_found() {
    let description = full().capability(Capability::LbSslTermination, "false");
    assert_eq!(
        found(Provided::of(&description)),
        Finding::Failed("Lb.SslTermination: \"false\" is not true".to_owned())
    );
}

#[test]
fn names_in_another_case_and_unknown_ones_are_no_fault() {
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
    assert_eq!(found(Provided::registered(&registration).unwrap()), Finding::Passed);
}

#[test]
fn what_is_registered_may_not_be_known() {
    assert!(matches!(found(Provided::new([Service::Firewall])), Finding::Skipped(_)));
}

#[test]
fn a_device_that_can_be_registered_is() {
    Server::for_device(Registered(full())).assert_registrable();
}

#[test]
#[should_panic = "PortForwarding.SupportedProtocols is missing: createPortForwardingRule ends in a null pointer"]
fn a_device_that_cannot_be_registered_is_told_why() {
    let description = full().without_capability(Capability::PortForwardingProtocols);
    Server::for_device(Registered(description)).assert_registrable();
}
