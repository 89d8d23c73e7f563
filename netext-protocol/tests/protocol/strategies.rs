//! Arbitrary values of every type of the protocol, for property tests.

use std::fmt::Debug;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use netext_protocol::*;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Map, Value};

/// A type with a strategy for arbitrary values.
pub trait Any: Clone + Debug + Sized + 'static {
    fn any() -> BoxedStrategy<Self>;
}

macro_rules! any {
    ($($type:ty => $strategy:expr;)*) => {$(
        impl Any for $type {
            fn any() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        }
    )*};
}

/// Values, read from texts.
fn read<T: std::str::FromStr<Err: Debug> + Debug>(pattern: &'static str) -> impl Strategy<Value = T> {
    pattern.prop_map(|text: String| text.parse().unwrap())
}

/// Any text but the empty one, which means absent on the wire.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["(?s).{1,12}", "[0-9]{1,4}", "true|false|null|-1|1e3"]
}

pub fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("[a-z]{1,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
    .boxed()
}

any! {
    bool => any::<bool>();
    u16 => any::<u16>();
    u32 => any::<u32>();
    u64 => any::<u64>();
    String => text();
    Secret => text().prop_map(Secret::from);
    SecretBytes => prop_oneof![text().prop_map(SecretBytes::from), vec(any::<u8>(), 0..20).prop_map(SecretBytes::from)];
    Ipv4Addr => any::<u32>().prop_map(Ipv4Addr::from);
    Ipv6Addr => any::<u128>().prop_map(Ipv6Addr::from);
    IpAddr => prop_oneof![Ipv4Addr::any().prop_map(IpAddr::from), Ipv6Addr::any().prop_map(IpAddr::from)];
    Ipv4Net => (Ipv4Addr::any(), 0..=32_u8).prop_map(|(address, length)| Ipv4Net::new(address, length).unwrap());
    Ipv6Net => (Ipv6Addr::any(), 0..=128_u8).prop_map(|(address, length)| Ipv6Net::new(address, length).unwrap());
    IpNet => prop_oneof![Ipv4Net::any().prop_map(IpNet::from), Ipv6Net::any().prop_map(IpNet::from)];
    NetworkId => any::<u64>().prop_map(NetworkId::new);
    VpcId => any::<u64>().prop_map(VpcId::new);
    ZoneId => any::<u64>().prop_map(ZoneId::new);
    NicId => any::<u64>().prop_map(NicId::new);
    NicUuid => read("[0-9A-Za-z-]{1,64}");
    MacAddr => any::<[u8; 6]>().prop_map(MacAddr::new);
    HostName => read("[0-9A-Za-z_]([0-9A-Za-z_-]{0,20}[0-9A-Za-z_])?(\\.[a-z]{1,9}){0,2}");
    DomainName => read("[0-9A-Za-z_]([0-9A-Za-z_-]{0,20}[0-9A-Za-z_])?(\\.[a-z]{1,9}){0,2}");
    AddressList => vec(IpAddr::any(), 0..4).prop_map(AddressList::from);
    PortRange => any::<(u16, u16)>().prop_map(|(one, other)| PortRange::new(one.min(other), one.max(other)).unwrap());
    GuestType => prop_oneof![Just(GuestType::Isolated), Just(GuestType::Shared), Just(GuestType::L2)];
    NetworkState => read("allocated|setup|implementing|implemented|shutdown|destroy|Another state");
    VpcState => read("enabled|inactive|another");
    TransportProtocol => prop_oneof![Just(TransportProtocol::Tcp), Just(TransportProtocol::Udp)];
    Direction => prop_oneof![Just(Direction::Ingress), Just(Direction::Egress)];
    AclAction => prop_oneof![Just(AclAction::Allow), Just(AclAction::Deny)];
    LoadBalancerProtocol => read("tcp|udp|tcp-proxy");
    LoadBalancerAlgorithm => read("roundrobin|leastconn|source");
    Segment => prop_oneof![
        Just(Segment::Untagged),
        (1..=4094_u16).prop_map(Segment::Vlan),
        (1..1_u32 << 24).prop_map(Segment::Vxlan),
        read("[a-z]{1,3}-[0-9A-Za-z_:-]{0,20}"),
    ];
    Traffic => prop_oneof![
        Just(Traffic::All),
        PortRange::any().prop_map(Traffic::Tcp),
        PortRange::any().prop_map(Traffic::Udp),
        Just(Traffic::Icmp { icmp_type: None, icmp_code: None }),
        (any::<u8>(), any::<Option<u8>>())
            .prop_map(|(kind, icmp_code)| Traffic::Icmp { icmp_type: Some(kind), icmp_code }),
        any::<u8>().prop_filter("has a name", |number| ![1, 6, 17].contains(number)).prop_map(Traffic::Protocol),
    ];
    FirewallSubject => option::of(Ipv4Addr::any()).prop_map(|public_ip| match public_ip {
        Some(public_ip) => FirewallSubject::Ingress { public_ip },
        None => FirewallSubject::Egress,
    });
    Subject => prop_oneof![Network::any().prop_map(Subject::from), Vpc::any().prop_map(Subject::from)];
    DhcpOptions => btree_map(1..=254_u8, text(), 0..4).prop_map(DhcpOptions::from_iter);
    ActionParameters => btree_map("[a-z-]{1,8}", Secret::any(), 0..4).prop_map(ActionParameters::from_iter);
    PhysicalDetails => btree_map("[a-z.]{1,8}|password|sshkey", Secret::any(), 0..4).prop_map(PhysicalDetails::from_iter);
    DeviceDetails => btree_map("[a-z]{1,8}", json(), 0..4).prop_map(|details| {
        details.into_iter().fold(DeviceDetails::default(), |all, (name, value)| all.with(name, value))
    });
    Extra => btree_map("x-[a-z\n]{1,6}", json(), 0..2).prop_map(|fields| {
        let mut extra = Extra::default();
        for (name, value) in fields {
            extra.insert(name, value);
        }
        extra
    });
}

impl<T: Any> Any for Vec<T> {
    fn any() -> BoxedStrategy<Self> {
        vec(T::any(), 0..3).boxed()
    }
}

/// Arbitrary objects: `Type(arguments of the constructor) { setter: its type, ... } extra`.
macro_rules! objects {
    ($($type:ident($($required:ty),*) { $($setter:ident: $value:ty),* $(,)? } $($extra:ident)?;)*) => {$(
        impl Any for $type {
            fn any() -> BoxedStrategy<Self> {
                let object = objects!(@new $type $($required),*);
                $(let object = (object, option::of(<$value>::any()))
                    .prop_map(|(object, value)| match value {
                        Some(value) => object.$setter(value),
                        None => object,
                    })
                    .boxed();)*
                $(let object = (object, Extra::any())
                    .prop_map(|(mut object, extra)| {
                        object.$extra = extra;
                        object
                    })
                    .boxed();)?
                object
            }
        }
    )*};
    (@new $type:ident) => { Just($type::new()).boxed() };
    (@new $type:ident $one:ty) => { <$one>::any().prop_map($type::new).boxed() };
    (@new $type:ident $one:ty, $two:ty) => {
        (<$one>::any(), <$two>::any()).prop_map(|(one, two)| $type::new(one, two)).boxed()
    };
    (@new $type:ident $one:ty, $two:ty, $three:ty) => {
        (<$one>::any(), <$two>::any(), <$three>::any())
            .prop_map(|(one, two, three)| $type::new(one, two, three))
            .boxed()
    };
    (@new $type:ident $one:ty, $two:ty, $three:ty, $four:ty) => {
        (<$one>::any(), <$two>::any(), <$three>::any(), <$four>::any())
            .prop_map(|(one, two, three, four)| $type::new(one, two, three, four))
            .boxed()
    };
    (@new $type:ident $one:ty, $two:ty, $three:ty, $four:ty, $five:ty) => {
        (<$one>::any(), <$two>::any(), <$three>::any(), <$four>::any(), <$five>::any())
            .prop_map(|(one, two, three, four, five)| $type::new(one, two, three, four, five))
            .boxed()
    };
    (@new $type:ident $one:ty, $two:ty, $three:ty, $four:ty, $five:ty, $six:ty) => {
        (<$one>::any(), <$two>::any(), <$three>::any(), <$four>::any(), <$five>::any(), <$six>::any())
            .prop_map(|(one, two, three, four, five, six)| $type::new(one, two, three, four, five, six))
            .boxed()
    };
}

objects! {
    Network(NetworkId) {
        vlan: Segment, zone_id: ZoneId, guest_type: GuestType, network_state: NetworkState, gateway: Ipv4Addr,
        cidr: Ipv4Net, vpc_id: VpcId, network_ip6_gateway: Ipv6Addr, network_ip6_cidr: Ipv6Net,
    };
    Nic() {
        nic_id: NicId, mac: MacAddr, nic_uuid: NicUuid, ip: Ipv4Addr, netmask: Ipv4Addr, default_nic: bool, device_id: u32,
        ip6_address: Ipv6Addr, ip6_gateway: Ipv6Addr, ip6_cidr: Ipv6Net,
    };
    PublicIp(Ipv4Addr) { public_vlan: Segment, public_gateway: Ipv4Addr, public_cidr: Ipv4Net, source_nat: bool };
    Resolvers() { domain: DomainName, dns: AddressList, dns6: AddressList };
    Vpc(VpcId) { zone_id: ZoneId, vpc_state: VpcState, vpc_cidr: Ipv4Net };
    PortForward(PortRange, Ipv4Addr, PortRange, TransportProtocol) {};

    EnsureNetworkDevice(Subject) { current_details: DeviceDetails } extra;
    ImplementNetwork(Network) { extension_ip: Ipv4Addr } extra;
    ShutdownNetwork(Network) {} extra;
    DestroyNetwork(Network) {} extra;
    RestoreNetwork(Network, Resolvers, RestoreData) { extension_ip: Ipv4Addr } extra;
    RestoreData(Vec<RestoredVm>) { dhcp_enabled: bool, dns_enabled: bool, userdata_enabled: bool } extra;
    RestoredVm(MacAddr) {
        ip: Ipv4Addr, ip6_address: Ipv6Addr, nic_uuid: NicUuid, hostname: HostName, device_id: u32,
        default_nic: bool, domain: DomainName, dns: AddressList, vm_data: Vec<VmDataEntry>,
    } extra;
    ImplementVpc(Vpc) { public: PublicIp } extra;
    ShutdownVpc(Vpc) {} extra;
    DestroyVpc(Vpc) {} extra;
    UpdateVpcSourceNatIp(Vpc, PublicIp) {} extra;
    AssignIp(Network, PublicIp) {} extra;
    ReleaseIp(Network, PublicIp) {} extra;
    AddStaticNat(Network, PublicIp, Ipv4Addr) {} extra;
    DeleteStaticNat(Network, PublicIp, Ipv4Addr) {} extra;
    AddPortForward(Network, PublicIp, PortForward) {} extra;
    DeletePortForward(Network, PublicIp, PortForward) {} extra;
    ApplyFwRules(Network, FirewallRules) {} extra;
    FirewallRules(bool, Vec<FirewallRule>) { cidr: Ipv4Net } extra;
    FirewallRule(FirewallSubject, Traffic, Vec<IpNet>) { id: u64, dest_cidrs: Vec<IpNet> } extra;
    ApplyNetworkAcl(Network, Vec<AclRule>) {} extra;
    AclRule(Traffic, u32, AclAction, Direction, Vec<IpNet>) { id: u64, dest_cidrs: Vec<IpNet> } extra;
    PrepareNic(Network, Nic) { extension_ip: Ipv4Addr, hostname: HostName } extra;
    ReleaseNic(Network, Nic) { extension_ip: Ipv4Addr } extra;
    ConfigDhcpSubnet(Network, Nic, Resolvers) { extension_ip: Ipv4Addr } extra;
    RemoveDhcpSubnet(Network) { extension_ip: Ipv4Addr } extra;
    AddDhcpEntry(Network, Nic, Resolvers) { extension_ip: Ipv4Addr, hostname: HostName } extra;
    RemoveDhcpEntry(Network, Nic) { extension_ip: Ipv4Addr } extra;
    SetDhcpOptions(Network, NicId) { extension_ip: Ipv4Addr, options: DhcpOptions } extra;
    ConfigDnsSubnet(Network, Nic, Resolvers) { extension_ip: Ipv4Addr } extra;
    RemoveDnsSubnet(Network, Resolvers) { extension_ip: Ipv4Addr } extra;
    AddDnsEntry(Network, Nic, Resolvers) { extension_ip: Ipv4Addr, hostname: HostName } extra;
    RemoveDnsEntry(Network, Nic, Resolvers) { extension_ip: Ipv4Addr } extra;
    SaveVmData(Network, Nic, Vec<VmDataEntry>) { extension_ip: Ipv4Addr } extra;
    VmDataEntry(String, String) { content: SecretBytes } extra;
    SavePassword(Network, Nic, Secret) { extension_ip: Ipv4Addr } extra;
    SaveUserdata(Network, Nic) { extension_ip: Ipv4Addr, userdata: Secret } extra;
    SaveSshkey(Network, Nic, Secret) { extension_ip: Ipv4Addr } extra;
    SaveHypervisorHostname(Network, Nic, String) { extension_ip: Ipv4Addr } extra;
    ApplyLbRules(Network, Vec<LoadBalancerRule>) {} extra;
    LoadBalancerRule(u64, Ipv4Addr, u16, u16, LoadBalancerProtocol, LoadBalancerAlgorithm) {
        name: String, revoke: bool, backends: Vec<LoadBalancerMember>,
    } extra;
    LoadBalancerMember(Ipv4Addr) { port: u16, revoked: bool } extra;
    CustomAction(Subject, String) { parameters: ActionParameters } extra;
}

macro_rules! requests {
    ($($(#[$doc:meta])* $variant:ident { method: $method:ident, name: $name:literal, $($fact:tt)* })*) => {
        /// Any request of a command.
        pub fn request(command: Command) -> BoxedStrategy<Request> {
            match command {
                $(Command::$variant => $variant::any().prop_map(Request::from).boxed(),)*
                _ => unreachable!("the table has no other command"),
            }
        }
    };
}
for_each_command!(requests);

/// Any payload file of a command.
pub fn envelope(command: Command) -> BoxedStrategy<Envelope<Request>> {
    (request(command), PhysicalDetails::any(), DeviceDetails::any(), Extra::any())
        .prop_map(move |(request, physical, device, extra)| {
            let mut envelope = Envelope::new(request).physical_details(physical).device_details(device);
            // A flat payload has no unknown fields of its own: they belong to the envelope.
            if command != Command::CustomAction {
                envelope.extra = extra;
            }
            envelope
        })
        .boxed()
}
