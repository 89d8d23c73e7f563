//! Questions to daemons, over sockets of this thread's namespace.
//!
//! Any answer will do: it shows that the daemon reads and writes. What it says is not looked at.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpStream, UdpSocket};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::Errno;
use rustix::process::Pid;
use socket2::{Domain, Protocol, Socket, Type};

use crate::daemons::search;
use crate::wait::{any_ready_by, readable_by};

/// After this time a datagram is sent again, or a refused connection is tried again: a daemon that was just told to read
/// its files opens its sockets soon.
const AGAIN: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

const DNS: u16 = 53;
const DHCP: u16 = 67;
const HTTP: u16 = 80;

/// Asks for the address of `data-server`. dnsmasq does not forward a name without a dot: it answers, even if it does not
/// know the name.
const DNS_QUESTION: &[u8] =
    b"\x6e\x78\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x0bdata-server\x00\x00\x01\x00\x01";
/// Its first bytes, the number that the answer repeats.
const DNS_NUMBER: &[u8] = &[0x6e, 0x78];
/// Too short for a DHCP message: the server reads and discards it.
const NO_MESSAGE: &[u8] = &[0];
const HTTP_QUESTION: &[u8] = b"HEAD / HTTP/1.0\r\n\r\n";

/// Whether an error says that no question arrives at the daemon's address.
pub(super) fn cannot_arrive(error: &io::Error) -> bool {
    let unreachable =
        [Errno::NETUNREACH, Errno::HOSTUNREACH, Errno::ADDRNOTAVAIL, Errno::NETDOWN, Errno::PERM];
    error.raw_os_error().is_some_and(|code| unreachable.iter().any(|errno| errno.raw_os_error() == code))
}

/// Whether a DNS server answers.
pub(super) fn dns(address: Ipv4Addr, deadline: Instant) -> io::Result<bool> {
    let socket = datagrams(address, DNS)?;
    let mut pause = AGAIN;
    let mut answer = [0; 512];
    while Instant::now() < deadline {
        // An error is that of an earlier datagram, such as "port unreachable".
        let _ = socket.send(DNS_QUESTION);
        let until = deadline.min(Instant::now() + pause);
        while readable_by(&socket, until)? {
            match socket.recv(&mut answer) {
                Ok(length) if answer[..length].starts_with(DNS_NUMBER) => return Ok(true),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => {
                    sleep(until.saturating_duration_since(Instant::now()));
                    break;
                }
            }
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
    Ok(false)
}

/// Whether a DHCP server reads what it is sent: its socket's queue becomes shorter.
pub(super) fn dhcp(server: Pid, address: Ipv4Addr, deadline: Instant) -> io::Result<bool> {
    datagrams(address, DHCP)?.send(NO_MESSAGE)?;
    let mut longest = 0;
    let mut pause = Duration::from_millis(1);
    loop {
        let sockets = search::unless_ended(std::fs::read_to_string(search::file(server, "net/udp")))?;
        let queued = queued(&sockets.unwrap_or_default(), DHCP);
        if queued == 0 || queued < longest {
            return Ok(true);
        }
        longest = queued;
        if Instant::now() >= deadline {
            return Ok(false);
        }
        sleep(pause);
        pause = (pause * 2).min(AGAIN);
    }
}

/// How many bytes wait in the queues of a port, by the kernel's list of sockets.
fn queued(sockets: &str, port: u16) -> u64 {
    let local = format!(":{port:04X}");
    let of_port = sockets.lines().filter_map(|line| {
        let mut words = line.split_ascii_whitespace();
        let is_of_port = words.nth(1)?.ends_with(&local);
        let (_, received) = words.nth(2)?.split_once(':')?;
        is_of_port.then(|| u64::from_str_radix(received, 16).ok()).flatten()
    });
    of_port.sum()
}

fn datagrams(address: Ipv4Addr, port: u16) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.set_nonblocking(true)?;
    socket.connect((address, port))?;
    Ok(socket)
}

/// Whether an HTTP server answers.
pub(super) fn http(address: Ipv4Addr, deadline: Instant) -> io::Result<bool> {
    while Instant::now() < deadline {
        match answers_http(SocketAddrV4::new(address, HTTP), deadline) {
            // Nobody listens yet.
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
                sleep(AGAIN.min(deadline.saturating_duration_since(Instant::now())));
            }
            // It has accepted the connection and then closed it, because others have too many.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(true),
            outcome => return outcome,
        }
    }
    Ok(false)
}

fn answers_http(server: SocketAddrV4, deadline: Instant) -> io::Result<bool> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&SocketAddr::from(server).into()) {
        Err(error) if error.raw_os_error() != Some(Errno::INPROGRESS.raw_os_error()) => {
            return Err(error);
        }
        _ => {}
    }
    if !any_ready_by(&mut [PollFd::new(&socket, PollFlags::OUT)], deadline)? {
        return Ok(false);
    }
    socket.take_error()?.map_or(Ok(()), Err)?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(HTTP_QUESTION)?;
    if !readable_by(&stream, deadline)? {
        return Ok(false);
    }
    // The end of the stream is an answer, too: only a process that runs can close it.
    stream.read(&mut [0; 64]).map(|_| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_of_a_port_is_read_from_the_kernels_list() {
        let sockets = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n \
            4816: 0109090A:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 1 2 3 0\n \
            4830: 00000000:0043 00000000:0000 07 00000000:00000340 00:00000000 00000000     0        0 1 2 3 0\n";
        assert_eq!((queued(sockets, 67), queued(sockets, 53), queued("", 67)), (0x340, 0, 0));
    }
}
