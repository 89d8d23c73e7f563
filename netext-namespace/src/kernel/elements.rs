//! Elements of the packet rules' sets, told to the kernel directly: what most commands change is one element,
//! and starting `nft` for it would cost more than all the rest.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED, NLM_F_CREATE, Nla};
use rustix::io::Errno;

use super::namespace::Namespace;
use super::netlink::{NetlinkRequest, NetlinkSocket};
use super::nftables::{NFNL_SUBSYS_NFTABLES, NFPROTO_INET, NftError};
use crate::plan::{ElementChange, ElementFields, PACKET_TABLE};

const NFT_MSG_NEWSETELEM: u8 = 12;
const NFT_MSG_DELSETELEM: u8 = 14;
const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
const NFTA_SET_ELEM_LIST_SET: u16 = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
const NFTA_LIST_ELEM: u16 = 1;
const NFTA_SET_ELEM_KEY: u16 = 1;
const NFTA_SET_ELEM_DATA: u16 = 2;
const NFTA_DATA_VALUE: u16 = 1;
/// An attribute's length has 16 bits, and an element less than a hundred bytes.
const ELEMENTS_PER_MESSAGE: usize = 500;

/// Changes elements as one transaction, if the rules are still of the generation given.
///
/// # Errors
/// [`NftError::Changed`] when they are of another generation, [`NftError::Netlink`] when the kernel refuses an
/// element. Either way the rules are what they were.
pub fn change(namespace: &Namespace, changes: &[ElementChange], generation: u32) -> Result<(), NftError> {
    let name = namespace.name();
    let mut requests = Vec::new();
    for change in changes {
        let (message, flags) =
            if change.add { (NFT_MSG_NEWSETELEM, NLM_F_CREATE) } else { (NFT_MSG_DELSETELEM, 0) };
        let verb = if change.add { "add to" } else { "delete from" };
        for elements in change.elements.chunks(ELEMENTS_PER_MESSAGE) {
            let attempted = format!("{verb} {} of the rules of {name}", change.set);
            let body = message_body(&change.set, elements);
            let kind = (NFNL_SUBSYS_NFTABLES, message);
            requests.push(NetlinkRequest::netfilter(attempted, kind, NFPROTO_INET, &body).with_flags(flags));
        }
    }
    let mut socket = namespace.enter(NetlinkSocket::netfilter)??;
    socket.transaction(NFNL_SUBSYS_NFTABLES, generation, &requests).map_err(|error| {
        if error.is(Errno::RESTART) {
            NftError::Changed { namespace: name.to_string() }
        } else {
            error.into()
        }
    })
}

fn message_body(set: &str, elements: &[(ElementFields, Option<ElementFields>)]) -> [DefaultNla; 3] {
    let (_, table) = PACKET_TABLE.split_once(' ').expect("a family and a name");
    let list = elements.iter().flat_map(|(key, value)| {
        let key = nested(NFTA_SET_ELEM_KEY, &[data(key)]);
        let value = value.iter().map(|value| nested(NFTA_SET_ELEM_DATA, &[data(value)]));
        let parts: Vec<_> = std::iter::once(key).chain(value).collect();
        bytes(&[nested(NFTA_LIST_ELEM, &parts)])
    });
    [
        DefaultNla::new(NFTA_SET_ELEM_LIST_TABLE, text(table)),
        DefaultNla::new(NFTA_SET_ELEM_LIST_SET, text(set)),
        DefaultNla::new(NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED, list.collect()),
    ]
}

/// Key or value as the kernel keeps it. Sets with anything else in them are left to `nft`.
fn data(fields: &ElementFields) -> DefaultNla {
    DefaultNla::new(NFTA_DATA_VALUE, fields.bytes().unwrap_or_default())
}

fn nested(kind: u16, attributes: &[DefaultNla]) -> DefaultNla {
    DefaultNla::new(kind | NLA_F_NESTED, bytes(attributes))
}

fn bytes<A: Nla>(attributes: &[A]) -> Vec<u8> {
    let mut bytes = vec![0; attributes.buffer_len()];
    attributes.emit(&mut bytes);
    bytes
}

fn text(text: &str) -> Vec<u8> {
    text.bytes().chain([0]).collect()
}
