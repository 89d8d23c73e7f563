//! Plays rounds on a lab, keeps the model, and looks for broken rules.

use std::time::Duration;

use netext_lab::{Broken, Call, CommandOutcome, Fault, Signal, TracedCommand};

use crate::expectation;
use crate::model::{Model, NetworkModel};
use crate::script::{Command, Round};
use crate::trouble::{Disturbance, Trouble};
use crate::world::World;

/// The timeout of a command in seconds.
const TIMEOUT: u32 = 15;
/// That of a command that waits for a foreign lock.
const SHORT_TIMEOUT: u32 = 2;

/// What was played.
#[derive(Clone, Debug, Default)]
pub(crate) struct Played {
    pub(crate) rounds: usize,
    pub(crate) commands: usize,
    pub(crate) kills: usize,
    pub(crate) failures: usize,
    pub(crate) disturbances: usize,
    /// The rules that commands broke by the way they spoke, and their rounds. The play goes on.
    pub(crate) rude: Vec<(usize, Broken)>,
    /// The round and the other rules that it broke. The play ends there.
    pub(crate) broken: Option<(usize, Vec<Broken>)>,
}

/// When packets are tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tests {
    AfterEachRound,
    AtTheEnd,
}

/// Plays rounds in a new world up to the first broken rule.
pub(crate) fn play(executable: &str, rounds: &[Round], tests: Tests) -> Played {
    let world = World::create(executable);
    let mut player = Player { world, model: Model::default(), played: Played::default() };
    let last = rounds.last().map_or(0, |round| round.number);
    for round in rounds {
        let mut broken = player.round(round);
        if tests == Tests::AfterEachRound || round.number == last {
            broken.extend(player.test());
        }
        player.played.rounds += 1;
        if !broken.is_empty() {
            player.played.broken = Some((round.number, broken));
            break;
        }
    }
    player.played
}

struct Player {
    world: World,
    model: Model,
    played: Played,
}

impl Player {
    fn round(&mut self, round: &Round) -> Vec<Broken> {
        // In a shortened script the server may not send some of the commands.
        let model = self.model.clone();
        let is_valid = |command: &&Command| {
            command.operation.is_valid(command.network, &model.networks[command.network])
        };
        let commands: Vec<_> = round.commands.iter().filter(is_valid).collect();
        let mut broken = Vec::new();
        let (world, is_alone) = (&self.world, !round.are_at_once);
        let run = |command: &Command| {
            Player::command(world, command, is_alone.then_some(&model.networks[command.network]))
        };
        let outcomes: Vec<_> = if is_alone {
            commands.iter().map(|command| run(command)).collect()
        } else {
            std::thread::scope(|scope| {
                let begun: Vec<_> = commands.iter().map(|command| scope.spawn(|| run(command))).collect();
                begun.into_iter().map(|it| it.join().expect("a command does not panic")).collect()
            })
        };
        for (command, outcome) in commands.iter().zip(outcomes) {
            command.operation.acknowledge(&mut self.model.networks[command.network]);
            self.played.commands += 1 + usize::from(outcome.is_repeated);
            self.played.kills += usize::from(outcome.is_killed);
            self.played.failures += usize::from(outcome.has_failed);
            self.played.rude.extend(outcome.rude.into_iter().map(|rude| (round.number, rude)));
            broken.extend(outcome.broken);
        }
        if let Some(disturbance) = &round.disturbance {
            self.played.disturbances += 1;
            self.disturb(disturbance);
            broken.extend(self.repair("a repair works after a disturbance"));
        }
        broken
    }

    /// Tests what is in force after a round.
    fn test(&self) -> Vec<Broken> {
        let status = self.world.lab.start_bare(&["status"]).finish();
        let mut broken = expectation::test(&self.world, &self.model);
        broken.extend(status.unless_well("the status is well"));
        broken
    }

    /// Runs a command until it is acknowledged. Tests what packets do in between, given the model before it.
    fn command(world: &World, command: &Command, before: Option<&NetworkModel>) -> Acknowledged {
        let Command { network: number, operation, trouble, is_repaired } = command;
        let network = world.network(*number);
        let timeout = if *trouble == Trouble::ForeignLock { SHORT_TIMEOUT } else { TIMEOUT };
        let call = operation.call(*number, &network, timeout);
        let traced = struck(world, &network, &call, trouble);
        let mut broken = Vec::new();
        let outcome = &traced.outcome;
        let is_killed = outcome.code.is_none();
        let has_failed = outcome.code.is_some_and(|code| code != 0);
        if *trouble == Trouble::None {
            broken.extend(outcome.unless_well("a command without trouble succeeds"));
        }
        if has_failed {
            broken.extend(before.iter().flat_map(|it| expectation::test_network(world, *number, it)));
        }
        let is_repeated = is_killed || has_failed;
        if is_repeated {
            if *is_repaired {
                broken.extend(repair(world, "a repair works after a command that did not succeed"));
            }
            let call = operation.call(*number, &network, TIMEOUT);
            broken.extend(world.lab.call(&call).unless_well("a command works when it is repeated"));
        }
        let named = traced.struck.as_ref().map(|call| format!(" (struck at {call})")).unwrap_or_default();
        let name = |(rule, seen): Broken| (rule, format!("{operation:?} in {trouble:?}: {seen}{named}"));
        let rude = traced.broken_manners(false).into_iter().map(name).collect();
        let broken = broken.into_iter().map(name).collect();
        Acknowledged { is_repeated, is_killed, has_failed, rude, broken }
    }

    fn repair(&self, rule: &'static str) -> Vec<Broken> {
        repair(&self.world, rule)
    }

    fn disturb(&self, disturbance: &Disturbance) {
        let lab = &self.world.lab;
        let inside = |number: usize, program: &str, arguments: &[&str]| {
            let name = self.world.network(number).namespace();
            if lab.has_namespace(&name) {
                lab.inside(&name).sandbox().output(program, arguments);
            }
        };
        let each_link = |number: usize, words: &[&str]| {
            let network = self.world.network(number);
            let is_up = lab.has_namespace(&network.namespace());
            let links = if is_up { network.router().interfaces() } else { Vec::new() };
            for link in &links {
                inside(number, "ip", &[words, &[link.as_str()]].concat());
            }
        };
        match disturbance {
            Disturbance::KilledDaemon(number, daemon) => self.signal(*number, daemon, Signal::SIGKILL),
            Disturbance::StoppedDaemon(number, daemon) => self.signal(*number, daemon, Signal::SIGSTOP),
            Disturbance::FlushedRules(number) => inside(*number, "nft", &["flush", "ruleset"]),
            Disturbance::InterfacesDown(number) => each_link(*number, &["link", "set", "down", "dev"]),
            Disturbance::FlushedAddresses(number) => each_link(*number, &["address", "flush", "dev"]),
            Disturbance::DeletedLinks(number) => each_link(*number, &["link", "delete", "dev"]),
            Disturbance::DeletedNamespace(number) => {
                let name = self.world.network(*number).namespace();
                lab.host().output("ip", &["netns", "delete", &name]);
            }
            Disturbance::Reboot => self.world.reboot(),
        }
    }

    /// Sends a signal to a network's daemons of a name.
    fn signal(&self, number: usize, daemon: &str, signal: Signal) {
        let folder = self.world.network(number).folder();
        let processes = self.world.lab.processes().into_iter();
        let meant = processes.filter(|(_, line)| line.contains(daemon) && line.contains(&folder));
        for (process, _) in meant {
            let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process), signal);
        }
    }
}

/// How a command was acknowledged.
struct Acknowledged {
    is_repeated: bool,
    is_killed: bool,
    has_failed: bool,
    rude: Vec<Broken>,
    broken: Vec<Broken>,
}

/// Runs a command in trouble.
fn struck(world: &World, network: &netext_lab::Network<'_>, call: &Call, trouble: &Trouble) -> TracedCommand {
    let lab = &world.lab;
    match trouble {
        Trouble::None => lab.call_with(call, Fault::None),
        Trouble::Call(fault) => lab.call_with(call, *fault),
        Trouble::FullDisk => world.with_full_disk(|| lab.call_with(call, Fault::None)),
        Trouble::ReadOnlyDisk => world.with_read_only_disk(|| lab.call_with(call, Fault::None)),
        Trouble::ForeignLock => {
            let _held = network.hold_lock();
            lab.call_with(call, Fault::None)
        }
        Trouble::BrokenProgram(program) => {
            lab.breaks(program);
            let traced = lab.call_with(call, Fault::None);
            lab.mends(program);
            traced
        }
        Trouble::FewDescriptors(number) => {
            lab.call_with(&call.clone().with_descriptors(*number), Fault::None)
        }
    }
}

fn repair(world: &World, rule: &'static str) -> Vec<Broken> {
    let call = Call::operator(&["reconcile", "--all", "--timeout", "20"], Duration::from_secs(25));
    let outcome: CommandOutcome = world.lab.call(&call);
    outcome.broken_manners(true).into_iter().chain(outcome.unless_well(rule)).collect()
}
