//! Every request can be constructed outside the crate, with all of its fields.

use netext_protocol::*;

/// A request with every field set, constructed as a vendor's test or another backend would.
trait Construct {
    fn construct() -> Self;
}

fn v<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().unwrap()
}

fn network() -> Network {
    Network::new(209)
        .vlan(Segment::Vlan(1910))
        .zone_id(1)
        .guest_type(GuestType::Isolated)
        .network_state(NetworkState::Implemented)
        .gateway([10, 1, 1, 1])
        .cidr(v::<ipnet::Ipv4Net>("10.1.1.0/24"))
        .vpc_id(7)
        .network_ip6_gateway(v::<std::net::Ipv6Addr>("2001:db8:1::1"))
        .network_ip6_cidr(v::<ipnet::Ipv6Net>("2001:db8:1::/64"))
}

fn vpc() -> Vpc {
    Vpc::new(7).zone_id(1).vpc_state(VpcState::Enabled).vpc_cidr(v::<ipnet::Ipv4Net>("10.2.0.0/16"))
}

const MAC: MacAddr = MacAddr::new([2, 1, 0, 0xd1, 0, 10]);

fn nic() -> Nic {
    Nic::new()
        .nic_id(71)
        .mac(MAC)
        .nic_uuid(v::<NicUuid>("5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e5f"))
        .ip([10, 1, 1, 10])
        .netmask([255, 255, 255, 0])
        .default_nic(true)
        .device_id(0_u32)
        .ip6_address(v::<std::net::Ipv6Addr>("2001:db8:1::b"))
        .ip6_gateway(v::<std::net::Ipv6Addr>("2001:db8:1::1"))
        .ip6_cidr(v::<ipnet::Ipv6Net>("2001:db8:1::/64"))
}

fn public() -> PublicIp {
    PublicIp::new([198, 51, 100, 10])
        .public_vlan(Segment::Untagged)
        .public_gateway([198, 51, 100, 1])
        .public_cidr(v::<ipnet::Ipv4Net>("198.51.100.10/24"))
        .source_nat(true)
}

fn resolvers() -> Resolvers {
    Resolvers::new()
        .dns(v::<AddressList>("198.51.100.53"))
        .dns6(v::<AddressList>("2001:db8::53"))
        .domain(v::<DomainName>("cs1.internal"))
}

fn forward() -> PortForward {
    PortForward::new(PortRange::new(8080, 8090).unwrap(), [10, 1, 1, 10], 80, TransportProtocol::Tcp)
}

fn instance_data() -> Vec<VmDataEntry> {
    vec![VmDataEntry::new("userdata", "user_data").content("#!/bin/sh\n")]
}

const EXTENSION_IP: [u8; 4] = [10, 1, 1, 1];

macro_rules! construct {
    ($($type:ident => $request:expr;)*) => {$(
        impl Construct for $type {
            fn construct() -> Self {
                $request
            }
        }
    )*};
}

construct! {
    EnsureNetworkDevice => EnsureNetworkDevice::new(network().into())
        .current_details(DeviceDetails::default().with("host", "192.0.2.10"));
    ImplementNetwork => ImplementNetwork::new(network()).extension_ip(EXTENSION_IP);
    ShutdownNetwork => ShutdownNetwork::new(network());
    DestroyNetwork => DestroyNetwork::new(network());
    RestoreNetwork => {
        let vm = RestoredVm::new(MAC)
            .ip([10, 1, 1, 10])
            .ip6_address(v::<std::net::Ipv6Addr>("2001:db8:1::b"))
            .nic_uuid(v::<NicUuid>("5c1e6e5a"))
            .hostname(v::<HostName>("web-1"))
            .device_id(0_u32)
            .default_nic(true)
            .dns(v::<AddressList>("198.51.100.53"))
            .domain(v::<DomainName>("cs1.internal"))
            .vm_data(instance_data());
        let data = RestoreData::new(vec![vm]).dhcp_enabled(true).dns_enabled(true).userdata_enabled(true);
        RestoreNetwork::new(network(), resolvers(), data).extension_ip(EXTENSION_IP)
    };
    ImplementVpc => ImplementVpc::new(vpc()).public(public());
    ShutdownVpc => ShutdownVpc::new(vpc());
    DestroyVpc => DestroyVpc::new(vpc());
    UpdateVpcSourceNatIp => UpdateVpcSourceNatIp::new(vpc(), public());
    AssignIp => AssignIp::new(network(), public());
    ReleaseIp => ReleaseIp::new(network(), public());
    AddStaticNat => AddStaticNat::new(network(), public(), [10, 1, 1, 10]);
    DeleteStaticNat => DeleteStaticNat::new(network(), public(), [10, 1, 1, 10]);
    AddPortForward => AddPortForward::new(network(), public(), forward());
    DeletePortForward => DeletePortForward::new(network(), public(), forward());
    ApplyFwRules => {
        let to = FirewallSubject::Ingress { public_ip: [198, 51, 100, 10].into() };
        let from_anywhere = vec![v::<ipnet::IpNet>("0.0.0.0/0")];
        let rules = vec![
            FirewallRule::new(to, Traffic::Tcp(22.into()), from_anywhere).id(41_u64),
            FirewallRule::new(FirewallSubject::Egress, Traffic::All, vec![])
                .dest_cidrs(vec![v::<ipnet::IpNet>("203.0.113.0/24")]),
        ];
        ApplyFwRules::new(network(), FirewallRules::new(false, rules).cidr(v::<ipnet::Ipv4Net>("10.1.1.0/24")))
    };
    ApplyNetworkAcl => {
        let ping = Traffic::Icmp { icmp_type: Some(8), icmp_code: None };
        let item = AclRule::new(ping, 10_u32, AclAction::Allow, Direction::Ingress, vec![])
            .id(3_u64)
            .dest_cidrs(vec![]);
        ApplyNetworkAcl::new(network(), vec![item])
    };
    PrepareNic => PrepareNic::new(network(), nic()).extension_ip(EXTENSION_IP).hostname(v::<HostName>("web-1"));
    ReleaseNic => ReleaseNic::new(network(), nic()).extension_ip(EXTENSION_IP);
    ConfigDhcpSubnet => ConfigDhcpSubnet::new(network(), nic(), resolvers()).extension_ip(EXTENSION_IP);
    RemoveDhcpSubnet => RemoveDhcpSubnet::new(network()).extension_ip(EXTENSION_IP);
    AddDhcpEntry => AddDhcpEntry::new(network(), nic(), resolvers())
        .extension_ip(EXTENSION_IP)
        .hostname(v::<HostName>("web-1"));
    RemoveDhcpEntry => RemoveDhcpEntry::new(network(), nic()).extension_ip(EXTENSION_IP);
    SetDhcpOptions => SetDhcpOptions::new(network(), 71)
        .extension_ip(EXTENSION_IP)
        .options(DhcpOptions::from_iter([(26, "1400".to_owned())]));
    ConfigDnsSubnet => ConfigDnsSubnet::new(network(), nic(), resolvers()).extension_ip(EXTENSION_IP);
    RemoveDnsSubnet => RemoveDnsSubnet::new(network(), resolvers()).extension_ip(EXTENSION_IP);
    AddDnsEntry => AddDnsEntry::new(network(), nic(), resolvers())
        .extension_ip(EXTENSION_IP)
        .hostname(v::<HostName>("web-1"));
    RemoveDnsEntry => RemoveDnsEntry::new(network(), nic(), resolvers()).extension_ip(EXTENSION_IP);
    SaveVmData => SaveVmData::new(network(), nic(), instance_data()).extension_ip(EXTENSION_IP);
    SavePassword => SavePassword::new(network(), nic(), "kE3=p&x9").extension_ip(EXTENSION_IP);
    SaveUserdata => SaveUserdata::new(network(), nic()).userdata("#!/bin/sh\n").extension_ip(EXTENSION_IP);
    SaveSshkey => SaveSshkey::new(network(), nic(), "ssh-ed25519 AAAA").extension_ip(EXTENSION_IP);
    SaveHypervisorHostname => SaveHypervisorHostname::new(network(), nic(), "kvm-1").extension_ip(EXTENSION_IP);
    ApplyLbRules => {
        let member = LoadBalancerMember::new([10, 1, 1, 10]).port(8080_u16).revoked(false);
        let (protocol, algorithm) = (LoadBalancerProtocol::TcpProxy, LoadBalancerAlgorithm::LeastConn);
        let rule = LoadBalancerRule::new(9_u64, [198, 51, 100, 10], 80_u16, 8080_u16, protocol, algorithm)
            .name("lb-web")
            .revoke(false)
            .backends(vec![member]);
        ApplyLbRules::new(network(), vec![rule])
    };
    CustomAction => CustomAction::new(vpc().into(), "dump-config")
        .parameters(ActionParameters::from_iter([("format".to_owned(), "json".into())]));
}

macro_rules! constructed {
    ($($(#[$doc:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        fn constructed() -> Vec<Request> {
            vec![$(<$variant as Construct>::construct().into()),*]
        }
    };
}
for_each_command!(constructed);

fn envelope(request: Request) -> Envelope<Request> {
    let mut physical = PhysicalDetails::default();
    physical.insert("password", "kE3=p&x9");
    Envelope::new(request)
        .physical_details(physical)
        .device_details(DeviceDetails::default().with("namespace", "cs-net-209"))
}

#[test]
fn every_command_has_a_request_that_can_be_made_and_written() {
    let commands: Vec<_> = constructed().iter().map(Request::command).collect();
    assert_eq!(commands, Command::ALL);
    for request in constructed() {
        let envelope = envelope(request);
        let again = Envelope::parse(envelope.request.command(), envelope.to_json().as_bytes());
        assert_eq!(again, Ok(envelope));
    }
}

/// Fields that no constructed request has: second spellings, and fields of the other kind of subject.
#[cfg(feature = "schema")]
const NOT_WRITTEN: [&str; 7] = [
    "nic_ip6_address",
    "nic_ip6_gateway",
    "nic_ip6_cidr",
    "cidr",
    "action_params",
    "physical_network_extension_details",
    "network_extension_details",
];

#[cfg(feature = "schema")]
#[test]
fn a_constructed_request_writes_every_field_that_its_schema_has() {
    use serde_json::Value;

    for request in constructed() {
        let command = request.command();
        let either = command.scope() == Scope::Either;
        let file: Value = serde_json::from_str(&envelope(request).to_json()).unwrap();
        let schema = Value::from(schema::request_schema(command, schema::Form::Lenient));
        let (payload, properties) = if command == Command::CustomAction {
            (&file, &schema["properties"])
        } else {
            (&file["payload"], &schema["properties"]["payload"]["properties"])
        };
        assert!(properties.as_object().unwrap().len() >= 3, "{command}");
        for field in properties.as_object().unwrap().keys() {
            let written = payload.get(field).is_some() || NOT_WRITTEN.contains(&field.as_str()) || either;
            assert!(written, "{command}: {field} has no setter in this test");
        }
    }
}

#[test]
fn unknown_fields_can_be_added() {
    let mut request = AssignIp::construct();
    request.extra.insert("x-mtu", 9000);
    assert!(Envelope::new(Request::from(request)).to_json().contains(r#""x-mtu":9000"#));
}

#[test]
fn responses_can_be_made() {
    fn json(response: &impl serde::Serialize) -> String {
        serde_json::to_string(response).unwrap()
    }
    assert_eq!(
        json(&NetworkUpdate::new("Vlan", "vlan://1910")),
        r#"{"network.broadcast_domain_type":"Vlan","network.broadcast_uri":"vlan://1910"}"#,
    );
    assert_eq!(json(&DeviceDetails::default().with("host", "192.0.2.10")), r#"{"host":"192.0.2.10"}"#);
    assert_eq!(
        json(&ActionResult::message("done")),
        r#"{"message":"done","printmessage":"true","status":"success"}"#,
    );
    assert_eq!(
        json(&ActionResult::rows(vec![])),
        r#"{"message":[],"printmessage":"true","status":"success"}"#
    );
}
