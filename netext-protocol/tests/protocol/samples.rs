//! Every sample payload parses to its own values, and survives being written and read again.

use netext_protocol::{
    Command, Direction, Envelope, FirewallSubject, GuestType, NetworkState, PortRange, Request, Segment,
    Subject, Traffic, TransportProtocol, VpcId, VpcState,
};

use crate::wire::{parse, parsed, sample, samples};

#[test]
fn every_command_has_a_sample() {
    for &command in Command::ALL {
        assert!(samples().iter().any(|sample| sample.command == command), "{command}");
    }
}

#[cfg(feature = "samples")]
#[test]
fn the_table_of_samples_is_the_folder_of_samples() {
    use netext_protocol::Sample;

    let mut table: Vec<_> = Sample::all().collect();
    table.sort_by_key(Sample::name);
    let mut folder = samples();
    folder.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(table.len(), folder.len());
    for (listed, sample) in table.iter().zip(&folder) {
        assert_eq!(listed.name(), sample.name);
        assert_eq!(listed.command(), sample.command, "{}", sample.name);
        assert_eq!(listed.text().as_bytes(), sample.file, "{}", sample.name);
        assert_eq!(Sample::named(&sample.name), Some(*listed));
    }
}

#[test]
fn every_sample_round_trips_without_unknown_fields() {
    for sample in samples() {
        let envelope = Envelope::parse(sample.command, &sample.file)
            .unwrap_or_else(|error| panic!("{}: {error}", sample.name));
        assert_eq!(envelope.request.command(), sample.command, "{}", sample.name);
        assert!(envelope.extra.is_empty(), "{}: {:?}", sample.name, envelope.extra);
        assert!(!envelope.to_json().contains("extra"), "{}", sample.name);

        let again: Envelope<Request> =
            Envelope::parse(sample.command, envelope.to_json().as_bytes()).unwrap();
        assert_eq!(again, envelope, "{}", sample.name);
    }
}

#[test]
fn the_details_of_a_sample_are_read() {
    let envelope = parse(Command::AssignIp, &sample("assign-ip"));
    let physical = envelope.physical_details;
    assert_eq!(physical.hosts(), ["192.0.2.10", "192.0.2.11"]);
    assert_eq!(physical.username(), Some("root"));
    assert_eq!(physical.port(), Ok(Some(22)));
    assert_eq!(physical.guest_device(), Some("eth1"));
    assert_eq!(physical.public_device(), Some("eth1"));
    assert_eq!(physical.physical_network_name(), Some("Physical Network 1"));
    assert!(physical.ssh_key().unwrap().expose().contains("\nbm90LWEta2V5LWp1c3QtYS1zYW1wbGU=\n"));
    assert_eq!(envelope.device_details.get_str("namespace"), Some("cs-net-209"));
}

#[test]
fn a_network_is_read() {
    let network = parsed!(ImplementNetwork, sample("implement-network.dualstack")).network;
    assert_eq!(network.network_id.get(), 209);
    assert_eq!(network.vlan, Some(Segment::Vlan(1910)));
    assert_eq!(network.zone_id.map(netext_protocol::ZoneId::get), Some(1));
    assert_eq!(network.guest_type, Some(GuestType::Isolated));
    assert_eq!(network.network_state, Some(NetworkState::Implemented));
    assert_eq!(network.gateway, Some("10.1.1.1".parse().unwrap()));
    assert_eq!(network.cidr, Some("10.1.1.0/24".parse().unwrap()));
    assert_eq!(network.vpc_id, None);
    assert_eq!(network.network_ip6_gateway, Some("2001:db8:1::1".parse().unwrap()));
    assert_eq!(network.network_ip6_cidr, Some("2001:db8:1::/64".parse().unwrap()));
}

#[test]
fn a_flat_network_has_no_segment_and_no_addresses() {
    let request = parsed!(ImplementNetwork, sample("implement-network.l2"));
    assert_eq!(request.network.guest_type, Some(GuestType::L2));
    assert_eq!(request.network.vlan, None);
    assert_eq!(request.network.gateway, None);
    assert_eq!(request.extension_ip, None);
}

#[test]
fn a_tier_knows_its_vpc() {
    let request = parsed!(ImplementNetwork, sample("implement-network.tier"));
    assert_eq!(request.network.vpc_id, Some(VpcId::new(7)));
}

#[test]
fn a_shared_network_has_an_extension_address_of_its_own() {
    let request = parsed!(PrepareNic, sample("prepare-nic.shared"));
    assert_eq!(request.network.guest_type, Some(GuestType::Shared));
    assert_eq!(request.network.gateway, Some("172.31.42.1".parse().unwrap()));
    assert_eq!(request.extension_ip, Some("172.31.42.200".parse().unwrap()));
    assert_eq!(request.hostname.unwrap().as_str(), "db-1");
}

#[test]
fn booleans_and_numbers_arrive_as_texts() {
    let first = parsed!(AddDhcpEntry, sample("add-dhcp-entry")).nic;
    assert_eq!((first.default_nic, first.device_id), (Some(true), Some(0)));
    let second = parsed!(AddDhcpEntry, sample("add-dhcp-entry.secondary"));
    assert_eq!((second.nic.default_nic, second.nic.device_id), (Some(false), Some(1)));
    assert_eq!(second.nic.mac.unwrap().to_string(), "02:01:00:d1:00:0b");
    assert_eq!(second.nic.netmask, Some("255.255.255.0".parse().unwrap()));
    assert_eq!(second.nic.ip6_address, Some("2001:db8:1::b".parse().unwrap()));
    assert_eq!(second.nic.ip6_gateway, Some("2001:db8:1::1".parse().unwrap()));
    assert_eq!(second.nic.ip6_cidr, Some("2001:db8:1::/64".parse().unwrap()));
    assert_eq!(second.nic.nic_uuid.unwrap().as_str(), "5c1e6e5a-3c58-4a0a-9a75-0a1b2c3d4e5f");
    assert_eq!(second.resolvers.dns.to_string(), "198.51.100.53,198.51.100.54");
    assert_eq!(second.resolvers.domain.unwrap().as_str(), "cs1.internal");
}

#[test]
fn a_public_address_keeps_its_prefix_length() {
    let public = parsed!(AssignIp, sample("assign-ip")).public;
    assert_eq!(public.public_ip.to_string(), "198.51.100.10");
    assert_eq!(public.public_vlan, Some(Segment::Vlan(101)));
    assert_eq!(public.public_cidr.unwrap().to_string(), "198.51.100.10/24");
    assert_eq!(public.public_cidr.unwrap().trunc().to_string(), "198.51.100.0/24");
    assert!(public.is_source_nat());
    assert!(!parsed!(ReleaseIp, sample("release-ip")).public.is_source_nat());
}

#[test]
fn an_untagged_public_segment_is_read() {
    let public = parsed!(AssignIp, sample("assign-ip.untagged")).public;
    assert_eq!(public.public_vlan, Some(Segment::Untagged));
}

#[test]
fn a_port_forward_may_be_a_range() {
    let forward = parsed!(AddPortForward, sample("add-port-forward.range")).forward;
    assert_eq!(forward.public_port, PortRange::new(8080, 8090).unwrap());
    assert_eq!(forward.private_port, PortRange::new(8080, 8090).unwrap());
    assert_eq!(forward.private_ip.to_string(), "10.1.1.10");
    assert_eq!(forward.protocol, TransportProtocol::Udp);

    let forward = parsed!(DeletePortForward, sample("delete-port-forward")).forward;
    assert_eq!(forward.public_port, PortRange::single(2222));
    assert_eq!(forward.private_port, PortRange::single(22));
    assert_eq!(forward.protocol, TransportProtocol::Tcp);
}

#[test]
fn firewall_rules_are_read() {
    let rules = parsed!(ApplyFwRules, sample("apply-fw-rules")).fw_rules;
    assert!(!rules.default_egress_allow);
    assert_eq!(rules.cidr, Some("10.1.1.0/24".parse().unwrap()));
    let [ssh, range, ping, dns, all] = &rules.rules[..] else { panic!("five rules") };

    let to = |address: &str| FirewallSubject::Ingress { public_ip: address.parse().unwrap() };
    assert_eq!((ssh.id, ssh.subject), (Some(41), to("198.51.100.10")));
    assert_eq!(ssh.traffic, Traffic::Tcp(22.into()));
    assert_eq!(range.traffic, Traffic::Tcp(PortRange::new(8000, 8100).unwrap()));
    let sources: Vec<_> = range.source_cidrs.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["203.0.113.0/24", "192.0.2.77/32"]);
    assert_eq!(ping.traffic, Traffic::Icmp { icmp_type: None, icmp_code: None });
    assert_eq!((dns.subject, dns.traffic), (FirewallSubject::Egress, Traffic::Udp(53.into())));
    assert_eq!(all.traffic, Traffic::All);
    assert_eq!(all.dest_cidrs, ["203.0.113.0/24".parse().unwrap()]);
}

#[test]
fn access_lists_are_read() {
    let items = parsed!(ApplyNetworkAcl, sample("apply-network-acl")).acl_rules;
    assert_eq!(items.iter().map(|item| item.number).collect::<Vec<_>>(), [5, 10, 20, 25, 30]);
    assert_eq!(items[3].traffic, Traffic::Protocol(47));
    assert_eq!((items[4].direction, items[4].traffic), (Direction::Egress, Traffic::All));
}

#[test]
fn load_balancer_rules_are_read() {
    let rules = parsed!(ApplyLbRules, sample("apply-lb-rules")).lb_rules;
    let [web, dns, old] = &rules[..] else { panic!("three rules") };
    assert_eq!((web.id, web.name.as_deref()), (9, Some("lb-web")));
    assert_eq!((web.public_port, web.private_port, web.revoke), (80, 8080, false));
    assert_eq!(web.backends.iter().map(|member| member.revoked).collect::<Vec<_>>(), [false, true]);
    assert_eq!((dns.protocol.to_string(), dns.algorithm.to_string()), ("udp".into(), "source".into()));
    assert!(old.revoke && old.backends.is_empty());
}

#[test]
fn gson_escapes_are_plain_text_again() {
    let password = parsed!(SavePassword, sample("save-password")).password;
    assert_eq!(password.expose(), "kE3=p&x9'<>");
    let userdata = parsed!(SaveUserdata, sample("save-userdata")).userdata;
    assert_eq!(userdata.expose(), "#!/bin/sh\necho 'hi' > /tmp/x && true\n");
}

#[test]
fn instance_data_is_read_byte_for_byte() {
    let files = parsed!(SaveVmData, sample("save-vm-data")).vm_data;
    let content =
        |file: &str| files.iter().find(|entry| entry.file == file).unwrap().content.expose_text().unwrap();
    assert_eq!(files[0].dir, "userdata");
    assert!(content("user_data").ends_with("content: 'a=b & c<d>'\n"));
    assert_eq!(content("availability-zone"), "zone-é-1");
    assert_eq!(content("vm_password"), "kE3=p&x9");
}

#[test]
fn a_restore_names_every_instance() {
    let request = parsed!(RestoreNetwork, sample("restore-network"));
    let data = request.restore_data;
    assert_eq!([data.dhcp_enabled, data.dns_enabled, data.userdata_enabled], [Some(true); 3]);
    let [first, second] = &data.vms[..] else { panic!("two instances") };
    assert_eq!((first.ip6_address, first.default_nic, first.device_id), (None, Some(true), Some(0)));
    assert_eq!(first.vm_data.len(), 12);
    assert_eq!(second.ip6_address, Some("2001:db8:1::b".parse().unwrap()));
    assert_eq!((second.default_nic, second.device_id), (Some(false), Some(1)));
    assert!(second.vm_data.is_empty());
}

#[test]
fn a_device_is_chosen_for_a_network_or_a_vpc() {
    let network = parsed!(EnsureNetworkDevice, sample("ensure-network-device.current"));
    assert_eq!(network.subject.network().unwrap().network_id.get(), 209);
    assert_eq!(network.current_details.get_str("host"), Some("192.0.2.10"));

    let request = parsed!(EnsureNetworkDevice, sample("ensure-network-device.vpc"));
    let Subject::Vpc(vpc) = &request.subject else { panic!("it is about the VPC") };
    assert_eq!((vpc.vpc_id.get(), vpc.vpc_state.clone()), (7, Some(VpcState::Enabled)));
    assert!(request.current_details.is_empty());
}

#[test]
fn a_custom_action_stands_beside_the_details() {
    let request = parsed!(CustomAction, sample("custom-action"));
    assert_eq!(request.action, "pbr-create-table");
    assert_eq!(request.parameters.get("table-id"), Some("100"));
    assert_eq!(request.subject.network().unwrap().network_id.get(), 209);
    let envelope = parse(Command::CustomAction, &sample("custom-action"));
    assert_eq!(envelope.physical_details.username(), Some("root"));
    assert_eq!(envelope.device_details.get_str("host"), Some("192.0.2.10"));

    let request = parsed!(CustomAction, sample("custom-action.vpc"));
    assert_eq!((request.subject.network(), request.subject.vpc_id()), (None, Some(VpcId::new(7))));
}

#[test]
fn a_vpc_may_have_no_source_nat_address_yet() {
    assert_eq!(parsed!(ImplementVpc, sample("implement-vpc.no-ip")).public, None);
    let request = parsed!(ImplementVpc, sample("implement-vpc"));
    assert_eq!(request.vpc.vpc_cidr, Some("10.2.0.0/16".parse().unwrap()));
    assert_eq!(request.public.unwrap().public_ip.to_string(), "198.51.100.20");
    assert!(parsed!(UpdateVpcSourceNatIp, sample("update-vpc-source-nat-ip")).public.is_source_nat());
    let gone = parsed!(ShutdownVpc, sample("shutdown-vpc")).vpc;
    assert_eq!(gone.vpc_state, Some(VpcState::Inactive));
}
