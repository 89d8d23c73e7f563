//! Properties of what the kernel and nft answer.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use super::conntrack::TrackedConnection;
use super::links::{KernelAddress, KernelLink};
use super::listing::TableListing;
use super::netlink::{NetlinkRequest, attributes, messages, verdict};
use super::nft;
use super::nftables::AddressCount;
use super::routing::{KernelRoute, KernelRule};

/// Any datagram is read to its end, and a refusal in it has a short reason.
pub fn netlink_answer(datagram: &[u8]) {
    let request = NetlinkRequest::netfilter("try", (0, 0), 0, &[]);
    let mut left = datagram.len();
    for message in messages(datagram) {
        assert!(left > 0, "a message without bytes");
        left = left.saturating_sub(message.length() as usize);
        let payload = message.payload();
        if let Err(error) = verdict(&message, &request) {
            assert!(error.to_string().len() < datagram.len() * 3 + 200);
        }
        let read = attributes(payload).map(|(_, value)| value.len() + 4).sum::<usize>();
        assert!(read <= payload.len() + 3, "attributes overlap: {read} of {}", payload.len());
        let _ = (KernelLink::read(payload), KernelAddress::read(payload));
        let _ = (KernelRoute::read(payload), KernelRule::read(payload));
        let _ = (TrackedConnection::read(payload), AddressCount::read(payload));
    }
}

/// A listing differs from itself in nothing, and from an empty one in each of its objects.
pub fn nft_listing(json: &[u8]) {
    let (Ok(listing), Ok(same)) = (TableListing::read(json), TableListing::read(json)) else { return };
    assert_eq!(listing.differences_to(&same), []);
    let nothing = TableListing::default();
    assert_eq!(nothing.differences_to(&listing).len(), listing.differences_to(&nothing).len());
}

/// Whatever nft complains of, the error is short, and quotes at most one line of the script.
pub fn nft_complaint(complaints: &[u8]) {
    let script = "add table inet netext\nadd chain inet netext forward\n";
    let complaints = String::from_utf8_lossy(complaints);
    let error = nft::refusal("cs-net-209".to_owned(), &complaints, script, ExitStatus::from_raw(256));
    let message = error.to_string();
    assert!(message.chars().count() < 400 && !message.contains('\n'), "{message:?}");
}
