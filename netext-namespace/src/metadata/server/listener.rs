//! The two ports of one guest network: listening, accepting, and a connection's life.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::num::NonZeroU32;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use std::{io, net};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::ServeError;
use super::configuration::ServedTier;
use super::limits::Limits;
use super::tier::{Port, Tier};
use crate::metadata::Instances;

/// How long a guest may take for a request's header, and how long a connection may be idle between two.
const HEADER_WITHIN: Duration = Duration::from_secs(10);
/// How long a guest may take nothing of its answer. The kernel looks at ever longer intervals: it may be twice that.
const PROGRESS_WITHIN: Duration = Duration::from_secs(10);
/// A request's line and header together, in bytes.
const LONGEST_HEADER: usize = 8 * 1024;
const BUFFER: usize = 2 * LONGEST_HEADER;
const BACKLOG: i32 = 128;
/// How long to wait when no connection can be accepted, which is when this process has too many files open.
const BREATHE: Duration = Duration::from_millis(100);

/// A guest network while it is served.
#[derive(Debug)]
pub(super) struct Listeners {
    accepting: Vec<JoinHandle<()>>,
    _open: watch::Sender<()>,
}

impl Listeners {
    /// Listens on both ports or on none.
    pub(super) fn open(served: &ServedTier, limits: &Arc<Limits>) -> Result<Self, ServeError> {
        let bound = |port: Port| {
            listen(served, port).map(|listener| (port, listener)).map_err(|source| ServeError::Listen {
                address: served.address,
                port: port.number(),
                interface: served.interface.clone(),
                source,
            })
        };
        let bound = Port::ALL.into_iter().map(bound).collect::<Result<Vec<_>, _>>()?;
        let tier = Tier::new(Instances::in_folder(&served.folder));
        let (open, closed) = watch::channel(());
        let accepting = bound.into_iter().map(|(port, listener)| {
            let (tier, limits, closed) = (Arc::clone(&tier), Arc::clone(limits), closed.clone());
            tokio::spawn(accept(listener, port, tier, limits, closed))
        });
        Ok(Self { accepting: accepting.collect(), _open: open })
    }

    /// Stops listening: when this is over, somebody else can. Requests that run are answered, then their
    /// connections are closed.
    pub(super) async fn close(self) {
        for accepting in self.accepting {
            accepting.abort();
            // It ends by being aborted.
            let _ = accepting.await;
        }
    }
}

/// The number of a guest network's interface. One that was made anew has the old name and another number; who
/// listens on the old one hears nothing.
pub(super) fn interface_number(served: &ServedTier) -> Option<NonZeroU32> {
    let any = Socket::new(Domain::IPV4, Type::DGRAM, None).ok()?;
    let number = rustix::net::netdevice::name_to_index(any, served.interface.as_deref()?).ok()?;
    NonZeroU32::new(number)
}

fn listen(served: &ServedTier, port: Port) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.set_reuse_address(true)?;
    if let Some(interface) = &served.interface {
        socket.bind_device(Some(interface.as_bytes()))?;
    }
    // Both are passed on to what is accepted.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_user_timeout(Some(PROGRESS_WITHIN))?;
    socket.bind(&SocketAddrV4::new(served.address, port.number()).into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(net::TcpListener::from(socket))
}

async fn accept(
    listener: TcpListener,
    port: Port,
    tier: Arc<Tier>,
    limits: Arc<Limits>,
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

/// What goes wrong with a connection is the guest's affair: it ends, and nobody needs to hear of it.
async fn serve(stream: TcpStream, guest: Ipv4Addr, port: Port, tier: &Tier, mut closed: watch::Receiver<()>) {
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
        // The sender says nothing; it is dropped when the guest network is not served any more.
        _ = closed.changed() => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
