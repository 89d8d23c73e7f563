"""The commands of the protocol, as types. Written by generate.py from docs/schemas; do not edit."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Dict, List, Optional

from .wire import Each, Fields, JsonObject, Ports, Refused, Scalar, Secret, optional, required

VERSION = 1

#: Every command, with the services that it belongs to; one that belongs to none comes to every device.
COMMANDS = {
    "ensure-network-device": [],
    "implement-network": [],
    "shutdown-network": [],
    "destroy-network": [],
    "restore-network": ["Dhcp", "Dns", "UserData"],
    "implement-vpc": [],
    "shutdown-vpc": [],
    "destroy-vpc": [],
    "update-vpc-source-nat-ip": [],
    "assign-ip": ["SourceNat"],
    "release-ip": ["SourceNat"],
    "add-static-nat": ["StaticNat"],
    "delete-static-nat": ["StaticNat"],
    "add-port-forward": ["PortForwarding"],
    "delete-port-forward": ["PortForwarding"],
    "apply-fw-rules": ["Firewall"],
    "apply-network-acl": ["NetworkACL"],
    "prepare-nic": [],
    "release-nic": [],
    "config-dhcp-subnet": ["Dhcp"],
    "remove-dhcp-subnet": ["Dhcp"],
    "add-dhcp-entry": ["Dhcp"],
    "remove-dhcp-entry": ["Dhcp"],
    "set-dhcp-options": ["Dhcp"],
    "config-dns-subnet": ["Dns"],
    "remove-dns-subnet": ["Dns"],
    "add-dns-entry": ["Dns"],
    "remove-dns-entry": ["Dns"],
    "save-vm-data": ["UserData"],
    "save-password": ["UserData"],
    "save-userdata": ["UserData"],
    "save-sshkey": ["UserData"],
    "save-hypervisor-hostname": ["UserData"],
    "apply-lb-rules": ["Lb"],
    "custom-action": ["CustomAction"],
}

IPV4_NETWORK = Scalar(
    IPv4Interface,
    ["string"],
    pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$",
    expected="an IPv4 network such as 10.1.1.0/24",
)
IPV4_ADDRESS = Scalar(
    IPv4Address,
    ["string"],
    pattern=r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
    expected="an IPv4 address",
)
GUEST_TYPE = Scalar(
    str,
    ["string"],
    pattern=r"^([Ii][Ss][Oo][Ll][Aa][Tt][Ee][Dd]|[Ss][Hh][Aa][Rr][Ee][Dd]|[Ll]2)$",
    expected="a guest type (isolated, shared, l2)",
)
NETWORK_ID = Scalar(
    int,
    ["string", "number"],
    pattern=r"^[0-9]+$",
    expected="a network id (a number)",
)
IPV6_NETWORK = Scalar(
    IPv6Interface,
    ["string"],
    pattern=r"^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*/[0-9]{1,3}$",
    expected="an IPv6 network such as 2001:db8:1::/64",
)
IPV6_ADDRESS = Scalar(
    IPv6Address,
    ["string"],
    pattern=r"^[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*$",
    expected="an IPv6 address",
)
STATE = Scalar(
    str,
    ["string", "number", "boolean"],
    expected="a state",
)
SEGMENT = Scalar(
    str,
    ["string", "number", "boolean"],
    pattern=r"^(([Vv][Ll][Aa][Nn]|[Vv][Xx][Ll][Aa][Nn])://)?[0-9A-Za-z][0-9A-Za-z_.:-]{0,254}$",
    expected="a segment such as 1910, vlan://101, vlan://untagged, vxlan://5000 or a name",
)
VPC_ID = Scalar(
    int,
    ["string", "number"],
    pattern=r"^[0-9]+$",
    expected="a VPC id (a number)",
)
ZONE_ID = Scalar(
    int,
    ["string", "number"],
    pattern=r"^[0-9]+$",
    expected="a zone id (a number)",
)
MAC = Scalar(
    str,
    ["string"],
    pattern=r"^[0-9A-Fa-f]{2}(([:-])[0-9A-Fa-f]{2}){5}$",
)
NIC_ID = Scalar(
    int,
    ["string", "number"],
    pattern=r"^[0-9]+$",
)
TRUE_OR_FALSE = Scalar(
    bool,
    ["string", "boolean"],
    pattern=r"^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$",
    expected="true or false",
)
WHOLE_NUMBER = Scalar(
    int,
    ["string", "number"],
    pattern=r"^[0-9]+$",
    expected="a whole number",
)
HOST_NAME = Scalar(
    str,
    ["string", "number", "boolean"],
    pattern=r"^[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?(\.[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*$",
    expected="a host name (letters, digits, '-' and '_', labels joined by '.')",
)
NIC_UUID = Scalar(
    str,
    ["string", "number", "boolean"],
    pattern=r"^[0-9A-Za-z-]{1,64}$",
    expected="a NIC uuid (up to 64 letters, digits and '-')",
)


@dataclass(frozen=True)
class Details(Fields):
    """What travels with every command."""

    # What the device last printed for ensure-network-device.
    network_extension_details: Optional[Dict[str, Any]] = optional(
        JsonObject(), "network-extension-details", "network_extension_details"
    )
    # What the operator registered on the physical network: texts by name.
    physical_network_extension_details: Optional[Dict[str, Secret]] = optional(
        JsonObject(secret=True), "physical-network-extension-details", "physical_network_extension_details"
    )


@dataclass(frozen=True)
class EnsureNetworkDevice(Fields):
    """ensure-network-device: choose the device of a network or VPC, or keep the present one, and print its
    details. Comes before every other command; if it fails the other command still runs.
    """

    ONE_OF = [["network_id", "vpc_id"]]
    # The guests' IPv4 subnet.
    cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # What the device last said about itself; empty at first.
    current_details: Optional[Dict[str, Any]] = optional(JsonObject())
    # The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    gateway: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # How guests use the network.
    guest_type: Optional[str] = optional(GUEST_TYPE)
    # The network's id.
    network_id: Optional[int] = optional(NETWORK_ID)
    # The guests' IPv6 prefix.
    network_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # The guests' IPv6 gateway.
    network_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The server's state of the network; older servers do not send it.
    network_state: Optional[str] = optional(STATE)
    # The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly
    # on a repeated implement-network.
    vlan: Optional[str] = optional(SEGMENT)
    # The address range that the tiers are cut from.
    vpc_cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # The VPC, if the network is a tier of one.
    vpc_id: Optional[int] = optional(VPC_ID)
    # The server's state of the VPC; older servers do not send it.
    vpc_state: Optional[str] = optional(STATE)
    # The zone.
    zone_id: Optional[int] = optional(ZONE_ID)


@dataclass(frozen=True)
class ImplementNetwork(Fields):
    """implement-network: bring a network into being, or bring it back."""

    # The network's id.
    network_id: int = required(NETWORK_ID)
    # The guests' IPv4 subnet.
    cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # What the device answers on inside the guest network: the gateway where the device routes, else an
    # address of its own, absent where it answers on none.
    extension_ip: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    gateway: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # How guests use the network.
    guest_type: Optional[str] = optional(GUEST_TYPE)
    # The guests' IPv6 prefix.
    network_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # The guests' IPv6 gateway.
    network_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The server's state of the network; older servers do not send it.
    network_state: Optional[str] = optional(STATE)
    # The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly
    # on a repeated implement-network.
    vlan: Optional[str] = optional(SEGMENT)
    # The VPC, if the network is a tier of one.
    vpc_id: Optional[int] = optional(VPC_ID)
    # The zone.
    zone_id: Optional[int] = optional(ZONE_ID)


@dataclass(frozen=True)
class ShutdownNetwork(Fields):
    """shutdown-network: take a network down. The server forgets the device's details, and replays every
    rule when it implements the network again.
    """

    # The network's id.
    network_id: int = required(NETWORK_ID)
    # The guests' IPv4 subnet.
    cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    gateway: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # How guests use the network.
    guest_type: Optional[str] = optional(GUEST_TYPE)
    # The guests' IPv6 prefix.
    network_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # The guests' IPv6 gateway.
    network_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The server's state of the network; older servers do not send it.
    network_state: Optional[str] = optional(STATE)
    # The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly
    # on a repeated implement-network.
    vlan: Optional[str] = optional(SEGMENT)
    # The VPC, if the network is a tier of one.
    vpc_id: Optional[int] = optional(VPC_ID)
    # The zone.
    zone_id: Optional[int] = optional(ZONE_ID)


@dataclass(frozen=True)
class DestroyNetwork(Fields):
    """destroy-network: forget a network. It may never have been implemented here, and the details may be
    empty.
    """

    # The network's id.
    network_id: int = required(NETWORK_ID)
    # The guests' IPv4 subnet.
    cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    gateway: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # How guests use the network.
    guest_type: Optional[str] = optional(GUEST_TYPE)
    # The guests' IPv6 prefix.
    network_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # The guests' IPv6 gateway.
    network_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The server's state of the network; older servers do not send it.
    network_state: Optional[str] = optional(STATE)
    # The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly
    # on a repeated implement-network.
    vlan: Optional[str] = optional(SEGMENT)
    # The VPC, if the network is a tier of one.
    vpc_id: Optional[int] = optional(VPC_ID)
    # The zone.
    zone_id: Optional[int] = optional(ZONE_ID)


@dataclass(frozen=True)
class PrepareNic(Fields):
    """prepare-nic: an instance's NIC is about to be used. On a shared network it may be the first
    command.
    """

    # Its hardware address.
    mac: str = required(MAC)
    # The network's id.
    network_id: int = required(NETWORK_ID)
    # The NIC's id.
    nic_id: int = required(NIC_ID)
    # The guests' IPv4 subnet.
    cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no
    # router.
    default_nic: Optional[bool] = optional(TRUE_OR_FALSE)
    # Its place among the instance's NICs, from 0.
    device_id: Optional[int] = optional(WHOLE_NUMBER)
    # What the device answers on inside the guest network.
    extension_ip: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    gateway: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # How guests use the network.
    guest_type: Optional[str] = optional(GUEST_TYPE)
    # The instance's host name.
    hostname: Optional[str] = optional(HOST_NAME)
    # Its IPv4 address; absent on layer-2 networks.
    ip: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # Its IPv6 address.
    ip6_address: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The IPv6 prefix that the address belongs to.
    ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # Its IPv6 gateway.
    ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The netmask that belongs to the address.
    netmask: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # The guests' IPv6 prefix.
    network_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # The guests' IPv6 gateway.
    network_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The server's state of the network; older servers do not send it.
    network_state: Optional[str] = optional(STATE)
    # Its IPv6 address.
    nic_ip6_address: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The IPv6 prefix that the address belongs to.
    nic_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # Its IPv6 gateway.
    nic_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # Its id in the API.
    nic_uuid: Optional[str] = optional(NIC_UUID)
    # The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly
    # on a repeated implement-network.
    vlan: Optional[str] = optional(SEGMENT)
    # The VPC, if the network is a tier of one.
    vpc_id: Optional[int] = optional(VPC_ID)
    # The zone.
    zone_id: Optional[int] = optional(ZONE_ID)


@dataclass(frozen=True)
class ReleaseNic(Fields):
    """release-nic: an instance's NIC is no longer used."""

    # Its hardware address.
    mac: str = required(MAC)
    # The network's id.
    network_id: int = required(NETWORK_ID)
    # The NIC's id.
    nic_id: int = required(NIC_ID)
    # The guests' IPv4 subnet.
    cidr: Optional[IPv4Interface] = optional(IPV4_NETWORK)
    # Whether the instance's default route leaves by this NIC. A NIC that does not carry it is given no
    # router.
    default_nic: Optional[bool] = optional(TRUE_OR_FALSE)
    # Its place among the instance's NICs, from 0.
    device_id: Optional[int] = optional(WHOLE_NUMBER)
    # What the device answers on inside the guest network.
    extension_ip: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # The guests' IPv4 gateway. In a command about a NIC it is that NIC's own gateway.
    gateway: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # How guests use the network.
    guest_type: Optional[str] = optional(GUEST_TYPE)
    # Its IPv4 address; absent on layer-2 networks.
    ip: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # Its IPv6 address.
    ip6_address: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The IPv6 prefix that the address belongs to.
    ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # Its IPv6 gateway.
    ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The netmask that belongs to the address.
    netmask: Optional[IPv4Address] = optional(IPV4_ADDRESS)
    # The guests' IPv6 prefix.
    network_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # The guests' IPv6 gateway.
    network_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The server's state of the network; older servers do not send it.
    network_state: Optional[str] = optional(STATE)
    # Its IPv6 address.
    nic_ip6_address: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # The IPv6 prefix that the address belongs to.
    nic_ip6_cidr: Optional[IPv6Interface] = optional(IPV6_NETWORK)
    # Its IPv6 gateway.
    nic_ip6_gateway: Optional[IPv6Address] = optional(IPV6_ADDRESS)
    # Its id in the API.
    nic_uuid: Optional[str] = optional(NIC_UUID)
    # The segment: what follows :// in the network's broadcast URI. Absent for a flat network, and possibly
    # on a repeated implement-network.
    vlan: Optional[str] = optional(SEGMENT)
    # The VPC, if the network is a tier of one.
    vpc_id: Optional[int] = optional(VPC_ID)
    # The zone.
    zone_id: Optional[int] = optional(ZONE_ID)


#: The types of the payloads, by command.
REQUESTS = {
    "ensure-network-device": EnsureNetworkDevice,
    "implement-network": ImplementNetwork,
    "shutdown-network": ShutdownNetwork,
    "destroy-network": DestroyNetwork,
    "prepare-nic": PrepareNic,
    "release-nic": ReleaseNic,
}


def read(command, document):
    """Reads a payload document: the details that travel with every command, and the payload."""
    if not isinstance(document, dict):
        raise Refused(command, "the payload file is not an object")
    details = Details.read(document, command)
    request = REQUESTS[command]
    if request.FLAT:
        return details, request.read(document, command)
    return details, request.read(document.get("payload"), f"{command}: payload")
