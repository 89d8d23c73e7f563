//! The router of a network, seen from inside its namespace.

use crate::node::Node;

/// A router's namespace, for facts that packets alone do not show.
#[derive(Clone, Debug)]
pub struct Router {
    node: Node,
}

impl Router {
    pub(crate) fn new(node: Node) -> Self {
        Self { node }
    }

    /// The router as a machine of the lab: serves and connects from inside it.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The tracked connections whose first packet went to `address`, and to `port` if given.
    #[track_caller]
    pub fn connections_to(&self, address: &str, port: Option<u16>) -> Vec<String> {
        let listed = self.print("conntrack", &["-L", "-d", address]);
        // The first dport of a line is that of the connection's first packet.
        let begun = |line: &str| {
            let first = line.split_whitespace().find_map(|word| word.strip_prefix("dport="));
            port.is_none_or(|port| first == Some(port.to_string().as_str()))
        };
        listed.lines().filter(|line| begun(line)).map(str::to_owned).collect()
    }

    /// The lines that `ip -oneline <words>` prints.
    #[track_caller]
    pub fn ip(&self, words: &str) -> Vec<String> {
        let arguments: Vec<_> = std::iter::once("-oneline").chain(words.split_whitespace()).collect();
        self.print("ip", &arguments).lines().map(str::to_owned).collect()
    }

    /// The router's addresses, with prefix length.
    #[track_caller]
    pub fn addresses(&self) -> Vec<String> {
        let lines = self.ip("address show");
        lines.iter().filter_map(|line| line.split_whitespace().nth(3)).map(str::to_owned).collect()
    }

    /// The names of the router's interfaces, without the loopback.
    #[track_caller]
    pub fn interfaces(&self) -> Vec<String> {
        let lines = self.ip("link show");
        let names = lines.iter().filter_map(|line| line.split_whitespace().nth(1));
        let mut names: Vec<_> = names
            .map(|name| name.trim_end_matches(':').split('@').next().unwrap_or_default().to_owned())
            .filter(|name| name != "lo")
            .collect();
        names.sort();
        names
    }

    /// The whole rule set in force, without counters.
    #[track_caller]
    pub fn ruleset(&self) -> String {
        self.print("nft", &["--stateless", "list", "ruleset"])
    }

    #[track_caller]
    fn print(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.node.sandbox().output(program, arguments);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}
