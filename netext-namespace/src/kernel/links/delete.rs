//! Deleting several links at the price of one.

use super::message;
use super::observed::Link;
use crate::drift::{DifferenceKind, Pass, RouterPart};
use crate::kernel::netlink::{NetlinkError, NetlinkSocket};

/// Deletes these links and, of veth pairs, the other ends with them.
///
/// The kernel waits some 15 ms for every deletion until no processor uses the link any more. Links of one group
/// are deleted together and waited for once.
pub(super) fn all<'l>(
    socket: &mut NetlinkSocket,
    links: impl Iterator<Item = &'l Link>,
    pass: &mut Pass,
) -> Result<(), NetlinkError> {
    let links: Vec<_> = links.collect();
    let requests = match links[..] {
        [] => return Ok(()),
        [link] => vec![message::delete(link.index, &link.name)],
        _ => {
            for link in &links {
                pass.differs(RouterPart::Link, DifferenceKind::Remove, format!("delete {}", link.name));
            }
            let marks = links.iter().map(|link| message::doom(link.index, &link.name));
            marks.chain([message::delete_doomed()]).collect()
        }
    };
    socket.carry_out(&requests, RouterPart::Link, pass)
}
