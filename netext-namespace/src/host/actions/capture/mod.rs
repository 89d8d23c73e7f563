//! A bounded capture of packets.

mod frame;

use std::collections::BTreeSet;
use std::io;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use netext_core::DeviceError;
use netext_protocol::ActionResult;
use tokio::sync::oneshot;

use super::{ActionCall, ActionOutcome};
use crate::kernel::capture::WatchedInterface;
use crate::model::{InterfaceName, guest_interface, public_interface};
use crate::wait::readable_by;
use frame::FrameFilter;

const USUAL_SECONDS: u64 = 5;
const USUAL_PACKETS: usize = 100;
const MOST_PACKETS: usize = 1000;
/// How many bytes of a packet are kept: the largest answer stays below a megabyte.
const SNAPLEN: usize = 512;
/// How long before the command's deadline a capture has to end.
const MARGIN: Duration = Duration::from_secs(2);
/// `LINKTYPE_ETHERNET` of the pcap format.
const LINKTYPE_ETHERNET: u32 = 1;

/// Captures packets of an interface for some time. The answer is a pcap file in base64. The router's lock is not held.
pub(super) async fn capture(call: ActionCall<'_>) -> ActionOutcome {
    let parameters = &call.parameters;
    let interface = call.interface()?;
    let time = Duration::from_secs(parameters.optional(&["seconds"])?.unwrap_or(USUAL_SECONDS));
    let most = call.context.deadline().remaining().saturating_sub(MARGIN);
    if time.is_zero() || time > most {
        return Err(parameters.refused("seconds", format!("expected a number from 1 to {}", most.as_secs())));
    }
    let packets = parameters.optional(&["packets"])?.unwrap_or(USUAL_PACKETS);
    if !(1..=MOST_PACKETS).contains(&packets) {
        return Err(parameters.refused("packets", format!("expected a number from 1 to {MOST_PACKETS}")));
    }
    let filter = FrameFilter {
        host: parameters.optional(&["host"])?,
        port: parameters.optional(&["port"])?,
        protocol: parameters.optional(&["protocol"])?,
    };

    let watched = WatchedInterface::open(&call.namespace()?, &interface);
    let watched = watched?;
    // A thread waits for frames. If the call is cancelled, the thread ends with this process.
    let (done, collected) = oneshot::channel();
    let collecting = move || drop(done.send(collect(watched, filter, packets, Instant::now() + time)));
    std::thread::Builder::new()
        .name("capture".to_owned())
        .spawn(collecting)
        .map_err(|error| DeviceError::device("cannot start the thread of the capture").with_source(error))?;
    let file = tokio::select! {
        file = collected => file,
        () = call.context.deadline().cancelled() => return Err(DeviceError::timed_out("the capture was cancelled")),
    };
    let file = file.map_err(|_| DeviceError::internal("the thread of the capture ended without a result"))?;
    let file =
        file.map_err(|error| DeviceError::device(format!("cannot watch {interface}")).with_source(error))?;
    Ok(ActionResult::message(STANDARD.encode(file)))
}

/// Collects frames until the end, as a pcap file.
fn collect(
    mut watched: WatchedInterface,
    filter: FrameFilter,
    packets: usize,
    end: Instant,
) -> io::Result<Vec<u8>> {
    let mut file = header();
    let mut left = packets;
    while left > 0 && readable_by(&watched, end)? {
        match watched.receive()? {
            Some(frame) if filter.matches(frame) => {
                append(&mut file, frame);
                left -= 1;
            }
            // On a busy interface there is always another frame.
            _ if Instant::now() >= end => break,
            _ => {}
        }
    }
    Ok(file)
}

/// The header of a pcap file: magic number, version 2.4, no time zone, lengths, link type.
fn header() -> Vec<u8> {
    let mut header = 0xa1b2_c3d4_u32.to_ne_bytes().to_vec();
    header.extend([2_u16.to_ne_bytes(), 4_u16.to_ne_bytes()].concat());
    header.extend([0; 8]);
    header.extend(u32::try_from(SNAPLEN).unwrap_or(u32::MAX).to_ne_bytes());
    header.extend(LINKTYPE_ETHERNET.to_ne_bytes());
    header
}

fn append(file: &mut Vec<u8>, frame: &[u8]) {
    let kept = &frame[..frame.len().min(SNAPLEN)];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // The format's seconds have 32 bits.
    let seconds = u32::try_from(now.as_secs()).unwrap_or(u32::MAX);
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    for number in [seconds, now.subsec_micros(), length(kept), length(frame)] {
        file.extend(number.to_ne_bytes());
    }
    file.extend(kept);
}

impl ActionCall<'_> {
    /// The interface that the parameter names: `guest`, `public`, or its name.
    fn interface(&self) -> Result<InterfaceName, DeviceError> {
        let wanted: String = self.parameters.required(&["interface"])?;
        let router = self.read()?;
        let found: BTreeSet<_> = match wanted.as_str() {
            "guest" => router
                .implemented_tiers()
                .filter(|(network, tier)| {
                    !tier.own_addresses().is_empty() && self.network.is_none_or(|own| own == *network)
                })
                .map(|(_, tier)| guest_interface(router.id, &tier.segment()).1)
                .collect(),
            "public" => router
                .addresses_by_segment()
                .map(|(segment, _)| public_interface(router.id, &segment).1)
                .collect(),
            _ => return self.parameters.required(&["interface"]),
        };
        let names: Vec<_> = found.iter().map(ToString::to_string).collect();
        match (found.into_iter().next(), names.len()) {
            (Some(only), 1) => Ok(only),
            (None, _) => {
                Err(self.parameters.refused("interface", format!("the router has no {wanted} interface")))
            }
            _ => Err(self
                .parameters
                .refused("interface", format!("{wanted} may be any of {}", names.join(", ")))),
        }
    }
}
