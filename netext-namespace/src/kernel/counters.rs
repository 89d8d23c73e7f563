//! Counters of the packet rules: how many packets matched an element of a set, and how many bytes they had.

use std::net::IpAddr;

use netlink_packet_core::DefaultNla;

use super::namespace::Namespace;
use super::netlink::{NetlinkRequest, NetlinkSocket, address, attributes, string};
use super::nftables::{NFNL_SUBSYS_NFTABLES, NftError};
use crate::plan::PACKET_TABLE;

const NFT_MSG_GETSETELEM: u8 = 13;
const NFPROTO_INET: u8 = 1;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_EXPR: u16 = 7;
const NFTA_DATA_VALUE: u16 = 1;
const NFTA_EXPR_NAME: u16 = 1;
const NFTA_EXPR_DATA: u16 = 2;
const NFTA_COUNTER_BYTES: u16 = 1;
const NFTA_COUNTER_PACKETS: u16 = 2;

/// What an address was counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressCount {
    /// The address.
    pub address: IpAddr,
    /// Packets.
    pub packets: u64,
    /// Their bytes, from the IP header on.
    pub bytes: u64,
}

/// Reads the counters of a set of addresses.
///
/// # Errors
/// When the kernel refuses, as it does if there is no such set.
pub fn read(namespace: &Namespace, set: &str) -> Result<Vec<AddressCount>, NftError> {
    let (_, table) = PACKET_TABLE.split_once(' ').expect("a family and a name");
    let text = |text: &str| text.bytes().chain([0]).collect::<Vec<u8>>();
    let body = [
        DefaultNla::new(NFTA_SET_ELEM_LIST_TABLE, text(table)),
        DefaultNla::new(NFTA_SET_ELEM_LIST_SET, text(set)),
    ];
    let attempted = format!("read the counters of {set} of the rules of {}", namespace.name());
    let request =
        NetlinkRequest::netfilter(attempted, (NFNL_SUBSYS_NFTABLES, NFT_MSG_GETSETELEM), NFPROTO_INET, &body);
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let pieces = socket.dump(&request, |piece| {
        let lists = attributes(piece.get(4..)?).filter(|(kind, _)| *kind == NFTA_SET_ELEM_LIST_ELEMENTS);
        let elements = lists.flat_map(|(_, list)| attributes(list));
        Some(elements.filter_map(|(_, element)| AddressCount::of(element)).collect::<Vec<_>>())
    })?;
    Ok(pieces.concat())
}

impl AddressCount {
    fn of(element: &[u8]) -> Option<Self> {
        let key = nested(element, NFTA_SET_ELEM_KEY).and_then(|key| nested(key, NFTA_DATA_VALUE))?;
        let expression = nested(element, NFTA_SET_ELEM_EXPR)?;
        if string(nested(expression, NFTA_EXPR_NAME)?) != "counter" {
            return None;
        }
        let counter = nested(expression, NFTA_EXPR_DATA)?;
        let number = |kind| nested(counter, kind)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        Some(Self {
            address: address(key)?,
            packets: number(NFTA_COUNTER_PACKETS)?,
            bytes: number(NFTA_COUNTER_BYTES)?,
        })
    }
}

fn nested(attribute: &[u8], wanted: u16) -> Option<&[u8]> {
    attributes(attribute).find(|(kind, _)| *kind == wanted).map(|(_, value)| value)
}
