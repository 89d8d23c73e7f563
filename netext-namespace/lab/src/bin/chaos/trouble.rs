//! What goes wrong: in a command, and on the host between commands.

use netext_lab::{CallPlace, Fault};

use crate::model::{NETWORKS, NetworkNumber};

/// What strikes a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// A system call.
    Call(Fault),
    /// The disk is full.
    FullDisk,
    /// The disk can only be read.
    ReadOnlyDisk,
    /// Somebody holds the router's lock for longer than the command's time.
    ForeignLock,
    /// A program that the command may start fails and says nothing.
    BrokenProgram(&'static str),
    /// The command may only open this many files.
    FewDescriptors(u32),
}

/// What happens to the host between commands. `reconcile` mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disturbance {
    /// The daemons of this name that serve a network are killed.
    KilledDaemon(NetworkNumber, &'static str),
    /// They are stopped: they live and do not answer.
    StoppedDaemon(NetworkNumber, &'static str),
    /// The packet rules are gone.
    FlushedRules(NetworkNumber),
    /// The interfaces are down, with all of their routes.
    InterfacesDown(NetworkNumber),
    /// The addresses are gone.
    FlushedAddresses(NetworkNumber),
    /// The links to the bridges are gone.
    DeletedLinks(NetworkNumber),
    /// The whole namespace is gone, with its daemons.
    DeletedNamespace(NetworkNumber),
    /// The host boots.
    Reboot,
}

const DAEMONS: [&str; 3] = ["dnsmasq", "netext-metadata", "haproxy"];
const PROGRAMS: [&str; 3] = ["nft", "dnsmasq", "haproxy"];
/// Most commands have fewer system calls that change something.
const CHANGES: usize = 160;
/// Calls between two of these.
const OTHERS: usize = 4;

impl Trouble {
    /// Whether it befalls the whole host, so that it would strike other commands too.
    pub(crate) fn is_of_host(&self) -> bool {
        !matches!(self, Self::None | Self::Call(_) | Self::FewDescriptors(_))
    }

    /// Trouble for about every other command.
    pub(crate) fn random(random: &mut fastrand::Rng) -> Self {
        let place = CallPlace { changes: random.usize(..CHANGES), others: random.usize(..OTHERS) };
        match random.u8(..24) {
            0..=4 => Self::Call(Fault::Kill(place)),
            5..=9 => Self::Call(Fault::FailSensibly(place, random.usize(..4))),
            10 => Self::FullDisk,
            11 => Self::ReadOnlyDisk,
            12 if random.bool() => Self::ForeignLock,
            13 => Self::BrokenProgram(random.choice(PROGRAMS).expect("three")),
            12 => Self::FewDescriptors(random.u32(4..24)),
            _ => Self::None,
        }
    }
}

impl Disturbance {
    /// A disturbance after about one round in three.
    pub(crate) fn random(random: &mut fastrand::Rng) -> Option<Self> {
        let network = random.usize(..NETWORKS);
        let daemon = *random.choice(&DAEMONS).expect("three");
        Some(match random.u8(..24) {
            0 | 1 => Self::KilledDaemon(network, daemon),
            2 => Self::StoppedDaemon(network, daemon),
            3 => Self::FlushedRules(network),
            4 => Self::InterfacesDown(network),
            5 => Self::FlushedAddresses(network),
            6 => Self::DeletedLinks(network),
            7 => Self::DeletedNamespace(network),
            8 => Self::Reboot,
            _ => return None,
        })
    }
}
