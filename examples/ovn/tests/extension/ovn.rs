//! OVN as Debian ships it, in a temporary folder: both databases and northd, each on sockets there.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use netext_core::testing::{Executable, Server};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(20);

/// The databases and northd; they end with the test.
pub(crate) struct Ovn {
    folder: TempDir,
    running: Vec<Child>,
}

impl Ovn {
    pub(crate) fn new() -> Self {
        let mut ovn = Self { folder: TempDir::new().unwrap(), running: Vec::new() };
        ovn.start_database("nb");
        ovn.start_database("sb");
        let (northbound, southbound) = (ovn.socket("nb"), ovn.socket("sb"));
        ovn.start("ovn-northd", &[format!("--ovnnb-db={northbound}"), format!("--ovnsb-db={southbound}")]);
        ovn
    }

    /// A server on which the extension is registered for this OVN.
    pub(crate) fn server(&self) -> Server<Executable> {
        Server::for_executable(env!("CARGO_BIN_EXE_netext-example-ovn"))
            .unwrap()
            .detail("northbound", self.socket("nb"))
            .detail("gateway.chassis", "kvm-1,kvm-2")
    }

    /// Ends a database, as a crash does.
    pub(crate) fn end_northbound(&mut self) {
        let mut database = self.running.remove(0);
        database.kill().unwrap();
        database.wait().unwrap();
    }

    /// The output of `ovn-nbctl` about the northbound database.
    pub(crate) fn northbound(&self, arguments: &[&str]) -> String {
        self.tool("ovn-nbctl", &[&[format!("--db={}", self.socket("nb")).as_str()], arguments].concat())
    }

    /// The logical flows of northd, once it has processed all changes.
    pub(crate) fn flows(&self) -> String {
        self.northbound(&["--wait=sb", "--timeout=20", "sync"]);
        self.tool("ovn-sbctl", &[&format!("--db={}", self.socket("sb")), "lflow-list"])
    }

    /// The trace of a packet at a switch, given as an OVN match, of a connection in this state.
    pub(crate) fn trace(&self, switch: &str, packet: &str, state: &str) -> String {
        const PLACES: usize = 8;
        self.northbound(&["--wait=sb", "--timeout=20", "sync"]);
        let database = format!("--db={}", self.socket("sb"));
        let state = format!("--ct={state}");
        let states = [state.as_str(); PLACES];
        self.tool("ovn-trace", &[&[database.as_str()], &states[..], &[switch, packet]].concat())
    }

    /// Lets the upstream gateway answer an ARP request.
    pub(crate) fn knows_the_upstream_gateway(&self) {
        self.northbound(&["--wait=sb", "--timeout=20", "sync"]);
        let database = format!("--db={}", self.socket("sb"));
        let find =
            ["--bare", "--columns=_uuid", "find", "Datapath_Binding", "external_ids:name=cs-net-209-router"];
        let router = self.tool("ovn-sbctl", &[&[database.as_str()], &find[..]].concat());
        let datapath = format!("datapath={}", router.trim());
        let known =
            ["logical_port=cs-net-209-outside", "ip=198.51.100.1", "mac=\"02:00:00:00:00:01\"", &datapath];
        self.tool("ovn-sbctl", &[&[database.as_str(), "create", "MAC_Binding"], &known[..]].concat());
    }

    /// The northbound database without the columns that northd writes: the number of processed changes, and the state of
    /// ports.
    pub(crate) fn dump(&self) -> String {
        let socket = self.socket("nb");
        let arguments = ["dump", "--format=list", "--data=json", &socket, "OVN_Northbound"];
        let text = self.tool("ovsdb-client", &arguments);
        let of_northd = |table: &&str| table.starts_with("NB_Global table");
        let tables = text.split("\n\n").filter(|table| !of_northd(table));
        let lines = tables.flat_map(str::lines).filter(|line| !line.starts_with("up "));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn socket(&self, database: &str) -> String {
        format!("unix:{}", self.path(&format!("{database}.sock")).display())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start_database(&mut self, name: &str) {
        let file = self.path(&format!("{name}.db")).display().to_string();
        self.tool("ovsdb-tool", &["create", &file, &format!("/usr/share/ovn/ovn-{name}.ovsschema")]);
        let socket = self.path(&format!("{name}.sock"));
        self.start("ovsdb-server", &[format!("--remote=punix:{}", socket.display()), file]);
        let end = Instant::now() + PATIENCE;
        while !socket.exists() {
            assert!(Instant::now() < end, "ovsdb-server does not listen on {}", socket.display());
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn start(&mut self, program: &str, arguments: &[String]) {
        let control = self.path(&format!("{}.ctl", self.running.len()));
        let child = Command::new(program)
            .arg(format!("--unixctl={}", control.display()))
            .arg("-vconsole:off")
            .args(arguments)
            .stdin(Stdio::null())
            .env("PATH", path())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {program}: {error}; .ci/packages installs it"));
        self.running.push(child);
    }

    fn tool(&self, program: &str, arguments: &[&str]) -> String {
        let done = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("PATH", path())
            .output()
            .unwrap_or_else(|error| panic!("cannot run {program}: {error}; .ci/packages installs it"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(done.status.success(), "{program} {arguments:?}: {}", text(&done.stderr));
        text(&done.stdout)
    }
}

impl Drop for Ovn {
    fn drop(&mut self) {
        for child in &mut self.running {
            // It may have ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Debian has ovsdb-server in a folder that only root's PATH contains.
fn path() -> String {
    format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default())
}
