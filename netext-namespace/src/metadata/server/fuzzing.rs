//! Properties of what guests send.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::sync::watch;
use tokio::time::timeout;

use super::listener::serve;
use super::responder::{ServicePort, TierResponder};
use crate::metadata::Instances;

/// More than any request and its answers.
const BUFFER: usize = 16 << 20;
/// A guest that has sent everything gets its answers at once.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the server sends to a guest that sends `bytes` to one of the two ports and then closes its end.
///
/// # Panics
/// If the server does not come to an end.
pub(crate) fn answers_to(
    instances: &Instances,
    guest: Ipv4Addr,
    is_password_port: bool,
    bytes: &[u8],
) -> Vec<u8> {
    let port = if is_password_port { ServicePort::Password } else { ServicePort::Metadata };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let (mut client, server) = duplex(BUFFER);
        let (_open, closed) = watch::channel(());
        client.write_all(bytes).await.expect("room for the request");
        client.shutdown().await.expect("the end of the request");
        let responder = TierResponder::new(instances.clone());
        let serving = serve(server, guest, port, &responder, closed);
        timeout(PATIENCE, serving).await.expect("the server ends the connection");
        let mut answers = Vec::new();
        client.read_to_end(&mut answers).await.expect("the answers");
        answers
    })
}
