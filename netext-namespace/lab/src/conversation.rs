//! Flows that stay open while rules change under them.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socket2::Socket;

use crate::probe::{self, Answer, DOUBT, PATIENCE};

/// A long-lived flow from one node to a server of the lab.
#[derive(Debug)]
pub struct Conversation {
    transport: Transport,
    answer: Answer,
    said: u32,
}

#[derive(Debug)]
enum Transport {
    Tcp(TcpStream),
    Udp(Socket),
}

impl Conversation {
    pub(crate) fn tcp(stream: TcpStream, answer: Answer) -> Self {
        let _ = stream.set_nodelay(true);
        Self { transport: Transport::Tcp(stream), answer, said: 0 }
    }

    pub(crate) fn udp(socket: Socket, answer: Answer) -> Self {
        Self { transport: Transport::Udp(socket), answer, said: 0 }
    }

    /// What the server said at the start.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Asserts that data still go there and back.
    #[track_caller]
    pub fn goes_on(&mut self) {
        if let Err(error) = self.exchange(PATIENCE) {
            panic!("the flow ought to go on, but: {error}");
        }
    }

    /// Asserts that no data come back any more.
    #[track_caller]
    pub fn is_cut(&mut self) {
        assert!(self.exchange(DOUBT).is_err(), "the flow ought to be cut, but data still go there and back");
    }

    pub(crate) fn exchange(&mut self, patience: Duration) -> Result<(), String> {
        self.said += 1;
        match &mut self.transport {
            Transport::Udp(socket) => probe::udp(socket, patience).map(|_| ()),
            Transport::Tcp(stream) => {
                // Numbered, so that an echo of earlier words is not taken for an answer.
                let words = format!("word {}\n", self.said);
                stream.write_all(words.as_bytes()).map_err(|error| error.to_string())?;
                await_words(stream, &words, patience)
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
            return Err("no answer".to_owned());
        }
        stream.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
        match stream.read(&mut buffer) {
            Ok(0) => return Err("closed".to_owned()),
            Ok(length) => heard.push_str(&String::from_utf8_lossy(&buffer[..length])),
            // A read with a timeout is interrupted whenever the process is stopped for a moment.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(())
}
