//! The payloads of the published README, field by field.

use netext_protocol::{
    Command, FirewallSubject, MacAddr, Nic, NicIdentity, Request, Segment, Subject, Traffic, VpcId,
};

use crate::wire::{parse, parsed, sample};

const UUID: &str = "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e5f";

fn readme(name: &str) -> serde_json::Value {
    sample(&format!("readme/{name}"))
}

#[test]
fn a_nic_is_identified_by_the_best_field_present() {
    let mac = NicIdentity::Mac(MacAddr::new([2, 0, 0, 0, 0, 1]));
    let address = NicIdentity::Address([10, 0, 0, 10].into());
    let identity = |nic: &Nic| nic.identity();
    assert_eq!(identity(&parsed!(PrepareNic, readme("prepare-nic")).nic), Some(mac.clone()));
    assert_eq!(identity(&parsed!(AddDhcpEntry, readme("add-dhcp-entry.nouuid")).nic), Some(mac));
    assert_eq!(identity(&parsed!(AddDnsEntry, readme("add-dns-entry")).nic), Some(address.clone()));
    assert_eq!(identity(&parsed!(RemoveDnsEntry, readme("remove-dns-entry")).nic), Some(address.clone()));
    assert_eq!(identity(&parsed!(SavePassword, readme("save-password")).nic), Some(address));
    let uuid = NicIdentity::Uuid(UUID.parse().unwrap());
    assert_eq!(identity(&parsed!(ConfigDhcpSubnet, readme("config-dhcp-subnet.uuid")).nic), Some(uuid));
    assert_eq!(identity(&parsed!(ConfigDhcpSubnet, readme("config-dhcp-subnet")).nic), None);
    assert_eq!(identity(&Nic::new().nic_id(71)), Some(NicIdentity::Id(71.into())));
    let ipv6 = std::net::Ipv6Addr::LOCALHOST;
    assert_eq!(identity(&Nic::new().ip6_address(ipv6).nic_id(71)), Some(NicIdentity::Address(ipv6.into())));
}

#[test]
fn a_command_that_needs_a_field_names_it() {
    let nic = parsed!(AddDnsEntry, readme("add-dns-entry")).nic;
    let missing = nic.require_mac().unwrap_err();
    assert_eq!(missing.field(), "mac");
    assert!(missing.to_string().starts_with("payload.mac: missing"), "{missing}");
    assert_eq!(nic.require_ip().unwrap(), std::net::Ipv4Addr::new(10, 0, 0, 10));
    assert_eq!(Nic::new().require_ip().unwrap_err().field(), "ip");
}

#[test]
fn the_nic_has_its_ipv6_addresses_under_the_names_of_the_readme() {
    let nic = parsed!(PrepareNic, readme("prepare-nic")).nic;
    assert_eq!(nic.ip6_address.unwrap().to_string(), "2001:db8::10");
    assert_eq!(nic.ip6_gateway.unwrap().to_string(), "2001:db8::1");
    assert_eq!(nic.ip6_cidr.unwrap().to_string(), "2001:db8::/64");
    assert_eq!(nic.default_nic, Some(true));
}

#[test]
fn fields_that_the_readme_leaves_out_are_absent() {
    let request = parsed!(AddDnsEntry, readme("add-dns-entry"));
    assert_eq!(request.network, netext_protocol::Network::new(42));
    assert!(request.resolvers.domain.is_none() && request.resolvers.dns.is_empty());
    assert_eq!(request.hostname.unwrap().as_str(), "vm-1");
    assert_eq!(request.extension_ip.unwrap().to_string(), "10.0.0.1");
}

#[test]
fn a_vpc_has_its_range_under_either_name() {
    let of = |name: &str| parsed!(ImplementVpc, readme(name)).vpc.vpc_cidr.unwrap().to_string();
    assert_eq!((of("implement-vpc"), of("implement-vpc.cidr")), ("10.0.0.0/16".into(), "10.0.0.0/16".into()));
    let subject = parsed!(EnsureNetworkDevice, readme("ensure-network-device.vpc")).subject;
    assert_eq!(subject.vpc_id(), Some(VpcId::new(7)));
    assert!(matches!(subject, Subject::Vpc(_)));
}

#[test]
fn rule_lists_are_the_same_in_every_form() {
    let rules = |name: &str| parsed!(ApplyFwRules, readme(name)).fw_rules;
    let meant = rules("apply-fw-rules");
    assert!(meant.default_egress_allow && meant.rules.len() == 2);
    assert_eq!(meant.rules[0].subject, FirewallSubject::Ingress { public_ip: [203, 0, 113, 5].into() });
    assert_eq!(meant.rules[0].traffic, Traffic::Tcp(22.into()));
    assert_eq!((rules("apply-fw-rules.string"), rules("apply-fw-rules.base64")), (meant.clone(), meant));

    let items = |name: &str| parsed!(ApplyNetworkAcl, readme(name)).acl_rules;
    assert_eq!(items("apply-network-acl").len(), 2);
    assert_eq!(items("apply-network-acl.base64"), items("apply-network-acl"));

    let balancers = |name: &str| parsed!(ApplyLbRules, readme(name)).lb_rules;
    assert_eq!(balancers("apply-lb-rules")[0].backends.len(), 2);
    assert_eq!(balancers("apply-lb-rules.string"), balancers("apply-lb-rules"));
}

#[test]
fn contents_are_the_same_in_every_form() {
    let files = |name: &str| parsed!(SaveVmData, readme(name)).vm_data;
    assert_eq!(files("save-vm-data")[3].file, "public-keys/0/openssh-key");
    assert_eq!(files("save-vm-data")[3].content.expose(), b"k");
    assert_eq!(files("save-vm-data.base64"), files("save-vm-data"));

    let restored = |name: &str| parsed!(RestoreNetwork, readme(name)).restore_data;
    assert_eq!(restored("restore-network").vms[0].vm_data[0].content.expose(), b"x");
    assert_eq!(restored("restore-network.base64"), restored("restore-network"));
}

#[test]
fn every_other_readme_sample_reads_its_own_fields() {
    let request = parsed!(AddPortForward, readme("add-port-forward"));
    assert_eq!(request.public.public_vlan, Some(Segment::Vlan(101)));
    assert_eq!(request.public.public_cidr.unwrap().to_string(), "203.0.113.5/24");
    assert_eq!(parsed!(DeletePortForward, readme("delete-port-forward")).forward.public_port.count(), 11);
    let options = parsed!(SetDhcpOptions, readme("set-dhcp-options")).options.unwrap();
    assert_eq!((options.get(15), options.get(119)), (Some("example.com"), Some("search.example.com")));
    let Request::CustomAction(action) = parse(Command::CustomAction, &readme("custom-action.vpc")).request
    else {
        unreachable!()
    };
    assert_eq!((action.action.as_str(), action.parameters.get("a")), ("dump-config", Some("b")));
}
