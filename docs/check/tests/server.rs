//! The stand-in for CloudStack fails where the management server fails.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use netext_book::server::{ApiRefusal, ApiServer};
use netext_core::protocol::{Capability, Service};
use serde_json::{Map, Value, json};

const NULL_POINTER: &str = "Cannot invoke \"String.toLowerCase()\"";

/// The capabilities that the published README of the protocol registers.
fn complete() -> Value {
    json!({
        "Dhcp": {"DhcpAccrossMultipleSubnets": "true"},
        "Dns": {"AllowDnsSuffixModification": "true", "ExternalDns": "true"},
        "UserData": {"Supported": "true"},
        "SourceNat": {"SupportedSourceNatTypes": "peraccount", "RedundantRouter": "false"},
        "StaticNat": {"Supported": "true"},
        "PortForwarding": {"SupportedProtocols": "tcp,udp"},
        "Firewall": {
            "SupportedTrafficDirection": "ingress,egress",
            "SupportedProtocols": "tcp,udp,icmp",
            "SupportedEgressProtocols": "tcp,udp,icmp,all",
            "TrafficStatistics": "per public ip",
            "MultipleIps": "true"
        },
        "Lb": {
            "SupportedProtocols": "tcp,udp,tcp-proxy",
            "SupportedLBAlgorithms": "roundrobin,leastconn,source",
            "SupportedLBIsolation": "dedicated",
            "LbSchemes": "Public"
        },
        "NetworkACL": {"SupportedProtocols": "tcp,udp,icmp"},
        "Gateway": {"RedundantRouter": "false"},
        "CustomAction": {"Supported": "true"}
    })
}

/// An operator who makes calls until one is refused.
struct Operator {
    server: ApiServer,
    network: String,
    address: String,
    action: String,
}

fn entries(list: &str, entries: &[&[(&str, &str)]]) -> Vec<String> {
    let entry = |(number, fields): (usize, &&[(&str, &str)])| {
        fields.iter().map(|(field, value)| format!("{list}[{number}].{field}={value}")).collect::<Vec<_>>()
    };
    entries.iter().enumerate().flat_map(entry).collect()
}

fn providers(services: &str) -> Vec<String> {
    let of_service = |service| vec![("service", service), ("provider", "acme")];
    let all: Vec<_> = services.split(',').map(of_service).collect();
    entries("serviceproviderlist", &all.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

impl Operator {
    /// Registers an extension with these capabilities and creates a network with these services.
    fn new(capabilities: &Value, services: &str) -> Result<Self, (&'static str, ApiRefusal)> {
        let mut it = Self {
            server: ApiServer::default(),
            network: String::new(),
            address: String::new(),
            action: String::new(),
        };
        let all: Vec<_> = Service::ALL.iter().map(|service| service.name()).collect();
        let extension = it.call(
            "createExtension",
            &[
                "name=acme",
                "type=NetworkOrchestrator",
                &format!("details[0].network.services={}", all.join(",")),
                &format!("details[1].network.service.capabilities={capabilities}"),
            ],
        )?;
        let extension_id = format!("extensionid={extension}");
        it.call("registerExtension", &[&extension_id, "resourcetype=PhysicalNetwork", "resourceid=6a3f"])?;
        it.action = it.call("addCustomAction", &[&extension_id, "name=repair"])?;
        let offering = it.offer(services)?;
        it.network = it.create_network(&offering, &[])?;
        it.address = it.call("associateIpAddress", &[&format!("networkid={}", it.network)])?;
        Ok(it)
    }

    /// Makes a call and returns the id of the new object.
    fn call<S: AsRef<str>>(
        &mut self,
        name: &'static str,
        words: &[S],
    ) -> Result<String, (&'static str, ApiRefusal)> {
        let answer =
            self.server.call(name, words.iter().map(AsRef::as_ref)).map_err(|refusal| (name, refusal))?;
        let object = answer.as_object().and_then(|it| it.values().next()).cloned().unwrap_or_default();
        Ok(object["id"].as_str().unwrap_or_default().to_owned())
    }

    fn offer(&mut self, services: &str) -> Result<String, (&'static str, ApiRefusal)> {
        let mut words = providers(services);
        words.push(format!("supportedservices={services}"));
        words.extend(
            ["name=a", "displaytext=a", "guestiptype=Isolated", "traffictype=GUEST"].map(str::to_owned),
        );
        let offering = self.call("createNetworkOffering", &words)?;
        self.call("updateNetworkOffering", &[format!("id={offering}"), "state=Enabled".to_owned()])?;
        Ok(offering)
    }

    fn create_network(
        &mut self,
        offering: &str,
        words: &[&str],
    ) -> Result<String, (&'static str, ApiRefusal)> {
        let offering = format!("networkofferingid={offering}");
        self.call("createNetwork", &[&["name=one", "zoneid=6a3f", &offering], words].concat())
    }

    fn balance(&mut self, protocol: &str) -> Result<String, (&'static str, ApiRefusal)> {
        let (address, protocol) = (format!("publicipid={}", self.address), format!("protocol={protocol}"));
        let ports = ["name=web", "publicport=80", "privateport=80", "algorithm=roundrobin"];
        self.call("createLoadBalancerRule", &[&ports[..], &[&address, &protocol]].concat())
    }

    /// Makes every other call once.
    fn use_all(&mut self) -> Result<(), (&'static str, ApiRefusal)> {
        let (network, address) =
            (format!("networkid={}", self.network), format!("ipaddressid={}", self.address));
        self.call("createFirewallRule", &[&address, "protocol=TCP", "startport=22", "endport=22"])?;
        self.call("createEgressFirewallRule", &[&network, "protocol=all"])?;
        let ports = ["publicport=2222", "privateport=22", "protocol=tcp", "virtualmachineid=6a3f"];
        self.call("createPortForwardingRule", &[&[&*address], &ports[..]].concat())?;
        self.balance("tcp")?;
        self.call("createNetworkACL", &[&network, "protocol=tcp", "number=10"])?;
        let resource = format!("resourceid={}", self.network);
        self.call("runCustomAction", &[&format!("customactionid={}", self.action), &resource])?;
        Ok(())
    }
}

/// Makes every call once, up to the first that is refused.
fn make_every_call(capabilities: &Value) -> Result<(), (&'static str, ApiRefusal)> {
    let services: Vec<_> = Service::ALL.iter().map(|service| service.name()).collect();
    let mut operator = Operator::new(capabilities, &services.join(","))?;
    let offering = operator.offer("Dhcp,Dns")?;
    operator.create_network(&offering, &["networkdomain=example.org"])?;
    operator.use_all()
}

fn without(service: &str, capability: &str) -> Value {
    let mut capabilities = complete();
    let removed = capabilities[service].as_object_mut().and_then(|it: &mut Map<_, _>| it.remove(capability));
    assert!(removed.is_some(), "{service}.{capability} is not in the complete set");
    capabilities
}

#[test]
fn a_complete_registration_allows_every_call() {
    assert_eq!(make_every_call(&complete()), Ok(()));
}

#[test]
fn a_missing_capability_fails_the_call_that_needs_it() {
    let fails: &[(&str, &str, &str, &str)] = &[
        ("Firewall", "SupportedTrafficDirection", "createFirewallRule", NULL_POINTER),
        ("Firewall", "SupportedProtocols", "createFirewallRule", NULL_POINTER),
        ("Firewall", "SupportedEgressProtocols", "createEgressFirewallRule", NULL_POINTER),
        ("PortForwarding", "SupportedProtocols", "createPortForwardingRule", NULL_POINTER),
        ("Lb", "SupportedProtocols", "createLoadBalancerRule", "doesn't have capability SupportedProtocols"),
        (
            "Lb",
            "SupportedLBAlgorithms",
            "createLoadBalancerRule",
            "doesn't have capability SupportedLBAlgorithms",
        ),
        (
            "Lb",
            "SupportedLBIsolation",
            "createNetworkOffering",
            "doesn't have capability SupportedLBIsolation",
        ),
        ("Lb", "LbSchemes", "createNetworkOffering", "doesn't have capability LbSchemes"),
        ("Dns", "AllowDnsSuffixModification", "createNetwork", "Domain name change is not supported"),
        (
            "SourceNat",
            "SupportedSourceNatTypes",
            "createNetworkOffering",
            "doesn't have capability SupportedSourceNat",
        ),
        ("SourceNat", "RedundantRouter", "createNetworkOffering", "doesn't have capability RedundantRouter"),
        (
            "NetworkACL",
            "SupportedProtocols",
            "createNetworkACL",
            "doesn't have capability SupportedProtocols",
        ),
    ];
    // Without these the server offers or sends less, but refuses no call.
    let offered_less: &[(&str, &str)] = &[
        ("Dhcp", "DhcpAccrossMultipleSubnets"),
        ("Dns", "ExternalDns"),
        ("Firewall", "TrafficStatistics"),
        ("Firewall", "MultipleIps"),
    ];
    for (service, capability, call, words) in fails {
        let (refused, why) = make_every_call(&without(service, capability)).unwrap_err();
        assert_eq!(refused, *call, "{service}.{capability}: {why}");
        assert!(why.to_string().contains(words), "{service}.{capability}: {why}");
    }
    for (service, capability) in offered_less {
        assert_eq!(make_every_call(&without(service, capability)), Ok(()), "{service}.{capability}");
    }
    let mut tried: Vec<_> = fails.iter().map(|(service, name, ..)| (*service, *name)).collect();
    tried.extend(offered_less);
    for capability in Capability::ALL.iter().filter(|it| it.without().is_some()) {
        let name = (capability.service().name(), capability.name());
        assert!(
            tried.contains(&name),
            "{name:?}: the server needs it, but this test does not try without it"
        );
    }
}

#[test]
fn a_tier_of_a_vpc_with_a_domain_needs_the_capability_too() {
    for (capabilities, is_made) in [(complete(), true), (without("Dns", "AllowDnsSuffixModification"), false)]
    {
        let mut operator = Operator::new(&capabilities, "Dns,SourceNat").unwrap();
        let services = "Dns,SourceNat,NetworkACL";
        let mut words = providers(services);
        words.extend(["name=v", "displaytext=v"].map(str::to_owned));
        words.push(format!("supportedservices={services}"));
        let vpc_offering = operator.call("createVPCOffering", &words).unwrap();
        operator.call("updateVPCOffering", &[&*format!("id={vpc_offering}"), "state=Enabled"]).unwrap();
        let words =
            ["name=v", "displaytext=v", "cidr=10.1.0.0/16", "zoneid=6a3f", "networkdomain=example.org"];
        let offering = format!("vpcofferingid={vpc_offering}");
        let vpc = operator.call("createVPC", &[&words[..], &[&offering]].concat()).unwrap();
        let offering = operator.offer("Dns,NetworkACL").unwrap();
        let tier = operator.create_network(&offering, &[&format!("vpcid={vpc}")]);
        assert_eq!(tier.is_ok(), is_made, "{tier:?}");
    }
}

#[test]
fn capability_names_ignore_case_and_unknown_ones_do_not_matter() {
    let mut capabilities = Map::new();
    for (service, values) in complete().as_object().unwrap() {
        let values = values.as_object().unwrap().iter();
        let lower: Map<_, _> = values.map(|(name, value)| (name.to_lowercase(), value.clone())).collect();
        capabilities.insert(service.clone(), lower.into());
    }
    capabilities["Lb"]["Telepathy"] = "true".into();
    assert_eq!(make_every_call(&capabilities.into()), Ok(()));
}

#[test]
fn ssl_termination_counts_as_supported_with_any_value() {
    let assigns = |value: Option<&str>| {
        let mut capabilities = complete();
        if let Some(value) = value {
            capabilities["Lb"]["SslTermination"] = value.into();
        }
        let mut operator = Operator::new(&capabilities, "SourceNat,Lb").unwrap();
        let balancer = operator.balance("tcp").unwrap();
        operator.call("assignCertToLoadBalancer", &[&*format!("lbruleid={balancer}"), "certid=6a3f"]).is_ok()
    };
    assert_eq!((assigns(None), assigns(Some("false")), assigns(Some("true"))), (false, true, true));
}

#[test]
fn an_action_on_a_network_needs_the_service_in_its_offering() {
    let run = |services: &str| {
        let mut operator = Operator::new(&complete(), services).unwrap();
        let words =
            [format!("customactionid={}", operator.action), format!("resourceid={}", operator.network)];
        operator.call("runCustomAction", &words)
    };
    assert!(run("SourceNat,CustomAction").is_ok());
    let (_, why) = run("SourceNat").unwrap_err();
    assert!(why.to_string().contains("CustomAction"), "{why}");
}

#[test]
fn a_value_that_is_not_declared_is_refused() {
    let mut capabilities = complete();
    capabilities["Lb"]["SupportedProtocols"] = "tcp".into();
    capabilities["PortForwarding"]["SupportedProtocols"] = "udp".into();
    let mut operator = Operator::new(&capabilities, "SourceNat,Lb,PortForwarding").unwrap();
    assert!(operator.balance("tcp").is_ok());
    assert!(operator.balance("udp").unwrap_err().1.to_string().contains("doesn't support value udp"));
    let address = format!("ipaddressid={}", operator.address);
    let ports = ["publicport=2222", "privateport=22", "protocol=tcp", "virtualmachineid=6a3f", &address];
    let (_, why) = operator.call("createPortForwardingRule", &ports).unwrap_err();
    assert!(why.to_string().contains("Protocol tcp is not supported"), "{why}");
}

#[test]
fn calls_that_no_guide_makes_are_refused() {
    let mut server = ApiServer::default();
    let mut refuses =
        |call: &str, words: &[&str]| server.call(call, words.iter().copied()).unwrap_err().to_string();
    assert!(refuses("destroyEverything", &[]).contains("destroyEverything"));
    assert!(refuses("createNetwork", &["name=one", "zone=1"]).contains("zone is not a parameter"));
    assert!(refuses("createNetwork", &["name="]).contains("has no value"));
    assert!(refuses("createNetwork", &["name=one"]).contains("networkofferingid"));
    assert!(refuses("createNetwork", &["name=one", "zoneid=1", "networkofferingid=9"]).contains("by id 9"));
}
