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
    The result of a successful action, for the caller of the API. Free text may be printed instead.
    """

    message: ActionMessage
    printmessage: Literal['true', 'false']
    """
    Whether to show the message to the caller.
    """
    status: Literal['success']


class Base64Content(TypedDict):
    """
    Bytes that are not text. The server sends only text.
    """

    base64: str
    """
    The bytes.
    """


class DestroyVpc(TypedDict):
    """
    destroy-vpc: delete a VPC for good. No server sends it yet.
    """

    vpc_cidr: NotRequired[str]
    """
    The IPv4 address range of the tiers: their subnets are parts of it.
    """
    vpc_id: int
    """
    The VPC's id: the number in the server's database, the same in every command.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
    """


DeviceDetails: TypeAlias = dict[str, Any]
"""
The device's details. The server stores them and sends them with every command. At most 1024 bytes. By convention host and namespace, for a VPC also vpc_id.
"""


DhcpOptions: TypeAlias = dict[str, str]
"""
DHCP options: values by number.
"""


Direction: TypeAlias = Literal['ingress', 'egress']
"""
The direction. ingress: To the guests. egress: From the guests.
"""


GuestType: TypeAlias = Literal['isolated', 'shared', 'l2']
"""
The guest type. isolated: A network behind a router of its own, with NAT and firewall; also a tier of a VPC. shared: A network that the data centre routes; the extension provides only DHCP, DNS and user data. l2: A bare segment: no addresses, no services.
"""


class ImplementNetwork(TypedDict):
    """
    implement-network: create a network, or restore it. Its vlan may be absent when it is implemented again.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
    """


class ImplementVpc(TypedDict):
    """
    implement-vpc: create a VPC, or restore it. The source NAT address may come later.
    """

    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: NotRequired[str]
    """
    The public IPv4 address.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vpc_cidr: NotRequired[str]
    """
    The IPv4 address range of the tiers: their subnets are parts of it.
    """
    vpc_id: int
    """
    The VPC's id: the number in the server's database, the same in every command.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
The load balancer algorithm. roundrobin: Each member in turn. leastconn: The member with the fewest connections. source: By the client's address: a client always reaches the same member.
"""


class LoadBalancerMember(TypedDict):
    """
    One member of a load balancer rule.
    """

    ip: str
    """
    The member's IPv4 address. In a VPC it may be in another tier.
    """
    port: NotRequired[int]
    """
    The member's port, 0 to 65535. Absent means the rule's privatePort.
    """
    revoked: bool
    """
    Whether to remove the member from the rule. Absent means false.
    """


LoadBalancerProtocol: TypeAlias = Literal['tcp', 'udp', 'tcp-proxy']
"""
The load balancer protocol. tcp: TCP connections. udp: UDP datagrams. tcp-proxy: TCP connections, each with a PROXY protocol header that names the client.
"""


class LoadBalancerRule(TypedDict):
    """
    One load balancer rule.
    """

    algorithm: LoadBalancerAlgorithm
    """
    The way to choose a member for a connection, in any case. Another word is refused.
    """
    backends: NotRequired[list[LoadBalancerMember]]
    """
    All members: the instances that receive the connections.
    """
    id: int
    """
    The server's id of the rule, a number. A rule with a known id replaces that rule.
    """
    name: NotRequired[str]
    """
    The rule's name, as a user chose it. Untrusted text.
    """
    privatePort: int
    """
    The port of the instances, 0 to 65535, for members without a port of their own.
    """
    protocol: LoadBalancerProtocol
    """
    The protocol of the connections, in any case. Today's server sends tcp for every rule. Another word is refused.
    """
    publicIp: str
    """
    The public IPv4 address that accepts the connections.
    """
    publicPort: int
    """
    The port of the public address, 0 to 65535.
    """
    revoke: bool
    """
    Whether to delete the rule. Absent means false.
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
The details that the operator registered on the physical network: texts by name.
"""


PortRange: TypeAlias = int | str
"""
One port as a number, or the first and the last of several as a text: 8080-8090.
"""


class PrepareNic(TypedDict):
    """
    prepare-nic: prepare the network for an instance's NIC. On a shared network it may be the first command.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    hostname: NotRequired[str]
    """
    The instance's host name, one label or several.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    release-ip: stop using a public address. Releasing an address that was never assigned succeeds.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    release-nic: release what was prepared for an instance's NIC.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    remove-dhcp-entry: remove an instance's reservation.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    remove-dhcp-subnet: stop serving DHCP on a network.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    remove-dns-entry: remove the names of an address. The server sends no host name.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    remove-dns-subnet: stop serving DNS on a network; DHCP goes on.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    save-hypervisor-hostname: set the name of the hypervisor that an instance can read.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    hypervisor_hostname: str
    """
    The name of the hypervisor that the instance runs on.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    save-password: give an instance a new password.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    password: str
    """
    The new password in plain text. A credential.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    sshkey: str
    """
    The public key, or several, a line each. Treat it as a credential: people paste private keys.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    userdata: NotRequired[str]
    """
    The user data as plain text, byte for byte. It often holds credentials.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
A text, or bytes that are not text.
"""


class SetDhcpOptions(TypedDict):
    """
    set-dhcp-options: set a NIC's own DHCP options. No server sends it yet.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: int
    """
    The id of the NIC that gets the options: the number in the server's database.
    """
    options: NotRequired[DhcpOptions]
    """
    The options, in place of those that the NIC had: the option's number (1 to 254, RFC 2132) to its value as text, such as "26": "1400" for an MTU of 1400 bytes. If they are absent, nothing changes; an empty object removes all of them.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    shutdown-vpc: take a VPC down. Every tier was destroyed before.
    """

    vpc_cidr: NotRequired[str]
    """
    The IPv4 address range of the tiers: their subnets are parts of it.
    """
    vpc_id: int
    """
    The VPC's id: the number in the server's database, the same in every command.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
The transport protocol. tcp: TCP, protocol number 6. udp: UDP, protocol number 17.
"""


class UpdateVpcSourceNatIp(TypedDict):
    """
    update-vpc-source-nat-ip: from now on, guests without a public address of their own use this one.
    """

    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vpc_cidr: NotRequired[str]
    """
    The IPv4 address range of the tiers: their subnets are parts of it.
    """
    vpc_id: int
    """
    The VPC's id: the number in the server's database, the same in every command.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    One file of an instance's metadata. The server sends the directories userdata, metadata and password. The README also shows meta-data, and nested files such as public-keys/0/openssh-key.
    """

    content: NotRequired[SecretBytes]
    """
    The content, byte for byte, as text. It may be a credential.
    """
    dir: str
    """
    The directory. Untrusted text: never use it as a path.
    """
    file: str
    """
    The file. Untrusted text: never use it as a path.
    """


class AclRule(TypedDict):
    """
    One item of a tier's access list.
    """

    action: AclAction
    """
    The action on the packets that the item matches, in any case. Another word is refused.
    """
    destCidrs: NotRequired[list[IpNet]]
    """
    The tier's end, in some documents; no server is known to send it. Empty means the whole tier.
    """
    icmpCode: NotRequired[int]
    """
    The ICMP code, 0 to 255, of a rule for icmp. -1 or absent means any.
    """
    icmpType: NotRequired[int]
    """
    The ICMP type, 0 to 255, of a rule for icmp. -1 or absent means any.
    """
    id: NotRequired[int]
    """
    The server's id of the item, a number. Not every version sends it.
    """
    number: int
    """
    The item's position in the list, counted from 1. The lowest number is matched first.
    """
    portEnd: NotRequired[int]
    """
    The last destination port, 0 to 65535. Absent means the first port alone.
    """
    portStart: NotRequired[int]
    """
    The first destination port, 0 to 65535, of a rule for tcp or udp. Absent means every port.
    """
    protocol: str
    """
    The protocol, in any case: tcp, udp, icmp, all for every protocol, or an IP protocol number, 0 to 255. Another word is refused.
    """
    sourceCidrs: list[IpNet]
    """
    The other end: the source of ingress traffic, the **destination** of egress traffic. Empty means any address.
    """
    trafficType: Direction
    """
    The direction of the traffic, as seen from the tier, in any case. Another word is refused.
    """


class AddDhcpEntry(TypedDict):
    """
    add-dhcp-entry: reserve an instance's address. Give no router to a NIC that does not carry the instance's default route.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    hostname: NotRequired[str]
    """
    The instance's host name, one label or several.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    hostname: NotRequired[str]
    """
    The instance's host name, one label or several.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    add-port-forward: forward ports of a public address to an instance.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    private_ip: str
    """
    The instance's IPv4 address on the guest network.
    """
    private_port: PortRange
    """
    The port or ports of the instance, 0 to 65535: one, or as many as public_port has.
    """
    protocol: TransportProtocol
    """
    The transport protocol, in any case. Another word is refused.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_port: PortRange
    """
    The port or ports of the public address, 0 to 65535: 22, 8080-8090 or 8080:8090.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    add-static-nat: give an instance a public address of its own, in both directions.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    private_ip: str
    """
    The instance's IPv4 address on the guest network.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    apply-lb-rules: add, change or revoke load balancer rules. Rules that are missing here stay as they are.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    lb_rules: list[LoadBalancerRule]
    """
    The changed rules, or all rules. A rule that is missing here stays as it is.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    apply-network-acl: replace the access list of a tier, which is the network.
    """

    acl_rules: list[AclRule]
    """
    All items, by ascending number. The first match decides; traffic that matches no item is denied. Traffic inside the tier's own subnet is not filtered, and established flows continue.
    """
    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    assign-ip: use a public address for the network. The source NAT address of a VPC's tiers belongs to the VPC.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    config-dns-subnet: serve DNS on a network. The name data-server resolves to the extension IP.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
        'action-params': NotRequired[ActionParameters],
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
    delete-port-forward: stop forwarding these ports to the instance. A late delete must not remove a newer forward of the same ports to another instance or port.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    private_ip: str
    """
    The instance's IPv4 address on the guest network.
    """
    private_port: PortRange
    """
    The port or ports of the instance, 0 to 65535: one, or as many as public_port has.
    """
    protocol: TransportProtocol
    """
    The transport protocol, in any case. Another word is refused.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_port: PortRange
    """
    The port or ports of the public address, 0 to 65535: 22, 8080-8090 or 8080:8090.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    delete-static-nat: take the public address away from the instance.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    private_ip: str
    """
    The instance's IPv4 address on the guest network.
    """
    public_cidr: NotRequired[str]
    """
    The public subnet: the network or any address in it, with the prefix length, such as 198.51.100.10/24.
    """
    public_gateway: NotRequired[str]
    """
    The gateway of the public subnet.
    """
    public_ip: str
    """
    The public IPv4 address.
    """
    public_vlan: NotRequired[str]
    """
    The segment of the public address: vlan://101 or 101 for a VLAN, vxlan://5000, vlan://untagged. Absent means untagged.
    """
    source_nat: NotRequired[bool]
    """
    Whether this is the source NAT address, which guests without a public address of their own use. See is_source_nat.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    destroy-network: delete a network for good. This device may never have implemented it, and the details may be empty.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    ensure-network-device: choose the device of a network or VPC, or keep the current one, and print its details. The server sends it before almost every other command. If it fails, the other command still runs.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    current_details: NotRequired[DeviceDetails]
    """
    The details that the device printed last, the same as network-extension-details. Empty ({}) for a new network, or one that was shut down.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: NotRequired[int]
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_cidr: NotRequired[str]
    """
    The IPv4 address range of the tiers: their subnets are parts of it.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    vpc_state: NotRequired[str]
    """
    The server's state of the VPC at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    One firewall rule. An ingress rule allows traffic to a public address, the destination of the packet as it arrives. An egress rule matches traffic from guests; default_egress_allow decides whether it allows or denies.
    """

    destCidrs: NotRequired[list[IpNet]]
    """
    The destinations of an egress rule: outside networks. Empty means any address.
    """
    icmpCode: NotRequired[int]
    """
    The ICMP code, 0 to 255, of a rule for icmp. -1 or absent means any.
    """
    icmpType: NotRequired[int]
    """
    The ICMP type, 0 to 255, of a rule for icmp. -1 or absent means any.
    """
    id: NotRequired[int]
    """
    The server's id of the rule, a number.
    """
    portEnd: NotRequired[int]
    """
    The last destination port, 0 to 65535. Absent means the first port alone.
    """
    portStart: NotRequired[int]
    """
    The first destination port, 0 to 65535, of a rule for tcp or udp. Absent means every port.
    """
    protocol: str
    """
    The protocol, in any case: tcp, udp, icmp, all for every protocol, or an IP protocol number, 0 to 255. Another word is refused.
    """
    publicIp: NotRequired[str]
    """
    The public address that an ingress rule opens. An egress rule has none.
    """
    sourceCidrs: list[IpNet]
    """
    The sources: outside networks for ingress, guests for egress. Empty means any address.
    """
    type: Direction
    """
    The direction of the traffic, as seen from the guests, in any case. Another word is refused.
    """


class FirewallRules(TypedDict):
    """
    All firewall rules of a network.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet, the same as the network's cidr.
    """
    default_egress_allow: bool
    """
    The default for traffic from guests. true: it passes unless an egress rule matches it. false: it is dropped unless an egress rule matches it.
    """
    rules: list[FirewallRule]
    """
    The rules. Their order has no meaning.
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
    One instance's NIC with its lease, names and metadata.
    """

    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain.
    """
    hostname: NotRequired[str]
    """
    The instance's host name, one label or several.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    mac: str
    """
    The NIC's hardware address.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API.
    """
    vm_data: NotRequired[list[VmDataEntry]]
    """
    The instance's metadata and user data, without its password.
    """


class SaveVmData(TypedDict):
    """
    save-vm-data: replace an instance's metadata, user data included.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    default_nic: NotRequired[bool]
    """
    Whether this NIC carries the instance's default route. A NIC with false gets no router from DHCP. Absent means true.
    """
    device_id: NotRequired[int]
    """
    The NIC's place among the instance's NICs, counted from 0.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    ip: NotRequired[str]
    """
    The NIC's IPv4 address. Absent on layer-2 networks.
    """
    ip6_address: NotRequired[str]
    """
    The NIC's IPv6 address, if it has one.
    """
    ip6_cidr: NotRequired[str]
    """
    The IPv6 prefix of the NIC's address.
    """
    ip6_gateway: NotRequired[str]
    """
    The NIC's IPv6 gateway, if it has IPv6.
    """
    mac: NotRequired[str]
    """
    The NIC's hardware address, by which a device identifies it.
    """
    netmask: NotRequired[str]
    """
    The netmask of the NIC's IPv4 address, such as 255.255.255.0.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    nic_id: NotRequired[int]
    """
    The NIC's id: the number in the server's database.
    """
    nic_uuid: NotRequired[str]
    """
    The NIC's id in the API. The KVM agent writes it as iface-id on a port of an overlay.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vm_data: list[VmDataEntry]
    """
    All files that the instance can read: metadata, user data, possibly a password.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    apply-fw-rules: replace all firewall rules of a network. It may come before implement-network.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    fw_rules: FirewallRules
    """
    All firewall rules of the network, every time. A rule that is missing here is deleted.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
    The instances of a network with their leases, names and metadata.
    """

    dhcp_enabled: NotRequired[bool]
    """
    Whether the device serves DHCP on the network.
    """
    dns_enabled: NotRequired[bool]
    """
    Whether the device serves DNS on the network.
    """
    userdata_enabled: NotRequired[bool]
    """
    Whether the device serves metadata and user data on the network.
    """
    vms: list[RestoredVm]
    """
    All instances with a NIC on the network. An instance that is missing here has no lease, name or metadata.
    """


class RestoreNetwork(TypedDict):
    """
    restore-network: restore the leases, names and metadata of all instances of a network after a restart. It holds no passwords: an unread one must survive the restart on the device.
    """

    cidr: NotRequired[str]
    """
    The guests' IPv4 subnet. In commands about a VPC, some senders use this name for vpc_cidr.
    """
    dns: NotRequired[list[IpAddr]]
    """
    The resolvers for guests, in order of preference.
    """
    dns6: NotRequired[list[IpAddr]]
    """
    The resolvers with IPv6 addresses, in order of preference.
    """
    domain: NotRequired[str]
    """
    The network's DNS domain: instances are <hostname>.<domain>. Empty unless the device declares the capability Dns.AllowDnsSuffixModification.
    """
    extension_ip: NotRequired[str]
    """
    The address that the device answers on inside the guest network: the gateway if the device provides SourceNat or Gateway, otherwise an address of its own. Absent if the device needs none.
    """
    gateway: NotRequired[str]
    """
    The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway, which differs in another IP range of a shared network.
    """
    guest_type: NotRequired[GuestType]
    """
    The kind of network, in any case. Another word is refused.
    """
    network_id: int
    """
    The network's id: the number in the server's database, the same in every command.
    """
    network_ip6_cidr: NotRequired[str]
    """
    The guests' IPv6 prefix, if the network has IPv6.
    """
    network_ip6_gateway: NotRequired[str]
    """
    The guests' IPv6 gateway, if the network has IPv6.
    """
    network_state: NotRequired[str]
    """
    The server's state of the network at the time of the command, in any case. Older servers do not send it, and newer ones may send other words.
    """
    restore_data: RestoreData
    """
    The leases, names and metadata of all instances.
    """
    vlan: NotRequired[str]
    """
    The layer-2 segment of the guests: the part after :// in the network's broadcast URI. A number is a VLAN (1 to 4094) or a VXLAN (above 4094). Another text is the name of an overlay's segment. Absent for a flat network, and possibly on a repeated implement-network.
    """
    vpc_id: NotRequired[int]
    """
    The id of the network's VPC, if the network is a tier: the number in the server's database.
    """
    zone_id: NotRequired[int]
    """
    The zone's id: the number in the server's database.
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
