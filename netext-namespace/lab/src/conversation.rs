//! Flows that stay open while rules change under them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socket2::Socket;

use crate::probe::{Expectation, ProbeReply, exchange_datagram};

/// A long-lived flow from one node to a server of the lab.
#[derive(Debug)]
pub struct Conversation {
    transport: Transport,
    reply: ProbeReply,
    said: u32,
}

#[derive(Debug)]
enum Transport {
    Tcp(TcpStream),
    Udp(Socket),
}

impl Conversation {
    pub(crate) fn tcp(stream: TcpStream, reply: ProbeReply) -> Self {
        let _ = stream.set_nodelay(true);
        Self { transport: Transport::Tcp(stream), reply, said: 0 }
    }

    pub(crate) fn udp(socket: Socket, reply: ProbeReply) -> Self {
        Self { transport: Transport::Udp(socket), reply, said: 0 }
    }

    /// The server's greeting.
    pub fn reply(&self) -> &ProbeReply {
        &self.reply
    }

    /// Asserts that data still flow both ways.
    #[track_caller]
    pub fn goes_on(&mut self) {
        if let Err(error) = self.tries_to_go_on(Expectation::Answered) {
            panic!("the flow is cut: {error}");
        }
    }

    /// Asserts that no data come back any more.
    #[track_caller]
    pub fn is_cut(&mut self) {
        let is_cut = self.tries_to_go_on(Expectation::Refused).is_err();
        assert!(is_cut, "the flow is not cut: data still flow both ways");
    }

    /// Sends data there and back. The error says why they did not come back.
    pub fn tries_to_go_on(&mut self, expected: Expectation) -> Result<(), String> {
        self.said += 1;
        match &mut self.transport {
            Transport::Udp(socket) => exchange_datagram(socket, expected).map(|_| ()),
            Transport::Tcp(stream) => {
                // Numbered: an echo of earlier words is not a reply.
                let words = format!("word {}\n", self.said);
                stream.write_all(words.as_bytes()).map_err(|error| error.to_string())?;
                await_words(stream, &words, expected.patience())
            }
        }
    }
}

fn await_words(stream: &mut TcpStream, words: &str, patience: Duration) -> Result<(), String> {
    let deadline = Instant::now() + patience;
    let mut heard = String::new();
    let mut buffer = [0; 512];
    while !heard.ends_with(words) {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("no reply".to_owned());
        }
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err("closed".to_owned()),
            Ok(length) => heard.push_str(&String::from_utf8_lossy(&buffer[..length])),
            // A read with a timeout is interrupted when the process is stopped for a moment.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}
