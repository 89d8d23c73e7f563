//! The two ports of one guest network: listening, accepting, and a connection's life, within limits.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{io, net};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::MetadataServerError;
use super::start::ServedTier;

use super::responder::{ServicePort, TierResponder};
use crate::metadata::Instances;

/// How long a guest may take for a request's header, and how long a connection may be idle between two.
const HEADER_WITHIN: Duration = Duration::from_secs(10);
/// How long a guest may read nothing of its answer. The kernel checks at ever longer intervals: it may take twice as
/// long.
const PROGRESS_WITHIN: Duration = Duration::from_secs(10);
/// A request's line and header together, in bytes.
const LONGEST_HEADER: usize = 8 * 1024;
const BUFFER: usize = 2 * LONGEST_HEADER;
const BACKLOG: i32 = 128;
/// The most connections at a time.
const IN_TOTAL: usize = 512;
/// The most connections of one guest at a time. Clients use one or two.
const PER_GUEST: usize = 16;
/// How often refusals are logged: a guest must not be able to fill the disk.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// The pause when no connection can be accepted because this process has too many open files.
const BREATHE: Duration = Duration::from_millis(100);

/// A guest network while it is served.
#[derive(Debug)]
pub(super) struct TierListeners {
    accepting: Vec<JoinHandle<()>>,
    _open: watch::Sender<()>,
}

impl TierListeners {
    /// Listens on both ports or on none.
    pub(super) fn open(
        served: &ServedTier,
        limits: &Arc<ConnectionLimits>,
    ) -> Result<Self, MetadataServerError> {
        let bound = |port: ServicePort| {
            listen(served, port).map(|listener| (port, listener)).map_err(|source| {
                MetadataServerError::Listen {
                    address: served.address,
                    port: port.number(),
                    interface: served.interface.clone(),
                    source,
                }
            })
        };
        let bound = ServicePort::ALL.into_iter().map(bound).collect::<Result<Vec<_>, _>>()?;
        let tier = TierResponder::new(Instances::in_folder(&served.folder));
        let (open, closed) = watch::channel(());
        let accepting = bound.into_iter().map(|(port, listener)| {
            let (tier, limits, closed) = (Arc::clone(&tier), Arc::clone(limits), closed.clone());
            tokio::spawn(accept(listener, port, tier, limits, closed))
        });
        Ok(Self { accepting: accepting.collect(), _open: open })
    }

    /// Stops listening: then the ports are free. Running requests are answered, and their connections closed.
    pub(super) async fn close(self) {
        for accepting in self.accepting {
            accepting.abort();
            // It ends by being aborted.
            let _ = accepting.await;
        }
    }
}

/// The number of a guest network's interface. An interface that was created again has the old name and another number;
/// a listener on the old one receives nothing.
pub(super) fn interface_number(served: &ServedTier) -> Option<NonZeroU32> {
    let any = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
    let number = rustix::net::netdevice::name_to_index(any, served.interface.as_deref()?).ok()?;
    NonZeroU32::new(number)
}

fn listen(served: &ServedTier, port: ServicePort) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if let Some(interface) = &served.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    // Accepted connections inherit both.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_user_timeout(Some(PROGRESS_WITHIN))?;
    socket.bind(&SocketAddrV4::new(served.address, port.number()).into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(net::TcpListener::from(socket))
}

async fn accept(
    listener: TcpListener,
    port: ServicePort,
    tier: Arc<TierResponder>,
    limits: Arc<ConnectionLimits>,
    closed: watch::Receiver<()>,
) {
    loop {
        match listener.accept().await {
            Ok((stream, SocketAddr::V4(guest))) => {
                let guest = *guest.ip();
                if let Some(admission) = limits.admit(guest) {
                    let (tier, closed) = (Arc::clone(&tier), closed.clone());
                    tokio::spawn(async move {
                        serve(stream, guest, port, &tier, closed).await;
                        drop(admission);
                    });
                }
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(BREATHE).await,
        }
    }
}

/// A connection that fails ends. That is not logged: the guest causes it.
pub(super) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    guest: Ipv4Addr,
    port: ServicePort,
    tier: &TierResponder,
    mut closed: watch::Receiver<()>,
) {
    let respond = service_fn(async |request| Ok::<_, Infallible>(tier.respond(port, guest, request).await));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_WITHIN)
            .max_header_size(LONGEST_HEADER)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), respond)
    );
    tokio::select! {
        _ = connection.as_mut() => return,
        // The sender never sends; it is dropped when the guest network is no longer served.
        _ = closed.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}

/// How many connections one guest, and all guests together, have open.
#[derive(Debug, Default)]
pub(super) struct ConnectionLimits {
    open: Mutex<OpenConnections>,
}

#[derive(Debug, Default)]
struct OpenConnections {
    in_total: usize,
    by_guest: HashMap<Ipv4Addr, usize>,
    reported: Option<Instant>,
}

/// An accepted connection, until this is dropped.
#[derive(Debug)]
pub(super) struct Admission {
    limits: Arc<ConnectionLimits>,
    guest: Ipv4Addr,
}

impl ConnectionLimits {
    /// Accepts a connection, unless there are too many.
    pub(super) fn admit(self: &Arc<Self>, guest: Ipv4Addr) -> Option<Admission> {
        let mut open = self.open();
        let of_guest = open.by_guest.get(&guest).copied().unwrap_or_default();
        if open.in_total >= IN_TOTAL || of_guest >= PER_GUEST {
            if open.reported.is_none_or(|reported| reported.elapsed() >= REPORT_EVERY) {
                open.reported = Some(Instant::now());
                tracing::warn!(%guest, of_guest, in_total = open.in_total, "too many connections, refusing");
            }
            return None;
        }
        open.in_total += 1;
        *open.by_guest.entry(guest).or_default() += 1;
        Some(Admission { limits: Arc::clone(self), guest })
    }

    /// Whether no connection is open.
    pub(super) fn is_idle(&self) -> bool {
        self.open().in_total == 0
    }

    fn open(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        open.in_total -= 1;
        if let Some(of_guest) = open.by_guest.get_mut(&self.guest) {
            *of_guest -= 1;
            if *of_guest == 0 {
                open.by_guest.remove(&self.guest);
            }
        }
    }
}
