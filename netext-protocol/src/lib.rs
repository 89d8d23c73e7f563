//! The CloudStack Network Extension protocol, version 1: every command's payload and response as types.
//!
//! Apache CloudStack hands a network's services to an executable, which it calls for every event as
//! `<exe> <command> <payload.json> <timeout>`. This crate defines the payload file and what the executable may
//! print. It does no I/O, starts nothing and has no async code. Use `netext-core` to build such an executable.
//!
//! - [`Command`] lists the commands with their facts: [`Scope`], [`Service`]s, [`Effect`], [`Shape`] and
//!   [`Output`]. [`for_each_command!`] passes the same table to a macro.
//! - [`Envelope::parse`] reads a payload file into a [`Request`]: one struct per command, made of the field
//!   groups [`Network`], [`Nic`], [`PublicIp`], [`Resolvers`], [`Vpc`] and fields of its own. A [`ParseError`]
//!   names the field and the problem.
//! - Values are typed and cannot hold dangerous text: [`PortRange`], [`Segment`], [`Traffic`], [`HostName`],
//!   [`Secret`] and others.
//! - Responses are [`DeviceDetails`], [`NetworkUpdate`] and [`ActionResult`].
//! - [`Capability`] lists the capabilities that an extension registers for its services.
#![cfg_attr(
    feature = "schema",
    doc = "- [`schema`] (a default feature) describes all of it as JSON Schemas."
)]
#![cfg_attr(
    feature = "samples",
    doc = "- [`Sample`] (feature `samples`) is a realistic payload file, at least one for every command."
)]
//!
//! The reader accepts a scalar as text, number or boolean, both spellings of some fields, and `""` and `null` for
//! absent. It is strict about structure, and refuses every unknown value that matters for security. Unknown
//! fields are kept in [`Extra`].
//!
//! ```
//! use netext_protocol::{Command, Envelope, Request, Segment};
//!
//! let file = br#"{
//!     "physical-network-extension-details": {"host": "192.0.2.10"},
//!     "network-extension-details": {"namespace": "cs-net-209"},
//!     "payload": {"network_id": "209", "vlan": "1910", "guest_type": "isolated", "gateway": "10.1.1.1",
//!                 "cidr": "10.1.1.0/24", "extension_ip": "10.1.1.1"}
//! }"#;
//! let envelope = Envelope::parse(Command::ImplementNetwork, file)?;
//! assert_eq!(envelope.device_details.get_str("namespace"), Some("cs-net-209"));
//! let Request::ImplementNetwork(request) = envelope.request else { unreachable!() };
//! assert_eq!(request.network.vlan, Some(Segment::Vlan(1910)));
//! # Ok::<(), netext_protocol::ParseError>(())
//! ```

#![forbid(unsafe_code)]

mod command;
mod envelope;
mod group;
mod message;
#[cfg(feature = "samples")]
mod sample;
#[cfg(feature = "schema")]
pub mod schema;
mod service;
mod value;
mod wire;

pub use command::{Command, Effect, Output, PROTOCOL_VERSION, Scope, Shape, UnknownCommand};
pub use envelope::{Envelope, ParseError, Request};
pub use group::{MissingField, Network, Nic, NicIdentity, PublicIp, Resolvers, Subject, Vpc};
pub use message::acl::{AclAction, AclRule, ApplyNetworkAcl};
pub use message::custom_action::{ActionMessage, ActionParameters, ActionResult, CustomAction};
pub use message::firewall::{ApplyFwRules, FirewallRule, FirewallRules, FirewallSubject};
pub use message::lifecycle::{
    DestroyNetwork, DestroyVpc, EnsureNetworkDevice, ImplementNetwork, ImplementVpc, NetworkUpdate,
    ShutdownNetwork, ShutdownVpc, UpdateVpcSourceNatIp,
};
pub use message::load_balancer::{
    ApplyLbRules, LoadBalancerAlgorithm, LoadBalancerMember, LoadBalancerProtocol, LoadBalancerRule,
};
pub use message::metadata::{
    SaveHypervisorHostname, SavePassword, SaveSshkey, SaveUserdata, SaveVmData, VmDataEntry,
};
pub use message::nic::{
    AddDhcpEntry, AddDnsEntry, ConfigDhcpSubnet, ConfigDnsSubnet, DhcpOptions, PrepareNic, ReleaseNic,
    RemoveDhcpEntry, RemoveDhcpSubnet, RemoveDnsEntry, RemoveDnsSubnet, SetDhcpOptions,
};
pub use message::public_address::{
    AddPortForward, AddStaticNat, AssignIp, DeletePortForward, DeleteStaticNat, PortForward, ReleaseIp,
};
pub use message::restore::{RestoreData, RestoreNetwork, RestoredVm};
#[cfg(feature = "samples")]
pub use sample::{Sample, Sender};
pub use service::{Capability, CapabilityValues, InvalidCapability, Service};
pub use value::details::{DeviceDetails, PhysicalDetails};
pub use value::identifier::{
    AddressList, DomainName, HostName, MacAddr, NetworkId, NicId, NicUuid, VpcId, ZoneId,
};
pub use value::network::{BroadcastDomainType, GuestType, NetworkState, Segment, VpcState};
pub use value::secret::{Secret, SecretBytes};
pub use value::traffic::{Direction, PortRange, Traffic, TransportProtocol};
pub use wire::fields::Extra;
pub use wire::text::InvalidText;

/// The examples of the README, run as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
