//! What happens in a world: rounds of commands and disturbances, which a seed determines.

use std::fmt;

use crate::model::{Model, NETWORKS, NetworkNumber};
use crate::operation::Operation;
use crate::trouble::{Disturbance, Trouble};

/// A round: commands, one after the other or at once, and then a disturbance.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    /// Its number in the script.
    pub(crate) number: usize,
    pub(crate) commands: Vec<Command>,
    pub(crate) are_at_once: bool,
    pub(crate) disturbance: Option<Disturbance>,
}

/// A command on a network, and its trouble. If it does not succeed, it is repeated without trouble.
#[derive(Clone, Debug)]
pub(crate) struct Command {
    pub(crate) network: NetworkNumber,
    pub(crate) operation: Operation,
    pub(crate) trouble: Trouble,
    /// Whether the host is repaired before the command is repeated.
    pub(crate) is_repaired: bool,
}

/// The rounds of a seed. Every command succeeds in the end, so the script depends on nothing that happens.
pub(crate) fn rounds(seed: u64, number: usize) -> Vec<Round> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut model = Model::default();
    (1..=number).map(|number| round(&mut random, &mut model, number)).collect()
}

fn round(random: &mut fastrand::Rng, model: &mut Model, number: usize) -> Round {
    let are_at_once = random.u8(..4) == 0;
    let mut commands = Vec::new();
    let mut networks: Vec<_> = (0..NETWORKS).collect();
    random.shuffle(&mut networks);
    for network in networks.into_iter().take(random.usize(1..=3)) {
        let operation = Operation::random(random, network, &model.networks[network]);
        operation.acknowledge(&mut model.networks[network]);
        let trouble = Trouble::random(random);
        let trouble = if are_at_once && trouble.is_of_host() { Trouble::None } else { trouble };
        commands.push(Command { network, operation, trouble, is_repaired: random.bool() });
    }
    Round { number, commands, are_at_once, disturbance: Disturbance::random(random) }
}

impl fmt::Display for Round {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:>3}{}", self.number, if self.are_at_once { " at once" } else { "" })?;
        for Command { network, operation, trouble, is_repaired } in &self.commands {
            let repaired = if *is_repaired { ", repaired" } else { "" };
            write!(formatter, "  [network {network}: {operation:?}, {trouble:?}{repaired}]")?;
        }
        self.disturbance.iter().try_for_each(|disturbance| write!(formatter, "  then {disturbance:?}"))
    }
}
