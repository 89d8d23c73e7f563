//! What a daemon that serves a router's guests shall be, as plain data.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::model::InterfaceName;

/// Which daemon it is: enough to find it, and to stop it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Daemon {
    /// What messages call it, such as `dnsmasq of network 209`.
    pub what: String,
    /// The program's file name, such as `dnsmasq`.
    pub program: String,
    /// Its own folder, which lives and goes with it. A process of that program whose command line speaks of
    /// something in this folder is this daemon.
    pub folder: PathBuf,
    /// The file in the folder that the daemon writes its process id to.
    pub pid_file: String,
}

/// A daemon as it shall run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonPlan {
    /// Which one it is.
    pub daemon: Daemon,
    /// Whom the daemon runs as: this account's group may read its folder.
    pub account: Account,
    /// Its configuration.
    pub files: Vec<ConfigFile>,
    /// Starts it. The process that is started ends when the daemon is ready, and then its process id is known.
    pub start: CommandLine,
    /// Starts a successor beside the daemon that takes over its sockets; the daemon itself is then told by SIGUSR1
    /// to end with its last connection. Where there is one it stands for every new start of a daemon that runs.
    /// It must fail, with the daemon as it was, if it cannot serve what is configured.
    pub successor: Option<Successor>,
    /// The router's interfaces that it binds to: if one of them is made anew, it has to start anew.
    pub interfaces: BTreeSet<InterfaceName>,
}

/// What follows a haproxy that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Successor {
    /// Starts it.
    pub start: CommandLine,
    /// The file name of the socket on which the predecessor tells how its members do.
    pub socket: &'static str,
    /// The file in which the successor looks for members that are known to be dead. It is there for as long as the
    /// start lasts.
    pub dead_members: &'static str,
}

/// One file of a daemon's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its name in the daemon's folder.
    pub name: &'static str,
    /// Its whole content.
    pub content: String,
    /// What makes the daemon take notice of a change.
    pub on_change: OnChange,
}

/// What makes a daemon take notice of a changed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// Only a new start.
    Restart,
    /// SIGHUP.
    Reload,
    /// SIGHUP while every line that was there stays. What a line that goes has brought about, the daemon
    /// forgets only by a new start.
    ReloadIfGrown,
}

/// A program with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// The program: a name to be looked for, or a path.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The Debian package that has it.
    pub package: &'static str,
}

/// An account of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's name.
    pub user: String,
    /// The name of the user's own group.
    pub group: String,
    /// The group's number.
    pub group_id: u32,
}
