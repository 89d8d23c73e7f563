//! The texts that each kind of value accepts and refuses.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use netext_protocol::{
    AddressList, Command, Direction, DomainName, GuestType, HostName, InvalidText, MacAddr, NetworkId,
    NetworkState, NicUuid, PhysicalDetails, PortRange, Segment, TransportProtocol,
};
use serde_json::{Value, json};

use crate::wire::{changed, parsed, refusal, sample, set};

/// Reads texts, and compares the texts that the values write.
fn reads<T: FromStr<Err: Debug> + Display>(pairs: &[(&str, &str)]) {
    for (text, canonical) in pairs {
        assert_eq!(text.parse::<T>().unwrap().to_string(), *canonical, "{text}");
    }
}

fn refuses<T: FromStr<Err = InvalidText> + Debug>(texts: &[&str]) {
    for text in texts {
        let error = text.parse::<T>().expect_err(text).to_string();
        assert!(error.starts_with(&format!("{text:?} is not a")), "{error}");
    }
}

#[test]
fn ports_are_single_or_ranges_in_two_notations() {
    reads::<PortRange>(&[("22", "22"), ("8080-8090", "8080-8090"), ("8080:8090", "8080-8090"), ("5-5", "5")]);
    refuses::<PortRange>(&["70000", "-1", "8090-8080", "80-", "-80", "80-90-100", "+80", "8 0", "0x50"]);
}

#[test]
fn a_range_of_ports_has_bounds_a_count_and_overlaps() {
    let range = PortRange::new(8080, 8090).unwrap();
    assert_eq!((range.count(), range.ports().count()), (11, 11));
    assert!(range.overlaps(PortRange::single(8090)) && !range.overlaps(PortRange::single(8091)));
    assert_eq!(PortRange::ALL.count(), 65536);
    assert_eq!(PortRange::new(2, 1), None);
}

#[test]
fn segments_are_numbers_uris_or_names() {
    reads::<Segment>(&[
        ("1910", "1910"),
        ("vlan://101", "101"),
        ("VLAN://101", "101"),
        ("untagged", "untagged"),
        ("vlan://untagged", "untagged"),
        ("vlan://Untagged", "untagged"),
        ("vxlan://5000", "5000"),
        ("vxlan://12", "vxlan://12"),
        ("5000", "5000"),
        ("cs-net-42", "cs-net-42"),
    ]);
    assert_eq!("vlan://101".parse(), Ok(Segment::Vlan(101)));
    assert_eq!("vxlan://101".parse(), Ok(Segment::Vxlan(101)));
    assert_eq!("5000".parse(), Ok(Segment::Vxlan(5000)));
    refuses::<Segment>(&["0", "16777216", "vlan://0", "vlan://4095", "vlan://", "vlan://x", "vxlan://x"]);
    refuses::<Segment>(&["a b", "a\nb", "é", "../x", "a/b", "a..b", "-1", ".a", "ovn://cs-net-42"]);
}

#[test]
fn names_cannot_inject_into_a_configuration_file() {
    reads::<HostName>(&[("web-1", "web-1"), ("a.b_c", "a.b_c"), ("7", "7")]);
    let hostile = ["a b", "a,b", "a/b", "../x", "a\nb", "a;b", "-a", "a-", "a..b", ".a", "é", "a'b"];
    refuses::<HostName>(&hostile);
    refuses::<DomainName>(&hostile);
    assert!("a".repeat(63).parse::<HostName>().is_ok());
    assert!("a".repeat(64).parse::<HostName>().is_err());
    refuses::<NicUuid>(&["../../etc", "a b"]);
}

#[test]
fn hardware_addresses_are_six_octets() {
    reads::<MacAddr>(&[
        ("02:01:00:D1:00:0a", "02:01:00:d1:00:0a"),
        ("02-01-00-d1-00-0a", "02:01:00:d1:00:0a"),
    ]);
    refuses::<MacAddr>(&["02:01:00:d1:00", "02:01:00:d1:00:0a:0b", "2:1:0:d1:0:a", "0g:01:00:d1:00:0a"]);
}

#[test]
fn lists_of_addresses_are_read_whole_or_not_at_all() {
    reads::<AddressList>(&[("", ""), ("192.0.2.1, 2001:db8::1 ,", "192.0.2.1,2001:db8::1")]);
    refuses::<AddressList>(&["192.0.2.1,x", "192.0.2.1 192.0.2.2"]);
}

#[test]
fn words_may_have_any_case() {
    reads::<GuestType>(&[("Isolated", "isolated"), ("SHARED", "shared"), ("L2", "l2")]);
    reads::<Direction>(&[("Ingress", "ingress"), ("EGRESS", "egress")]);
    reads::<TransportProtocol>(&[("TCP", "tcp"), ("Udp", "udp")]);
    reads::<NetworkState>(&[("Implemented", "implemented"), ("Melting", "Melting")]);
    refuses::<GuestType>(&["bridged", "isolated "]);
    refuses::<TransportProtocol>(&["icmp", "6", "all"]);
    refuses::<Direction>(&["both", "in"]);
}

#[test]
fn identifiers_are_numbers() {
    reads::<NetworkId>(&[("209", "209"), ("18446744073709551615", "18446744073709551615")]);
    refuses::<NetworkId>(&["", "-1", "+1", "209x", "2e2", "18446744073709551616", "2b1c3f0e"]);
}

#[test]
fn scalars_may_be_texts_numbers_or_booleans() {
    let mut file = sample("add-port-forward");
    for (field, value) in [
        ("network_id", json!(209)),
        ("vlan", json!(1910)),
        ("zone_id", json!(1.0)),
        ("source_nat", json!(true)),
        ("public_port", json!(2222)),
    ] {
        set(&mut file, &format!("/payload/{field}"), value);
    }
    let mut expected = parsed!(AddPortForward, sample("add-port-forward"));
    expected.public.source_nat = Some(true);
    assert_eq!(parsed!(AddPortForward, file), expected);

    let secret = parsed!(SavePassword, changed("save-password", "/payload/password", 123_456)).password;
    assert_eq!(secret.expose(), "123456");
}

#[test]
fn a_number_that_lost_digits_is_refused() {
    let file = r#"{"payload": {"network_id": 9007199254740993.0}}"#;
    let error = crate::wire::refusal_of_text(Command::DestroyNetwork, file);
    assert_eq!(error.path(), "payload.network_id");
    let file = changed("save-password", "/payload/password", 1e22);
    assert!(!refusal(Command::SavePassword, &file).problem().contains('1'));
}

#[test]
fn empty_texts_and_null_are_absent() {
    for absent in [json!(""), Value::Null] {
        let mut file = sample("add-dhcp-entry.secondary");
        for field in [
            "vlan",
            "zone_id",
            "guest_type",
            "network_state",
            "gateway",
            "cidr",
            "nic_uuid",
            "ip",
            "nic_id",
            "mac",
        ] {
            set(&mut file, &format!("/payload/{field}"), absent.clone());
        }
        for field in ["netmask", "default_nic", "device_id", "ip6_address", "hostname", "dns", "domain"] {
            set(&mut file, &format!("/payload/{field}"), absent.clone());
        }
        set(&mut file, "/payload/vpc_id", absent.clone());
        set(&mut file, "/network-extension-details", absent.clone());
        let request = parsed!(AddDhcpEntry, file);
        assert_eq!(request.network, netext_protocol::Network::new(209));
        assert_eq!((request.nic.ip, request.nic.default_nic, request.nic.device_id), (None, None, None));
        assert_eq!((request.hostname, request.resolvers.domain), (None, None));
        assert!(request.resolvers.dns.is_empty() && request.extra.is_empty());

        let file = changed("add-dhcp-entry", "/payload/network_id", absent.clone());
        let error = refusal(Command::AddDhcpEntry, &file);
        assert_eq!(error.problem(), "missing field `network_id`");
    }
}

#[test]
fn a_bare_address_is_a_network_of_one() {
    let file = changed(
        "apply-fw-rules",
        "/payload/fw_rules/rules/0/sourceCidrs",
        json!(["192.0.2.77", "2001:db8::1"]),
    );
    let sources: Vec<_> =
        parsed!(ApplyFwRules, file).fw_rules.rules[0].source_cidrs.iter().map(ToString::to_string).collect();
    assert_eq!(sources, ["192.0.2.77/32", "2001:db8::1/128"]);
    // A subnet needs a prefix length.
    refusal(Command::AssignIp, &changed("assign-ip", "/payload/public_cidr", "198.51.100.10"));
}

#[test]
fn the_hosts_are_a_list_or_a_single_one() {
    let details = |pairs: &[(&str, &str)]| -> PhysicalDetails {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect()
    };
    assert_eq!(details(&[("hosts", " a , b,"), ("host", "c")]).hosts(), ["a", "b"]);
    assert_eq!(details(&[("hosts", " "), ("host", "c")]).hosts(), ["c"]);
    assert!(details(&[]).hosts().is_empty());
    assert_eq!(details(&[]).port(), Ok(None));
    assert!(details(&[("port", "70000")]).port().is_err());
    assert_eq!(details(&[("sshkey", "a\\nb")]).ssh_key().unwrap().expose(), "a\nb");
}
