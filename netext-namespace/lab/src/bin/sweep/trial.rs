//! One command with one fault: what it promises, and what is seen.

use std::time::{Duration, Instant};

use netext_lab::{Answers, Broken, Call, Fault, Lab, Observation, SavedDisk, TracedCommand};

use crate::steps::Step;
use crate::violation::Violation;
use crate::world::{Base, World};

/// How long a daemon that was replaced may take to end.
const ENDING: Duration = Duration::from_secs(1);

/// How a command comes to the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is called there.
    Direct,
    /// It is called on a management server. The faults strike there.
    OverSsh,
}

/// A lab in the state that commands start from.
pub(crate) struct Ground {
    base: Base,
    way: Way,
    world: World,
    disk: SavedDisk,
    before: State,
    /// The last field: the machines of the world are plugged into it.
    lab: Lab,
}

/// A command on its ground, and the state that it leaves.
pub(crate) struct Stage {
    ground: Ground,
    call: Call,
    undo: Vec<Call>,
    after: State,
    pub(crate) recorded: TracedCommand,
}

/// A state of the host, as observed and as its machines use it.
struct State {
    observation: Observation,
    answers: Answers,
}

impl Ground {
    fn prepare(executable: &str, base: Base, way: Way) -> Self {
        let lab = match way {
            Way::Direct => Lab::boot(executable),
            Way::OverSsh => Lab::boot_with_server(executable),
        };
        let world = World::build(&lab, base);
        let disk = SavedDisk::copy(lab.host(), &lab.state_folder());
        let before = State::of(&lab, &world);
        Self { base, way, world, disk, before, lab }
    }

    /// How the host differs from what it has to be. A daemon that was replaced may take a moment to end.
    fn differs_from(&self, expected: &Observation) -> Vec<String> {
        let deadline = Instant::now() + ENDING;
        loop {
            let differences = expected.differences(&Observation::of(&self.lab));
            if differences.is_empty() || Instant::now() > deadline {
                return differences;
            }
        }
    }

    /// Waits for what goes on without the command, and lets the time pass in which a host that failed is not asked again.
    fn settle(&self) {
        if self.way == Way::OverSsh {
            self.lab.await_idle_host();
            self.lab.forget_failures();
        }
    }

    /// Puts the lab back into the state at the start; returns the remaining differences.
    fn go_back(&self, undo: &[Call]) -> Vec<String> {
        for call in undo {
            self.lab.call(call);
        }
        self.settle();
        self.disk.put_back(self.lab.host());
        self.lab.operate(&["reconcile", "--all"]);
        let differences = self.differs_from(&self.before.observation);
        if differences.is_empty() { self.before.answers.differences() } else { differences }
    }
}

impl Stage {
    /// Brings a lab into the step's state, unless it is in it, and sees what the command does without a fault.
    pub(crate) fn set(
        executable: &str,
        step: &Step,
        way: Way,
        ground: Option<Ground>,
    ) -> Result<Self, String> {
        let ground = ground.filter(|ground| ground.base == step.base);
        let ground = ground.unwrap_or_else(|| Ground::prepare(executable, step.base, way));
        let (call, undo) = step.calls(&ground.lab);
        let recorded = ground.lab.record(&call);
        if recorded.outcome.code != Some(0) {
            return Err(format!("{} fails without a fault: {:?}", step.name, recorded.outcome));
        }
        let after = State::of(&ground.lab, &ground.world);
        match ground.go_back(&undo) {
            differences if differences.is_empty() => Ok(Self { ground, call, undo, after, recorded }),
            differences => Err(format!("{} cannot be undone: {}", step.name, differences.join("; "))),
        }
    }

    /// The ground, for the next command.
    pub(crate) fn into_ground(self) -> Ground {
        self.ground
    }

    /// How many questions are answered before the command and after it.
    pub(crate) fn answered(&self) -> (usize, usize) {
        (self.ground.before.answers.number(), self.after.answers.number())
    }

    /// Lets a fault strike the command. Returns the broken rules, and whether the lab is as before.
    pub(crate) fn strike(&self, step: &Step, fault: Fault) -> (Vec<Violation>, bool) {
        let traced = self.ground.lab.call_with(&self.call, fault);
        let mut broken = traced.broken_manners(self.call.is_of_operator());
        self.ground.settle();
        broken.extend(match (traced.outcome.code, self.ground.way) {
            (Some(0), _) => self.in_force("a command that succeeds is in force"),
            (Some(_), Way::Direct) => self.undone(),
            // The host may have carried out what the server could not be told.
            (_, Way::OverSsh) => self.whole("a command that is cut off leaves the old state or the new one"),
            (None, Way::Direct) => self.healed(),
        });
        let repeated = self.ground.lab.call(&self.call);
        broken.extend(repeated.unless_well("a command works when it is repeated"));
        broken.extend(self.in_force("a repeated command is in force"));
        broken.extend(of("packets pass after a repeated command", self.after.answers.differences()));
        let restored = self.ground.go_back(&self.undo);
        // To see it again, the fault has to be the one that struck.
        let fault = match (&traced.struck, traced.errno) {
            (Some(call), Some(errno)) => Fault::Fail(call.place, errno),
            _ => fault,
        };
        let violations = broken.into_iter().map(|(rule, seen)| {
            let struck = traced.struck.clone();
            Violation { step: step.name, fault, struck, rule, seen }
        });
        (violations.collect(), restored.is_empty())
    }

    /// The new state is in force and on disk, and a repair finds nothing to do.
    fn in_force(&self, rule: &'static str) -> Vec<Broken> {
        let mut broken = of(rule, self.ground.differs_from(&self.after.observation));
        broken.extend(self.is_well());
        broken
    }

    /// The old state is in force and on disk, although nothing repaired it.
    fn undone(&self) -> Vec<Broken> {
        let differences = self.ground.differs_from(&self.ground.before.observation);
        let mut broken = of("a command that fails changes nothing", differences);
        let seen = Observation::of(&self.ground.lab);
        broken.extend(of("nothing is left beside the files", seen.leftovers().to_vec()));
        broken.extend(self.is_well());
        broken
    }

    /// A repair after a kill leaves the old state or the new one.
    fn healed(&self) -> Vec<Broken> {
        let repair = self.ground.lab.operate(&["reconcile", "--all", "--timeout", "10"]);
        let mut broken = Vec::from_iter(repair.unless_well("a repair works after a kill"));
        broken.extend(self.whole("a killed command leaves the old state or the new one"));
        broken
    }

    /// The old state or the new one is in force and on disk.
    fn whole(&self, rule: &'static str) -> Vec<Broken> {
        let mut broken = Vec::new();
        let seen = Observation::of(&self.ground.lab);
        let (old, new) =
            (self.ground.before.observation.differences(&seen), self.after.observation.differences(&seen));
        if !old.is_empty() && !new.is_empty() {
            let nearer = if old.len() <= new.len() { ("old", old) } else { ("new", new) };
            let seen = format!("from the {} state: {}", nearer.0, nearer.1.join("; "));
            broken.push((rule, seen));
        }
        broken.extend(of("nothing is left beside the files", seen.leftovers().to_vec()));
        broken.extend(self.is_well());
        broken
    }

    fn is_well(&self) -> Option<Broken> {
        // It finds the same as the rehearsal of a repair.
        self.ground.lab.operate(&["status"]).unless_well("the status is well")
    }
}

impl State {
    fn of(lab: &Lab, world: &World) -> Self {
        // Daemons may still be reading their files: what they answer at once is not what they will answer.
        std::thread::sleep(std::time::Duration::from_millis(200));
        Self { observation: Observation::of(lab), answers: world.answers() }
    }
}

fn of(rule: &'static str, differences: Vec<String>) -> Vec<Broken> {
    if differences.is_empty() { Vec::new() } else { vec![(rule, differences.join("; "))] }
}
