//! The packet rules in the kernel: their generation, the elements of sets, and their counters.
//!
//! Most commands change one element. The kernel is asked to do that directly, because to start `nft` for it would cost
//! more than everything else.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::{fs, io};

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED, NLM_F_CREATE};
use rustix::io::Errno;

use super::namespace::Namespace;
use super::netlink::uapi::{
    NFGENMSG, NFNL_SUBSYS_NFTABLES, NFPROTO_INET, NFPROTO_UNSPEC, NFT_MSG_DELSETELEM, NFT_MSG_GETGEN,
    NFT_MSG_GETSETELEM, NFT_MSG_GETTABLE, NFT_MSG_NEWSETELEM, NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS,
    NFTA_DATA_VALUE, NFTA_EXPR_DATA, NFTA_EXPR_NAME, NFTA_GEN_ID, NFTA_LIST_ELEM, NFTA_SET_ELEM_DATA,
    NFTA_SET_ELEM_EXPR, NFTA_SET_ELEM_KEY, NFTA_SET_ELEM_LIST_ELEMENTS, NFTA_SET_ELEM_LIST_SET,
    NFTA_SET_ELEM_LIST_TABLE, NFTA_TABLE_NAME,
};
use super::netlink::{
    NetlinkError, NetlinkRequest, NetlinkSocket, address, attribute, attributes, counter, network_number,
    string,
};
use super::nft::NftError;
use crate::plan::{ElementChange, ElementFields, PACKET_TABLE, RulesetGeneration, SetElement};

/// An attribute's length has 16 bits, and an element has less than a hundred bytes.
const ELEMENTS_PER_MESSAGE: usize = 500;

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The packets that were counted for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressCount {
    /// The address.
    pub address: IpAddr,
    /// Packets.
    pub packets: u64,
    /// Their bytes, from the IP header on.
    pub bytes: u64,
}

/// The generation of the packet rules, whichever process made their last transaction; `None` without our table.
pub fn generation(namespace: &Namespace) -> Result<Option<RulesetGeneration>, NftError> {
    let name = namespace.name();
    let attempted = format!("ask for the generation of the rules of {name}");
    let table = format!("look for the table {PACKET_TABLE} of {name}");
    let requests = [
        request(attempted.clone(), NFT_MSG_GETGEN, NFPROTO_UNSPEC, &[]),
        request(table, NFT_MSG_GETTABLE, NFPROTO_INET, &[our_table(NFTA_TABLE_NAME)])
            .tolerating(&[Errno::NOENT]),
    ];
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let mut replies = socket.exchange(&requests)?.into_iter();
    let reply = replies.next().flatten().unwrap_or_default();
    let id = attribute(reply.get(NFGENMSG..).unwrap_or_default(), NFTA_GEN_ID).and_then(network_number);
    let id = id.ok_or_else(|| NetlinkError::new(attempted, io::ErrorKind::InvalidData.into()))?;
    if replies.next().flatten().is_none() {
        return Ok(None);
    }
    let namespace = socket.namespace_cookie()?;
    Ok(Some(RulesetGeneration { boot: boot()?.to_owned(), namespace, number: id }))
}

/// The kernel's id of this boot. It is read once.
fn boot() -> Result<&'static str, NetlinkError> {
    static BOOT: OnceLock<String> = OnceLock::new();

    if let Some(boot) = BOOT.get() {
        return Ok(boot);
    }
    let read = fs::read_to_string(BOOT_ID).map_err(|e| NetlinkError::new(format!("read {BOOT_ID}"), e))?;
    Ok(BOOT.get_or_init(|| read.trim_end().to_owned()))
}

/// Changes elements of sets as one transaction, if the rules are still of the generation given.
///
/// # Errors
/// [`NftError::Changed`] if they are of another generation, [`NftError::Netlink`] if the kernel refuses an
/// element. Either way the rules are unchanged.
pub fn change_elements(
    namespace: &Namespace,
    changes: &[ElementChange],
    generation: &RulesetGeneration,
) -> Result<(), NftError> {
    let name = namespace.name();
    let mut requests = Vec::new();
    for change in changes {
        let (message, flags, verb) = if change.add {
            (NFT_MSG_NEWSETELEM, NLM_F_CREATE, "add to")
        } else {
            (NFT_MSG_DELSETELEM, 0, "delete from")
        };
        for elements in change.elements.chunks(ELEMENTS_PER_MESSAGE) {
            let attempted = format!("{verb} {} of the rules of {name}", change.set);
            let list = DefaultNla::new(NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, encoded(elements));
            let body = [our_table(NFTA_SET_ELEM_LIST_TABLE), text(NFTA_SET_ELEM_LIST_SET, &change.set), list];
            requests.push(request(attempted, message, NFPROTO_INET, &body).with_flags(flags));
        }
    }
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    socket.transaction(NFNL_SUBSYS_NFTABLES, generation.number, &requests).map_err(|error| {
        if error.is(Errno::RESTART) {
            NftError::Changed { namespace: name.to_string() }
        } else {
            error.into()
        }
    })
}

/// Reads the counters of a set of addresses.
///
/// # Errors
/// If the kernel refuses, as it does without such a set.
pub fn counters(namespace: &Namespace, set: &str) -> Result<Vec<AddressCount>, NftError> {
    let attempted = format!("read the counters of {set} of the rules of {}", namespace.name());
    let body = [our_table(NFTA_SET_ELEM_LIST_TABLE), text(NFTA_SET_ELEM_LIST_SET, set)];
    let request = request(attempted, NFT_MSG_GETSETELEM, NFPROTO_INET, &body);
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    let pieces = socket.dump(&request, |piece| {
        let elements = attributes(attribute(piece.get(NFGENMSG..)?, NFTA_SET_ELEM_LIST_ELEMENTS)?);
        Some(elements.filter_map(|(_, element)| AddressCount::read(element)).collect::<Vec<_>>())
    })?;
    Ok(pieces.concat())
}

impl AddressCount {
    pub(super) fn read(element: &[u8]) -> Option<Self> {
        let key = attribute(attribute(element, NFTA_SET_ELEM_KEY)?, NFTA_DATA_VALUE)?;
        let expression = attribute(element, NFTA_SET_ELEM_EXPR)?;
        if string(attribute(expression, NFTA_EXPR_NAME)?) != "counter" {
            return None;
        }
        let counts = attribute(expression, NFTA_EXPR_DATA)?;
        Some(Self {
            address: address(key)?,
            packets: attribute(counts, NFTA_COUNTER_PACKETS).and_then(counter)?,
            bytes: attribute(counts, NFTA_COUNTER_BYTES).and_then(counter)?,
        })
    }
}

fn request(attempted: String, message: u8, family: u8, attributes: &[DefaultNla]) -> NetlinkRequest {
    NetlinkRequest::netfilter(attempted, (NFNL_SUBSYS_NFTABLES, message), family, attributes)
}

fn our_table(kind: u16) -> DefaultNla {
    let (_, table) = PACKET_TABLE.split_once(' ').expect("a family and a name");
    text(kind, table)
}

fn text(kind: u16, text: &str) -> DefaultNla {
    DefaultNla::new(kind, text.bytes().chain([0]).collect())
}

fn encoded(elements: &[SetElement]) -> Vec<u8> {
    let elements = elements.iter().flat_map(|(key, value)| {
        let key = nested(NFTA_SET_ELEM_KEY, &[data(key)]);
        let value = value.iter().map(|value| nested(NFTA_SET_ELEM_DATA, &[data(value)]));
        let parts: Vec<_> = std::iter::once(key).chain(value).collect();
        bytes(&[nested(NFTA_LIST_ELEM, &parts)])
    });
    elements.collect()
}

/// Key or value as the kernel keeps it. Sets with other fields are left to `nft`.
fn data(fields: &ElementFields) -> DefaultNla {
    DefaultNla::new(NFTA_DATA_VALUE, fields.bytes().unwrap_or_default())
}

fn nested(kind: u16, attributes: &[DefaultNla]) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NESTED, bytes(attributes))
}

fn bytes(attributes: &[DefaultNla]) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}
