//! The values of the protocol: what a field holds, parsed once and unable to hold anything else.

mod broadcast;
mod details;
mod extra;
mod id;
mod list;
mod mac;
mod name;
mod port;
mod secret;
mod segment;
mod state;
mod traffic;

pub use broadcast::BroadcastDomainType;
pub use details::{DeviceDetails, PhysicalDetails};
pub use extra::Extra;
pub use id::{NetworkId, NicId, NicUuid, VpcId, ZoneId};
pub use list::AddressList;
pub use mac::MacAddr;
pub use name::{DomainName, HostName};
pub use port::PortRange;
pub use secret::{Secret, SecretBytes};
pub use segment::Segment;
pub use state::{GuestType, NetworkState, VpcState};
pub use traffic::{Direction, Traffic, TransportProtocol};
