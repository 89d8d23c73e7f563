//! The bench on which an extension is tried.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use netext_protocol::{Command, Effect, GuestType, Scope, Service};
use serde_json::Value;

use super::report::{Finding, Ran, Report};
use super::stage::Stage;
use super::{Check, checks};
use crate::Description;
use crate::testing::{Call, Extension, Server};

/// What an extension provides, and so what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Provided {
    /// The kind of network that it is tried on: isolated, unless it carries no such networks.
    pub guest_type: GuestType,
    /// The services that it declares.
    pub services: BTreeSet<Service>,
    /// Whether it carries VPCs.
    pub vpc: bool,
    /// The commands that it does not answer although it provides their service.
    pub without: BTreeSet<Command>,
}

impl Provided {
    /// An extension that provides some services. That it answers the two commands that no server sends yet is
    /// not assumed.
    pub fn new(services: impl IntoIterator<Item = Service>) -> Self {
        let without = [Command::SetDhcpOptions, Command::DestroyVpc].into();
        let services = services.into_iter().collect();
        Self { guest_type: GuestType::Isolated, services, vpc: false, without }
    }

    /// It is tried on networks of another kind.
    pub fn on(mut self, guest_type: GuestType) -> Self {
        self.guest_type = guest_type;
        self
    }

    /// It carries VPCs.
    pub fn vpc(mut self) -> Self {
        self.vpc = true;
        self
    }

    /// What a device says about itself.
    pub fn of(description: &Description) -> Self {
        let services =
            Service::ALL.iter().copied().filter(|service| description.declares(*service)).collect();
        let commands: BTreeSet<_> = description.commands().collect();
        Self::answering(services, &commands)
    }

    /// An extension that provides some services and answers some commands.
    pub fn answering(services: BTreeSet<Service>, commands: &BTreeSet<Command>) -> Self {
        let vpc = commands.contains(&Command::ImplementVpc);
        let guest_type = GuestType::Isolated;
        let mut provided = Self { guest_type, services, vpc, without: BTreeSet::new() };
        provided.without = Command::ALL
            .iter()
            .copied()
            .filter(|it| provided.answers(*it) && !commands.contains(it))
            .collect();
        provided
    }

    /// What an extension answers to `--describe`, if it answers that. Commands of a newer protocol are not asked
    /// for.
    pub fn asked_of(extension: &impl Extension) -> Option<Self> {
        let answer = extension.answer(&Call::bare(["--describe"]));
        let description: Value = serde_json::from_str(&answer.output).ok()?;
        let words = |name: &str| -> Option<Vec<&str>> {
            description.get(name)?.as_array()?.iter().map(Value::as_str).collect()
        };
        let services = words("services")?.into_iter().map(Self::service).collect::<Option<_>>()?;
        let commands = words("commands")?.into_iter().filter_map(|name| name.parse().ok()).collect();
        (answer.code() == Some(0)).then(|| Self::answering(services, &commands))
    }

    /// The service of a name, in whatever case it is written.
    pub fn service(name: &str) -> Option<Service> {
        Service::ALL.iter().copied().find(|service| service.name().eq_ignore_ascii_case(name))
    }

    /// Whether a service of the command is declared, or it belongs to none.
    pub(super) fn declares(&self, command: Command) -> bool {
        command.services().is_empty() || command.services().iter().any(|it| self.services.contains(it))
    }

    /// Whether the extension answers the command by doing something.
    pub(super) fn answers(&self, command: Command) -> bool {
        self.declares(command)
            && (self.vpc || command.scope() != Scope::Vpc)
            && !self.without.contains(&command)
    }
}

/// The bench on which an extension is tried: a server, and networks of numbers that nobody else has.
pub struct Bench<'a> {
    pub(super) server: Server<&'a dyn Extension>,
    pub(super) provided: Provided,
    networks: AtomicU32,
    /// Whether the life of a network was lived without trouble; whatever varies it means nothing otherwise.
    lives: Cell<bool>,
}

/// The networks and VPCs of the checks are numbered from here.
const FIRST_NETWORK: u32 = 990_000;

impl<'a> Bench<'a> {
    /// A bench for an extension, with what is registered on the server.
    pub fn new<E: Extension>(server: &'a Server<E>, provided: Provided) -> Self {
        let mut own: Server<&'a dyn Extension> = Server::new(server.extension());
        for (name, value) in server.registered() {
            own.register(name.clone(), value.as_str().unwrap_or_default());
        }
        Self { server: own, provided, networks: AtomicU32::new(FIRST_NETWORK), lives: Cell::new(true) }
    }

    /// Runs every check, one after the other. Announces each before it begins, and tells what it found.
    pub fn run(&self, announce: &mut dyn FnMut(&'static Check), tell: &mut dyn FnMut(&Ran)) -> Report {
        let mut ran = Vec::new();
        for check in Check::all() {
            announce(check);
            let began = Instant::now();
            let finding = match check.id {
                id if !self.lives.get() && checks::VARY_THE_LIFE_OF_A_NETWORK.contains(&id) => {
                    Finding::Skipped("the life of a network fails already".to_owned())
                }
                _ => (check.run)(self),
            };
            let result = Ran { check, finding, took: began.elapsed() };
            tell(&result);
            ran.push(result);
        }
        Report { ran }
    }

    /// Runs every check.
    ///
    /// # Panics
    /// If a check fails, with all that do: what is so, why it ought not to be, and what to do.
    #[track_caller]
    pub fn assert_conforms(&self) {
        let report = self.run(&mut |_| {}, &mut |_| {});
        let failures: Vec<_> = report.failures().map(ToString::to_string).collect();
        assert!(failures.is_empty(), "the extension does not conform\n\n{}", failures.join("\n"));
    }

    /// A network that nobody has heard of, of the kind that the extension is tried on.
    pub(super) fn network(&self) -> Stage<'_> {
        match self.provided.guest_type {
            GuestType::L2 => Stage::layer2(self, self.next_number()),
            GuestType::Shared => self.shared_network(),
            _ => Stage::isolated(self, self.next_number()),
        }
    }

    /// A shared network that nobody has heard of.
    pub(super) fn shared_network(&self) -> Stage<'_> {
        Stage::shared(self, self.next_number())
    }

    /// The number of a network or VPC that nobody has heard of.
    pub(super) fn next_number(&self) -> u32 {
        self.networks.fetch_add(1, Ordering::Relaxed)
    }

    /// The life of a network was lived, with or without trouble.
    pub(super) fn lived(&self, well: bool) {
        self.lives.set(well);
    }

    /// The commands on a network that the extension answers and that bring something, in the order in which
    /// they can be sent.
    pub(super) fn bringing(&self) -> Vec<Command> {
        self.commands().filter(|command| !takes_away(*command)).collect()
    }

    /// The commands on a network that take something away: the last that was brought first, the network at the
    /// end.
    pub(super) fn taking_away(&self) -> Vec<Command> {
        let (ends, mut others): (Vec<_>, Vec<_>) =
            self.commands().filter(|command| takes_away(*command)).partition(|command| ends(*command));
        others.reverse();
        others.into_iter().chain(ends).collect()
    }

    fn commands(&self) -> impl Iterator<Item = Command> {
        // The lists of tiers mean nothing elsewhere; what an action does is the vendor's affair.
        let fits = |command: &Command| match command {
            Command::EnsureNetworkDevice | Command::CustomAction => false,
            Command::ApplyNetworkAcl => !self.provided.vpc,
            command => command.scope() == Scope::Network,
        };
        Command::ALL.iter().copied().filter(fits).filter(|command| self.provided.answers(*command))
    }
}

impl std::fmt::Debug for Bench<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Bench").field("provided", &self.provided).finish_non_exhaustive()
    }
}

fn takes_away(command: Command) -> bool {
    command.effect() == Effect::Removes
}

fn ends(command: Command) -> bool {
    matches!(command, Command::ShutdownNetwork | Command::DestroyNetwork)
}
