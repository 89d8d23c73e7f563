//! The daemons that serve a router's guests, as plain data.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::model::InterfaceName;

/// The identity of a daemon: enough to find it, and to stop it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Daemon {
    /// Its name in messages, such as `dnsmasq of network-209`.
    pub what: String,
    /// The program that its processes run.
    pub program: DaemonProgram,
    /// Its own folder, which is created and removed with it. A process of that program whose command line names a file
    /// in this folder is this daemon, even if the folder on disk is another one by now.
    pub folder: PathBuf,
    /// The file in the folder that the daemon writes its process id to.
    pub pid_file: String,
}

/// The program of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DaemonProgram {
    /// An executable with this file name, such as `dnsmasq`.
    Installed(&'static str),
    /// A mode of this executable, which has several names. Its processes have this one.
    Own(&'static str),
}

impl DaemonProgram {
    /// The name of its processes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed(name) | Self::Own(name) => name,
        }
    }
}

/// The desired state of a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonPlan {
    /// Its identity.
    pub daemon: Daemon,
    /// The account that the daemon runs as. Its group may read the folder.
    pub account: DaemonAccount,
    /// Its configuration.
    pub files: Vec<ConfigFile>,
    /// Starts it. The process that is started ends when the daemon is ready, and then its process id is known.
    pub start: CommandLine,
    /// Starts a successor beside the running daemon, which takes over its sockets; SIGUSR1 then makes the daemon end
    /// with its last connection. If there is one, it replaces every restart of a running daemon. If the successor
    /// cannot serve the configuration, it must fail and leave the daemon as it is.
    pub successor: Option<DaemonSuccessor>,
    /// The router's interfaces that it binds to: it must be restarted after one of them was replaced.
    pub interfaces: BTreeSet<InterfaceName>,
    /// How it shows that it works.
    pub health: HealthQuestion,
}

/// What a daemon is asked, in its namespace, to show that it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthQuestion {
    /// A DNS question at this address.
    Dns(Ipv4Addr),
    /// Whether it reads what arrives at the DHCP port of this address. It answers no stranger.
    Dhcp(Ipv4Addr),
    /// An HTTP request at each of these addresses.
    Http(Vec<Ipv4Addr>),
    /// A question at a socket of this name in its folder.
    RuntimeSocket(&'static str),
    /// Nothing can be asked. Beside the process of the pid file, a child of it must live.
    Halves,
}

/// The successor of a running haproxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonSuccessor {
    /// Starts it.
    pub start: CommandLine,
    /// The file name of the socket on which the predecessor reports the state of its members.
    pub socket: &'static str,
    /// The file from which the successor reads the members that are known to be dead. It exists only during the start.
    pub dead_members: &'static str,
}

/// One file of a daemon's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its name in the daemon's folder.
    pub name: &'static str,
    /// Its whole content.
    pub content: String,
    /// How the daemon learns of a change.
    pub on_change: ChangeNotice,
}

/// How a daemon learns of a changed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeNotice {
    /// By a restart.
    Restart,
    /// By SIGHUP.
    Reload,
    /// By SIGHUP as long as no line is removed. The daemon forgets the effect of a removed line only by a restart.
    ReloadIfGrown,
}

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program: a name to search for, or a path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The Debian package that has it.
    pub package: &'static str,
}

/// An account of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonAccount {
    /// The user's name.
    pub user: String,
    /// The name of the user's own group.
    pub group: String,
    /// The group's number.
    pub group_id: u32,
}
