//! Questions that a machine of the lab asks, with real packets, and their answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use crate::node::{Node, parse};
use crate::probe::Expectation;

/// How long a question may take where an answer is due.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long an attempt may take.
const ATTEMPT: Duration = Duration::from_millis(400);

/// A question of a machine.
#[derive(Clone, Debug)]
pub struct Question {
    node: Node,
    kind: QuestionKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum QuestionKind {
    /// Who answers a TCP connection, and whom it sees.
    Connect(String),
    /// The address of a name, as a server says.
    Resolve { server: String, name: String },
    /// The answer to an HTTP request, a path with or without a header.
    Http { server: String, path: String, header: String },
}

/// The answers to questions at one moment.
#[derive(Clone, Debug)]
pub struct Answers(Vec<(Question, String)>);

impl Question {
    /// Who answers a TCP connection to `address:port`?
    pub fn connect(node: &Node, address: &str) -> Self {
        Self { node: node.clone(), kind: QuestionKind::Connect(address.to_owned()) }
    }

    /// What is the IPv4 address of a name?
    pub fn resolve(node: &Node, server: &str, name: &str) -> Self {
        let (server, name) = (format!("{server}:53"), name.to_owned());
        Self { node: node.clone(), kind: QuestionKind::Resolve { server, name } }
    }

    /// What is at a path of the metadata server?
    pub fn metadata(node: &Node, server: &str, path: &str) -> Self {
        let (server, path) = (format!("{server}:80"), format!("/latest/{path}"));
        Self { node: node.clone(), kind: QuestionKind::Http { server, path, header: String::new() } }
    }

    /// What is the machine's password?
    pub fn password(node: &Node, server: &str) -> Self {
        let (server, header) = (format!("{server}:8080"), "DomU_Request: send_my_password\r\n".to_owned());
        Self { node: node.clone(), kind: QuestionKind::Http { server, path: "/".to_owned(), header } }
    }

    /// Asks until the answer is one of those that are due; an empty one is no answer. Returns how the answer differs.
    pub fn differs_from(&self, due: &[String]) -> Option<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = self.ask();
            if due.contains(&answer) {
                return None;
            }
            if Instant::now() > deadline {
                let (node, kind) = (self.node.name(), &self.kind);
                return Some(format!("{node} asks {kind:?}: the answer is {answer:?}, not one of {due:?}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The answer to one attempt; empty if there is none.
    fn ask(&self) -> String {
        match &self.kind {
            QuestionKind::Connect(address) => {
                let reply = self.node.tries_tcp(address, Expectation::Refused);
                reply.map(|reply| format!("{} saw {}", reply.server(), reply.source())).unwrap_or_default()
            }
            QuestionKind::Resolve { server, name } => {
                self.node.sandbox().run(|| resolve(parse(server), name)).unwrap_or_default()
            }
            QuestionKind::Http { server, path, header } => {
                let request = format!("GET {path} HTTP/1.0\r\nHost: {server}\r\n{header}\r\n");
                let source = self.node.sandbox().run(|| http(parse(server), &request));
                source.unwrap_or_default()
            }
        }
    }
}

impl Answers {
    /// Asks all questions once.
    pub fn of(questions: &[Question]) -> Self {
        let answers = in_parallel(questions, Question::ask);
        Self(questions.iter().cloned().zip(answers).collect())
    }

    /// Asks again what was answered, and returns what is answered differently. What was not answered is not asked: that
    /// no packet passes shows in the packet rules too.
    pub fn differences(&self) -> Vec<String> {
        let due: Vec<_> = self.0.iter().filter(|(_, answer)| !answer.is_empty()).collect();
        let differences =
            in_parallel(&due, |(question, answer)| question.differs_from(std::slice::from_ref(answer)));
        differences.into_iter().flatten().collect()
    }

    /// How many questions were answered.
    pub fn number(&self) -> usize {
        self.0.iter().filter(|(_, answer)| !answer.is_empty()).count()
    }
}

fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let begun: Vec<_> = items.iter().map(|item| scope.spawn(|| work(item))).collect();
        begun.into_iter().map(|it| it.join().expect("a question does not panic")).collect()
    })
}

/// The addresses in a server's answer to a question for an IPv4 address.
fn resolve(server: SocketAddr, name: &str) -> std::io::Result<String> {
    const HEADER: usize = 12;
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.set_read_timeout(Some(ATTEMPT))?;
    socket.connect(server)?;
    let mut query = vec![0x4e, 0x58, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        query.push(u8::try_from(label.len()).unwrap_or_default());
        query.extend_from_slice(label.as_bytes());
    }
    query.extend_from_slice(&[0, 0, 1, 0, 1]);
    socket.send(&query)?;
    let mut reply = [0; 512];
    let length = socket.recv(&mut reply)?;
    let answers = usize::from(reply[7]);
    // Each answer is a pointer to the name, the type, the class, the time to live, a length and the address.
    let addresses =
        reply[..length].get(query.len().max(HEADER)..).unwrap_or_default().chunks(16).take(answers);
    let addresses = addresses.filter_map(|answer| answer.get(12..16));
    Ok(addresses.map(|it| format!("{}.{}.{}.{}", it[0], it[1], it[2], it[3])).collect::<Vec<_>>().join(" "))
}

fn http(server: SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, ATTEMPT)?;
    stream.set_read_timeout(Some(ATTEMPT))?;
    stream.write_all(request.as_bytes())?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or((&reply, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    Ok(format!("{status} {body}"))
}
