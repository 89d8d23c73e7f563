//! A client of an OVSDB server (RFC 7047): the part of JSON-RPC over a socket that transactions need.

use std::io::{self, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use netext_core::{Deadline, DeviceError};
use serde_json::de::IoRead;
use serde_json::{Deserializer, StreamDeserializer, Value, json};

use crate::registration::Endpoint;

/// One connection to the northbound database. Every wait ends with the command's deadline.
pub(crate) struct Client {
    outgoing: Socket,
    incoming: StreamDeserializer<'static, IoRead<BufReader<Socket>>, Value>,
    requests: u64,
}

impl Client {
    /// Connects to the first endpoint that accepts the connection.
    pub(crate) fn connect(endpoints: &[Endpoint], deadline: &Deadline) -> Result<Self, DeviceError> {
        let mut failures = Vec::new();
        for endpoint in endpoints {
            match Self::open(endpoint, deadline) {
                Ok(client) => return Ok(client),
                Err(error) => failures.push(format!("{endpoint}: {error}")),
            }
        }
        let failures = failures.join("; ");
        Err(DeviceError::connection(format!(
            "cannot reach OVN's northbound database: {failures}; is the registered `northbound` right?"
        )))
    }

    fn open(endpoint: &Endpoint, deadline: &Deadline) -> io::Result<Self> {
        const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
        let outgoing = match endpoint {
            Endpoint::Unix(path) => {
                Socket { stream: Stream::Unix(UnixStream::connect(path)?), deadline: deadline.clone() }
            }
            Endpoint::Tcp(address) => {
                let limit = deadline.remaining().clamp(Duration::from_millis(1), CONNECT_TIMEOUT);
                let stream = TcpStream::connect_timeout(address, limit)?;
                stream.set_nodelay(true)?;
                Socket { stream: Stream::Tcp(stream), deadline: deadline.clone() }
            }
        };
        let incoming = Deserializer::from_reader(BufReader::new(outgoing.try_clone()?)).into_iter();
        Ok(Self { outgoing, incoming, requests: 0 })
    }

    /// Runs operations as one transaction: answers the result of each, or why none was done.
    pub(crate) fn transact(
        &mut self,
        operations: Vec<Value>,
    ) -> Result<Result<Vec<Value>, Refusal>, DeviceError> {
        let mut parameters = vec![Value::from("OVN_Northbound")];
        parameters.extend(operations);
        self.requests += 1;
        let id = self.requests;
        let lost = |error: io::Error| {
            let message = "lost the connection to OVN's northbound database";
            DeviceError::connection(message).with_source(error)
        };
        self.send(&json!({ "method": "transact", "params": parameters, "id": id })).map_err(lost)?;
        loop {
            let message = match self.incoming.next() {
                Some(Ok(message)) => message,
                Some(Err(error)) => return Err(lost(error.into())),
                None => return Err(lost(io::ErrorKind::UnexpectedEof.into())),
            };
            // The server checks that the client is alive.
            if message["method"] == "echo" {
                let answer = json!({ "result": message["params"], "error": null, "id": message["id"] });
                self.send(&answer).map_err(lost)?;
            } else if message["id"] == id {
                return results(&message);
            }
        }
    }

    fn send(&mut self, message: &Value) -> io::Result<()> {
        self.outgoing.write_all(message.to_string().as_bytes())
    }
}

/// Why a transaction failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The condition of a `wait` does not hold: another process was faster.
    Outdated,
    Failed(String),
}

fn results(message: &Value) -> Result<Result<Vec<Value>, Refusal>, DeviceError> {
    let unusual = || DeviceError::device(format!("OVN's northbound database answered {message}"));
    let results = message["result"].as_array().ok_or_else(unusual)?;
    // After a failure there is null for each remaining operation; a failure to commit comes last.
    match results.iter().find(|result| !result["error"].is_null()) {
        None => Ok(Ok(results.clone())),
        Some(failure) if failure["error"] == "timed out" => Ok(Err(Refusal::Outdated)),
        Some(failure) => {
            let part = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
            Ok(Err(Refusal::Failed(format!("{}: {}", part("error"), part("details")))))
        }
    }
}

/// A socket whose every wait ends with the deadline.
struct Socket {
    stream: Stream,
    deadline: Deadline,
}

enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Socket {
    fn try_clone(&self) -> io::Result<Self> {
        let stream = match &self.stream {
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
        };
        Ok(Self { stream, deadline: self.deadline.clone() })
    }

    fn remaining(&self) -> io::Result<Option<Duration>> {
        match self.deadline.remaining() {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            remaining => Ok(Some(remaining)),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let limit = self.remaining()?;
        match &mut self.stream {
            Stream::Unix(stream) => stream.set_read_timeout(limit).and_then(|()| stream.read(buffer)),
            Stream::Tcp(stream) => stream.set_read_timeout(limit).and_then(|()| stream.read(buffer)),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let limit = self.remaining()?;
        match &mut self.stream {
            Stream::Unix(stream) => stream.set_write_timeout(limit).and_then(|()| stream.write(buffer)),
            Stream::Tcp(stream) => stream.set_write_timeout(limit).and_then(|()| stream.write(buffer)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
