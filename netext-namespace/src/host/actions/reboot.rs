//! Building a router anew.

use std::time::Instant;

use netext_protocol::ActionResult;

use super::{Call, Outcome};
use crate::host::transaction;

/// Ends the daemons, deletes links and namespace, and makes all of it again from the state.
pub(super) async fn reboot(call: Call<'_>) -> Outcome {
    let begun = Instant::now();
    transaction::reboot(call.store, call.context, call.router, |router| call.known(router)).await?;
    let milliseconds = begun.elapsed().as_millis();
    Ok(ActionResult::message(format!("{} was taken down and built anew in {milliseconds} ms", call.router)))
}
