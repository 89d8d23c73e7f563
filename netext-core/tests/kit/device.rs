//! A server with a device in the test's own process.

use std::sync::Mutex;

use netext_core::protocol::{
    ActionResult, Command, CustomAction, DestroyNetwork, DeviceDetails, EnsureNetworkDevice,
    ImplementNetwork, Network, NetworkId, NetworkUpdate, Secret, Sender, Service, ShutdownNetwork,
    ShutdownVpc,
};
use netext_core::testing::{Payload, Server, ServerVerdict};
use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};
use serde_json::json;

/// Notes every command with its details, and chooses the first registered host.
#[derive(Default)]
struct Notebook(Mutex<Vec<String>>);

impl Notebook {
    fn note(&self, context: &Context) {
        let details = serde_json::to_string(context.device_details()).unwrap();
        self.0.lock().unwrap().push(format!("{} {details}", context.command()));
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[async_trait]
impl NetworkDevice for Notebook {
    fn describe(&self) -> Description {
        Description::new("notebook", "1").service(Service::CustomAction).vpc()
    }

    async fn ensure_network_device(
        &self,
        context: &Context,
        _: EnsureNetworkDevice,
    ) -> Result<Option<DeviceDetails>, DeviceError> {
        self.note(context);
        let hosts = context.physical_details().hosts();
        let host = hosts.first().ok_or_else(|| DeviceError::invalid("register `hosts`"))?;
        Ok(Some(DeviceDetails::default().with("host", *host)))
    }

    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>, DeviceError> {
        self.note(context);
        Ok(request.network.vlan.is_none().then(|| NetworkUpdate::new("Vlan", "vlan://12")))
    }

    async fn shutdown_network(&self, context: &Context, _: ShutdownNetwork) -> Result<(), DeviceError> {
        self.note(context);
        Ok(())
    }

    async fn destroy_network(&self, context: &Context, _: DestroyNetwork) -> Result<(), DeviceError> {
        self.note(context);
        Ok(())
    }

    async fn shutdown_vpc(&self, context: &Context, _: ShutdownVpc) -> Result<(), DeviceError> {
        self.note(context);
        Ok(())
    }

    async fn custom_action(&self, _: &Context, request: CustomAction) -> Result<ActionResult, DeviceError> {
        Ok(ActionResult::text(request.parameters.get("say").unwrap_or_default()))
    }
}

fn network() -> Network {
    Network::new(NetworkId::new(209))
}

#[test]
fn ensure_network_device_is_sent_as_by_the_server_and_its_details_are_passed_on() {
    let server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10,192.0.2.11");
    server.implement_network(ImplementNetwork::new(network())).succeeds();
    server.shutdown_network(ShutdownNetwork::new(network())).succeeds_silently();
    server.destroy_network(DestroyNetwork::new(network())).succeeds_silently();
    assert_eq!(
        server.device().notes(),
        [
            "ensure-network-device {}",
            r#"ensure-network-device {"host":"192.0.2.10"}"#,
            r#"implement-network {"host":"192.0.2.10"}"#,
            r#"ensure-network-device {"host":"192.0.2.10"}"#,
            r#"shutdown-network {"host":"192.0.2.10"}"#,
            "ensure-network-device {}",
            r#"destroy-network {"host":"192.0.2.10"}"#,
        ]
    );
}

#[test]
fn a_command_is_sent_although_ensure_network_device_fails() {
    let server = Server::for_device(Notebook::default());
    let (ensured, judged) = server.exchange(&Payload::sample(Command::ShutdownNetwork));
    let verdicts: Vec<_> = ensured.into_iter().map(|judged| judged.verdict).collect();
    assert_eq!(verdicts, [ServerVerdict::Failed("exit code 1: register `hosts`".to_owned())]);
    judged.succeeds_silently();
    assert_eq!(server.device().notes().last().unwrap(), "shutdown-network {}");
}

#[test]
fn networks_have_details_of_their_own() {
    let mut server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10");
    server.send(Payload::sample(Command::ShutdownNetwork).with("network_id", "1"));
    server.register("hosts", "192.0.2.11");
    let other = Payload::sample(Command::ImplementNetwork).with("network_id", "2");
    server.send(&other).succeeds();
    assert_eq!(server.details_for(&other), json!({"host": "192.0.2.11"}));
    assert_eq!(server.details_for(&other.with("network_id", 1)), json!({}));
}

#[test]
fn the_tiers_of_a_vpc_share_its_device() {
    let server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10");
    let (tier, vpc) =
        (Payload::sample_named("implement-network.tier"), Payload::sample(Command::ImplementVpc));
    assert_eq!(server.ensuring(&tier).field("network_id"), None);

    server.send(&tier).succeeds();
    assert_eq!(server.details_for(&vpc), json!({"host": "192.0.2.10"}));
    server
        .send(Payload::sample(Command::DestroyNetwork).with("network_id", "231").with("vpc_id", "7"))
        .succeeds();
    assert_eq!(server.details_for(&tier), json!({"host": "192.0.2.10"}));
    server.send(Payload::sample(Command::ShutdownVpc)).succeeds_silently();
    assert_eq!(server.details_for(&tier), json!({}));
}

#[test]
fn some_commands_are_sent_without_ensure_network_device() {
    let server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10");
    server.send(Payload::sample(Command::ImplementVpc)).fails_with(5);
    for command in [Command::CustomAction, Command::UpdateVpcSourceNatIp, Command::ShutdownVpc] {
        assert_eq!(server.exchange(&Payload::sample(command)).0.len(), 0, "{command}");
    }
    // The stored details are passed nevertheless.
    assert_eq!(
        server.device().notes(),
        ["ensure-network-device {}", r#"shutdown-vpc {"host":"192.0.2.10"}"#]
    );
}

#[test]
fn the_device_of_a_tier_is_known_although_the_readme_does_not_name_its_vpc() {
    let server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10").style(Sender::Readme);
    let tier = Payload::sample_named("implement-network.tier");
    server.send(&tier).succeeds();
    let end = Payload::sample(Command::DestroyNetwork).with("vpc_id", "7");
    assert_eq!(server.document(&end)["payload"], json!({"network_id": "209", "vlan": "1910"}));
    server.send(end).succeeds_silently();
    assert_eq!(server.device().notes().last().unwrap(), r#"destroy-network {"host":"192.0.2.10"}"#);
    assert_eq!(server.details_for(&tier), json!({"host": "192.0.2.10"}));
}

#[test]
fn responses_are_judged_as_the_server_judges_them() {
    let server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10");
    let say = |text: &str| {
        server.send(Payload::sample(Command::CustomAction).with("action-params", json!({ "say": text })))
    };
    say("two\nlines").answers("two\nlines");
    say(r#"{"status":"success","message":"done"}"#).succeeds();
    // The runner refuses this response.
    say(r#"{"status":"failed"}"#).fails_with(70);

    let update = server.send(Payload::sample(Command::ImplementNetwork).without("vlan"));
    assert_eq!(update.succeeds().network_update().unwrap().broadcast_uri, "vlan://12");
    server.send(Payload::empty(Command::ImplementNetwork)).is_refused_naming(&["network_id"]);
}

#[test]
fn secrets_arrive_although_gson_escapes_characters() {
    let server = Server::for_device(Notebook::default()).detail("hosts", "192.0.2.10");
    let secret = "a=b&c\u{2028}<d>'";
    let mut request = CustomAction::new(network().into(), "say");
    request.parameters = [("say".to_owned(), Secret::from(secret))].into_iter().collect();
    let said = server.custom_action(request);
    assert_eq!(said.response.output, format!("{secret}\n"));
}
