//! How much traffic public addresses carry.

use netext_core::DeviceError;
use netext_protocol::ActionResult;

use super::{Call, Outcome, row};
use crate::compile::{INCOMING, OUTGOING};
use crate::kernel::nftables;

/// A row per public address and direction. Counted is since the address was taken up, or since all rules were put in
/// force anew because the namespace was made anew or somebody else had changed them.
pub(super) async fn traffic(call: Call<'_>) -> Outcome {
    let namespace = call.namespace()?;
    let mut rows = Vec::new();
    for (direction, set) in [("in", INCOMING), ("out", OUTGOING)] {
        let counted =
            nftables::counters(&namespace, set).map_err(|error| DeviceError::device(error.to_string()))?;
        rows.extend(counted.into_iter().map(|count| (count.address, direction, count)));
    }
    rows.sort_by_key(|(address, direction, _)| (*address, *direction));
    let rows = rows.into_iter().map(|(address, direction, count)| {
        row([
            ("address", address.to_string().into()),
            ("direction", direction.into()),
            ("packets", count.packets.into()),
            ("bytes", count.bytes.into()),
        ])
    });
    Ok(ActionResult::rows(rows.collect()))
}
