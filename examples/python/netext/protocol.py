# Written by datamodel-codegen from docs/schemas/strict/bundle.schema.json; do not edit.

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

AclAction: TypeAlias = Literal['allow', 'deny']
"""
The action. allow: Let them pass. deny: Drop them.
"""


ActionMessage: TypeAlias = str | list[dict[str, str]]
"""
A text, or a table: a flat object per row.
"""


ActionParameters: TypeAlias = dict[str, str]
"""
The parameters of an action: texts by name.
"""


class ActionResult(TypedDict):
    """
    What the API's caller sees of an action that succeeded. Free text may be printed instead.
    """

    message: ActionMessage
    printmessage: Literal['true', 'false']
    """
    Whether the caller sees the message.
    """
    status: Literal['success']


class Base64Content(TypedDict):
    """
    Bytes that are no text. The server sends text only.
    """

    base64: str
    """
    The bytes.
    """


class DestroyVpc(TypedDict):
    """
    destroy-vpc: forget a VPC. No server sends it yet.
    """

    vpc_cidr: NotRequired[str]
    """
    The address range that the tiers are cut from.
    """
    vpc_id: int
    """
    The VPC's id.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC; older servers do not send it.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


DeviceDetails: TypeAlias = dict[str, Any]
"""
What the device says about itself; stored, and handed back with every command. At most 1024 bytes. By convention host and namespace, for a VPC also vpc_id.
"""


DhcpOptions: TypeAlias = dict[str, str]
"""
DHCP options: values by number.
"""


Direction: TypeAlias = Literal['ingress', 'egress']
"""
The direction. ingress: Towards the guests. egress: From the guests.
"""


GuestType: TypeAlias = Literal['isolated', 'shared', 'l2']
"""
The guest type. isolated: A network of its own behind a router, with NAT and firewall; also a tier of a VPC. shared: A network that the data centre routes; the extension only serves it (DHCP, DNS, user data). l2: A bare segment: no addresses, no services.
"""


class ImplementNetwork(TypedDict):
    """
    implement-network: bring a network into being, or bring it back.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network: the gateway where the device routes, else an address of its own, absent where it answers on none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


class ImplementVpc(TypedDict):
    """
    implement-vpc: bring a VPC into being. The source NAT address may come later.
    """

    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: NotRequired[str]
    """
    The address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether the guests without an address of their own leave by this one.
    """
    vpc_cidr: NotRequired[str]
    """
    The address range that the tiers are cut from.
    """
    vpc_id: int
    """
    The VPC's id.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC; older servers do not send it.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


IpAddr: TypeAlias = str
"""
an IP address
"""


IpNet: TypeAlias = str
"""
a network such as 203.0.113.0/24
"""


LoadBalancerAlgorithm: TypeAlias = Literal['roundrobin', 'leastconn', 'source']
"""
The load balancer algorithm. roundrobin: One after the other. leastconn: The one with the fewest connections. source: By the client's address, so that a client stays with its member.
"""


class LoadBalancerMember(TypedDict):
    """
    One member of a load balancer rule.
    """

    ip: str
    """
    The instance's address.
    """
    port: NotRequired[int]
    """
    The instance's port.
    """
    revoked: bool
    """
    Whether the member is to be taken out.
    """


LoadBalancerProtocol: TypeAlias = Literal['tcp', 'udp', 'tcp-proxy']
"""
The load balancer protocol. tcp: TCP connections. udp: UDP datagrams. tcp-proxy: TCP connections, each opened with a PROXY protocol header that names the client.
"""


class LoadBalancerRule(TypedDict):
    """
    One load balancer rule.
    """

    algorithm: LoadBalancerAlgorithm
    """
    How a member is chosen.
    """
    backends: list[LoadBalancerMember]
    """
    The members.
    """
    id: int
    """
    The rule's id.
    """
    name: NotRequired[str]
    """
    The rule's name. Foreign text.
    """
    privatePort: int
    """
    The port of the instances, where a member names none.
    """
    protocol: LoadBalancerProtocol
    """
    The protocol.
    """
    publicIp: str
    """
    The public address.
    """
    publicPort: int
    """
    The port of the public address.
    """
    revoke: bool
    """
    Whether the rule is to be deleted.
    """


NetworkUpdate = TypedDict(
    'NetworkUpdate',
    {
        'network.broadcast_domain_type': str,
        'network.broadcast_uri': str,
    },
)


PhysicalDetails: TypeAlias = dict[str, str]
"""
What the operator registered on the physical network: texts by name.
"""


PortRange: TypeAlias = int | str
"""
One port as a number, or the first and the last of several as a text: 8080-8090.
"""


class PrepareNic(TypedDict):
    """
    prepare-nic: an instance's NIC is about to be used. On a shared network it may be the first command.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    hostname: NotRequired[str]
    """
    The instance's host name.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


PrepareNicFile = TypedDict(
    'PrepareNicFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': PrepareNic,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ReleaseIp(TypedDict):
    """
    release-ip: give up a public address; one that never was here is given up already.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ReleaseIpFile = TypedDict(
    'ReleaseIpFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ReleaseIp,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ReleaseNic(TypedDict):
    """
    release-nic: an instance's NIC is no longer used.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ReleaseNicFile = TypedDict(
    'ReleaseNicFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ReleaseNic,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class RemoveDhcpEntry(TypedDict):
    """
    remove-dhcp-entry: drop an instance's reservation.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


RemoveDhcpEntryFile = TypedDict(
    'RemoveDhcpEntryFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': RemoveDhcpEntry,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class RemoveDhcpSubnet(TypedDict):
    """
    remove-dhcp-subnet: no longer serve DHCP on a network.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


RemoveDhcpSubnetFile = TypedDict(
    'RemoveDhcpSubnetFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': RemoveDhcpSubnet,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class RemoveDnsEntry(TypedDict):
    """
    remove-dns-entry: drop the names of an address. The server sends no host name.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


RemoveDnsEntryFile = TypedDict(
    'RemoveDnsEntryFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': RemoveDnsEntry,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class RemoveDnsSubnet(TypedDict):
    """
    remove-dns-subnet: no longer serve DNS on a network; DHCP goes on.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


RemoveDnsSubnetFile = TypedDict(
    'RemoveDnsSubnetFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': RemoveDnsSubnet,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class SaveHypervisorHostname(TypedDict):
    """
    save-hypervisor-hostname: tell an instance the name of its hypervisor.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    hypervisor_hostname: str
    """
    The hypervisor's name.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


SaveHypervisorHostnameFile = TypedDict(
    'SaveHypervisorHostnameFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': SaveHypervisorHostname,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class SavePassword(TypedDict):
    """
    save-password: hand an instance a new password.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    password: str
    """
    The password.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


SavePasswordFile = TypedDict(
    'SavePasswordFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': SavePassword,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class SaveSshkey(TypedDict):
    """
    save-sshkey: set an instance's public key.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    sshkey: str
    """
    The public key, or several, a line each. Not shown either: people paste the wrong half.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


SaveSshkeyFile = TypedDict(
    'SaveSshkeyFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': SaveSshkey,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class SaveUserdata(TypedDict):
    """
    save-userdata: set an instance's user data.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    userdata: NotRequired[str]
    """
    The user data as plain text, byte for byte. Often holds credentials.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


SaveUserdataFile = TypedDict(
    'SaveUserdataFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': SaveUserdata,
        'physical-network-extension-details': PhysicalDetails,
    },
)


SecretBytes: TypeAlias = str | Base64Content
"""
A text, or bytes that are none.
"""


class SetDhcpOptions(TypedDict):
    """
    set-dhcp-options: set a NIC's own DHCP options. No server sends it yet.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: int
    """
    The NIC.
    """
    options: NotRequired[DhcpOptions]
    """
    The options, in place of those that the NIC had. Absent they say nothing; none are an empty object.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


SetDhcpOptionsFile = TypedDict(
    'SetDhcpOptionsFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': SetDhcpOptions,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ShutdownNetwork(TypedDict):
    """
    shutdown-network: take a network down. The server forgets the device's details, and replays every rule when it implements the network again.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ShutdownNetworkFile = TypedDict(
    'ShutdownNetworkFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ShutdownNetwork,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ShutdownVpc(TypedDict):
    """
    shutdown-vpc: take a VPC down; every tier was destroyed before.
    """

    vpc_cidr: NotRequired[str]
    """
    The address range that the tiers are cut from.
    """
    vpc_id: int
    """
    The VPC's id.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC; older servers do not send it.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ShutdownVpcFile = TypedDict(
    'ShutdownVpcFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ShutdownVpc,
        'physical-network-extension-details': PhysicalDetails,
    },
)


TransportProtocol: TypeAlias = Literal['tcp', 'udp']
"""
The transport protocol. tcp: TCP. udp: UDP.
"""


class UpdateVpcSourceNatIp(TypedDict):
    """
    update-vpc-source-nat-ip: guests without an address of their own leave by this address from now on.
    """

    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vpc_cidr: NotRequired[str]
    """
    The address range that the tiers are cut from.
    """
    vpc_id: int
    """
    The VPC's id.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC; older servers do not send it.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


UpdateVpcSourceNatIpFile = TypedDict(
    'UpdateVpcSourceNatIpFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': UpdateVpcSourceNatIp,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class VmDataEntry(TypedDict):
    """
    One file of an instance's metadata. The server sends the directories userdata, metadata and password; documents also show meta-data, and files in directories of their own such as public-keys/0/openssh-key.
    """

    content: SecretBytes
    """
    The content, byte for byte.
    """
    dir: str
    """
    The directory. Foreign text: never a path to open.
    """
    file: str
    """
    The file. Foreign text: never a path to open.
    """


class AclRule(TypedDict):
    """
    One item of a tier's access list.
    """

    action: AclAction
    """
    What it does.
    """
    destCidrs: list[IpNet]
    """
    The tier's end, in some documents; no server is known to send it. Empty means all of the tier.
    """
    icmpCode: NotRequired[int]
    """
    The ICMP code, -1 for any.
    """
    icmpType: NotRequired[int]
    """
    The ICMP type, -1 for any.
    """
    id: NotRequired[int]
    """
    The server's id of the item; not every version sends it.
    """
    number: int
    """
    Its place in the list.
    """
    portEnd: NotRequired[int]
    """
    The last port.
    """
    portStart: NotRequired[int]
    """
    The first port.
    """
    protocol: str
    """
    The protocol.
    """
    sourceCidrs: list[IpNet]
    """
    The other end: where ingress comes from, where egress goes **to**. Empty means anywhere.
    """
    trafficType: Direction
    """
    Which way the traffic flows, seen from the tier.
    """


class AddDhcpEntry(TypedDict):
    """
    add-dhcp-entry: reserve an instance's address.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    hostname: NotRequired[str]
    """
    The instance's host name.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


AddDhcpEntryFile = TypedDict(
    'AddDhcpEntryFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': AddDhcpEntry,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class AddDnsEntry(TypedDict):
    """
    add-dns-entry: make an instance's name resolve.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    hostname: NotRequired[str]
    """
    The instance's host name.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


AddDnsEntryFile = TypedDict(
    'AddDnsEntryFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': AddDnsEntry,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class AddPortForward(TypedDict):
    """
    add-port-forward: lead ports of a public address to an instance.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    private_ip: str
    """
    The instance's address.
    """
    private_port: PortRange
    """
    The port or ports of the instance.
    """
    protocol: TransportProtocol
    """
    The transport protocol.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_port: PortRange
    """
    The port or ports of the public address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


AddPortForwardFile = TypedDict(
    'AddPortForwardFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': AddPortForward,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class AddStaticNat(TypedDict):
    """
    add-static-nat: a public address belongs to one instance, in both directions.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    private_ip: str
    """
    The instance's address.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


AddStaticNatFile = TypedDict(
    'AddStaticNatFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': AddStaticNat,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ApplyLbRules(TypedDict):
    """
    apply-lb-rules: add, change or revoke load balancer rules. Rules that are not named stay as they are.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    lb_rules: list[LoadBalancerRule]
    """
    The rules that changed, or all.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ApplyLbRulesFile = TypedDict(
    'ApplyLbRulesFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ApplyLbRules,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ApplyNetworkAcl(TypedDict):
    """
    apply-network-acl: replace the access list of a tier.
    """

    acl_rules: list[AclRule]
    """
    The items, all of them, by ascending number. The first that matches decides; what none matches is denied. Traffic inside the tier's subnet is not asked.
    """
    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ApplyNetworkAclFile = TypedDict(
    'ApplyNetworkAclFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ApplyNetworkAcl,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class AssignIp(TypedDict):
    """
    assign-ip: take up a public address. A VPC tier's source NAT address is the VPC's affair.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


AssignIpFile = TypedDict(
    'AssignIpFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': AssignIp,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ConfigDhcpSubnet(TypedDict):
    """
    config-dhcp-subnet: serve DHCP on a network.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ConfigDhcpSubnetFile = TypedDict(
    'ConfigDhcpSubnetFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ConfigDhcpSubnet,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ConfigDnsSubnet(TypedDict):
    """
    config-dns-subnet: serve DNS on a network; the name data-server resolves to the extension IP.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ConfigDnsSubnetFile = TypedDict(
    'ConfigDnsSubnetFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ConfigDnsSubnet,
        'physical-network-extension-details': PhysicalDetails,
    },
)


CustomActionFile = TypedDict(
    'CustomActionFile',
    {
        'action': str,
        'action-params': ActionParameters,
        'cidr': NotRequired[str],
        'gateway': NotRequired[str],
        'guest_type': NotRequired[GuestType],
        'network-extension-details': DeviceDetails,
        'network_id': NotRequired[int],
        'network_ip6_cidr': NotRequired[str],
        'network_ip6_gateway': NotRequired[str],
        'network_state': NotRequired[str],
        'physical-network-extension-details': PhysicalDetails,
        'vlan': NotRequired[str],
        'vpc_cidr': NotRequired[str],
        'vpc_id': NotRequired[int],
        'vpc_state': NotRequired[str],
        'zone_id': NotRequired[int],
    },
)


class DeletePortForward(TypedDict):
    """
    delete-port-forward: no longer lead these ports there. A delete that comes late must not remove a newer forward that leads elsewhere.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    private_ip: str
    """
    The instance's address.
    """
    private_port: PortRange
    """
    The port or ports of the instance.
    """
    protocol: TransportProtocol
    """
    The transport protocol.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_port: PortRange
    """
    The port or ports of the public address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


DeletePortForwardFile = TypedDict(
    'DeletePortForwardFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': DeletePortForward,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class DeleteStaticNat(TypedDict):
    """
    delete-static-nat: the public address no longer belongs to the instance.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    private_ip: str
    """
    The instance's address.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: its network or any address of it, with the prefix length.
    """
    public_gateway: NotRequired[str]
    """
    The gateway towards the outside.
    """
    public_ip: str
    """
    The address.
    """
    public_vlan: NotRequired[str]
    """
    The public segment; absent means untagged.
    """
    source_nat: bool
    """
    Whether the guests without an address of their own leave by this one.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


DeleteStaticNatFile = TypedDict(
    'DeleteStaticNatFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': DeleteStaticNat,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class DestroyNetwork(TypedDict):
    """
    destroy-network: forget a network. It may never have been implemented here, and the details may be empty.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


DestroyNetworkFile = TypedDict(
    'DestroyNetworkFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': DestroyNetwork,
        'physical-network-extension-details': PhysicalDetails,
    },
)


DestroyVpcFile = TypedDict(
    'DestroyVpcFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': DestroyVpc,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class EnsureNetworkDevice(TypedDict):
    """
    ensure-network-device: choose the device of a network or VPC, or keep the present one, and print its details. Comes before every other command; if it fails the other command still runs.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    current_details: DeviceDetails
    """
    What the device last said about itself; empty at first.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: NotRequired[int]
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_cidr: NotRequired[str]
    """
    The address range that the tiers are cut from.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC; older servers do not send it.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


EnsureNetworkDeviceFile = TypedDict(
    'EnsureNetworkDeviceFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': EnsureNetworkDevice,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class FirewallRule(TypedDict):
    """
    One firewall rule. An ingress rule lets traffic in to a public address, by the destination that the packet came with. An egress rule matches what guests send out; default_egress_allow says whether it allows or denies.
    """

    destCidrs: list[IpNet]
    """
    Where an egress packet goes to. Empty means anywhere.
    """
    icmpCode: NotRequired[int]
    """
    The ICMP code, -1 for any.
    """
    icmpType: NotRequired[int]
    """
    The ICMP type, -1 for any.
    """
    id: NotRequired[int]
    """
    The server's id of the rule.
    """
    portEnd: NotRequired[int]
    """
    The last port.
    """
    portStart: NotRequired[int]
    """
    The first port.
    """
    protocol: str
    """
    The protocol.
    """
    publicIp: NotRequired[str]
    """
    The public address that an ingress rule opens.
    """
    sourceCidrs: list[IpNet]
    """
    Where they come from: for egress the guests. Empty means anywhere.
    """
    type: Direction
    """
    ingress or egress.
    """


class FirewallRules(TypedDict):
    """
    All firewall rules of a network.
    """

    cidr: NotRequired[str]
    """
    The guests' subnet.
    """
    default_egress_allow: bool
    """
    What guests may reach: if true everything but what an egress rule matches, if false nothing but what an egress rule matches.
    """
    rules: list[FirewallRule]
    """
    The rules. Their order means nothing.
    """


ImplementNetworkFile = TypedDict(
    'ImplementNetworkFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ImplementNetwork,
        'physical-network-extension-details': PhysicalDetails,
    },
)


ImplementVpcFile = TypedDict(
    'ImplementVpcFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ImplementVpc,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class RestoredVm(TypedDict):
    """
    One instance's NIC with what it was given.
    """

    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers.
    """
    domain: NotRequired[str]
    """
    The network's domain.
    """
    hostname: NotRequired[str]
    """
    The instance's host name.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    mac: str
    """
    The NIC's hardware address.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API.
    """
    vm_data: list[VmDataEntry]
    """
    The instance's metadata and user data.
    """


class SaveVmData(TypedDict):
    """
    save-vm-data: replace an instance's metadata, user data included.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    default_nic: NotRequired[bool]
    """
    Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no router.
    """
    device_id: NotRequired[int]
    """
    Its place among the instance's NICs, from 0.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    ip: NotRequired[str]
    """
    Its IPv4 address; absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    Its IPv6 address.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix that the address belongs to.
    """
    ip6_gateway: NotRequired[str]
    """
    Its IPv6 gateway.
    """
    mac: NotRequired[str]
    """
    Its hardware address.
    """
    netmask: NotRequired[str]
    """
    The netmask that belongs to the address.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id.
    """
    nic_uuid: NotRequired[str]
    """
    Its id in the API.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vm_data: list[VmDataEntry]
    """
    The files that the instance can read.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


SaveVmDataFile = TypedDict(
    'SaveVmDataFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': SaveVmData,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class ApplyFwRules(TypedDict):
    """
    apply-fw-rules: replace all firewall rules of a network. May come before implement-network.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    fw_rules: FirewallRules
    """
    The rules, all of them.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


ApplyFwRulesFile = TypedDict(
    'ApplyFwRulesFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': ApplyFwRules,
        'physical-network-extension-details': PhysicalDetails,
    },
)


class RestoreData(TypedDict):
    """
    The instances of a network with what they were given.
    """

    dhcp_enabled: NotRequired[bool]
    """
    Whether the network serves DHCP.
    """
    dns_enabled: NotRequired[bool]
    """
    Whether the network serves DNS.
    """
    userdata_enabled: NotRequired[bool]
    """
    Whether the network serves user data.
    """
    vms: list[RestoredVm]
    """
    The instances, all of them.
    """


class RestoreNetwork(TypedDict):
    """
    restore-network: put back what all instances of a network were given, after a restart. Passwords are not among it: one that was not read yet must have survived.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers, in order.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    extension_ip: NotRequired[str]
    """
    What the device answers on inside the guest network.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    """
    guest_type: NotRequired[GuestType]
    """
    How guests use the network.
    """
    network_id: int
    """
    The network's id.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network; older servers do not send it.
    """
    restore_data: RestoreData
    """
    The instances.
    """
    vlan: NotRequired[str]
    """
    The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The VPC, if the network is a tier of one.
    """
    zone_id: NotRequired[int]
    """
    The zone.
    """


RestoreNetworkFile = TypedDict(
    'RestoreNetworkFile',
    {
        'network-extension-details': DeviceDetails,
        'payload': RestoreNetwork,
        'physical-network-extension-details': PhysicalDetails,
    },
)


NetworkExtensionProtocol = TypedDict(
    'NetworkExtensionProtocol',
    {
        'add-dhcp-entry': NotRequired[AddDhcpEntryFile],
        'add-dns-entry': NotRequired[AddDnsEntryFile],
        'add-port-forward': NotRequired[AddPortForwardFile],
        'add-static-nat': NotRequired[AddStaticNatFile],
        'apply-fw-rules': NotRequired[ApplyFwRulesFile],
        'apply-lb-rules': NotRequired[ApplyLbRulesFile],
        'apply-network-acl': NotRequired[ApplyNetworkAclFile],
        'assign-ip': NotRequired[AssignIpFile],
        'config-dhcp-subnet': NotRequired[ConfigDhcpSubnetFile],
        'config-dns-subnet': NotRequired[ConfigDnsSubnetFile],
        'custom-action': NotRequired[CustomActionFile],
        'custom-action response': NotRequired[ActionResult],
        'delete-port-forward': NotRequired[DeletePortForwardFile],
        'delete-static-nat': NotRequired[DeleteStaticNatFile],
        'destroy-network': NotRequired[DestroyNetworkFile],
        'destroy-vpc': NotRequired[DestroyVpcFile],
        'ensure-network-device': NotRequired[EnsureNetworkDeviceFile],
        'ensure-network-device response': NotRequired[DeviceDetails],
        'implement-network': NotRequired[ImplementNetworkFile],
        'implement-network response': NotRequired[NetworkUpdate],
        'implement-vpc': NotRequired[ImplementVpcFile],
        'prepare-nic': NotRequired[PrepareNicFile],
        'release-ip': NotRequired[ReleaseIpFile],
        'release-nic': NotRequired[ReleaseNicFile],
        'remove-dhcp-entry': NotRequired[RemoveDhcpEntryFile],
        'remove-dhcp-subnet': NotRequired[RemoveDhcpSubnetFile],
        'remove-dns-entry': NotRequired[RemoveDnsEntryFile],
        'remove-dns-subnet': NotRequired[RemoveDnsSubnetFile],
        'restore-network': NotRequired[RestoreNetworkFile],
        'save-hypervisor-hostname': NotRequired[SaveHypervisorHostnameFile],
        'save-password': NotRequired[SavePasswordFile],
        'save-sshkey': NotRequired[SaveSshkeyFile],
        'save-userdata': NotRequired[SaveUserdataFile],
        'save-vm-data': NotRequired[SaveVmDataFile],
        'set-dhcp-options': NotRequired[SetDhcpOptionsFile],
        'shutdown-network': NotRequired[ShutdownNetworkFile],
        'shutdown-vpc': NotRequired[ShutdownVpcFile],
        'update-vpc-source-nat-ip': NotRequired[UpdateVpcSourceNatIpFile],
    },
)
