//! Finds the shortest part of a script that breaks the same rule.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, Instant};

use crate::play::{Played, Tests, play};
use crate::script::Round;
use crate::trouble::Trouble;

/// A part of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A command of a round, with or without its trouble.
    Command { round: usize, index: usize, in_trouble: bool },
    /// What disturbs the host after a round.
    Disturbance { round: usize },
}

/// All parts of a script.
fn parts(rounds: &[Round]) -> Vec<Part> {
    let of_round = |it: &Round| {
        let round = it.number;
        let commands =
            (0..it.commands.len()).map(move |index| Part::Command { round, index, in_trouble: true });
        commands.chain(it.disturbance.as_ref().map(|_| Part::Disturbance { round })).collect::<Vec<_>>()
    };
    rounds.iter().flat_map(of_round).collect()
}

/// The script with only these parts.
pub(crate) fn kept(rounds: &[Round], parts: &[Part]) -> Vec<Round> {
    let rounds = rounds.iter().filter_map(|round| {
        let number = round.number;
        let commands = round.commands.iter().enumerate().filter_map(|(index, command)| {
            let part = |in_trouble| parts.contains(&Part::Command { round: number, index, in_trouble });
            let plain = || Some(crate::script::Command { trouble: Trouble::None, ..command.clone() });
            if part(true) { Some(command.clone()) } else { part(false).then(plain)? }
        });
        let commands: Vec<_> = commands.collect();
        let is_disturbed = parts.contains(&Part::Disturbance { round: number });
        let disturbance = round.disturbance.clone().filter(|_| is_disturbed);
        let is_empty = commands.is_empty() && disturbance.is_none();
        (!is_empty).then(|| Round { commands, disturbance, ..round.clone() })
    });
    rounds.collect()
}

/// Leaves out parts, and then the troubles of commands, as long as the first rule that was broken is still broken.
pub(crate) fn shrink(executable: &str, rounds: &[Round], played: &Played, patience: Duration) -> Vec<Part> {
    let deadline = Instant::now() + patience;
    let last = played.broken.as_ref().map_or(usize::MAX, |(round, _)| *round);
    let mut shortest: Vec<_> = parts(rounds).into_iter().filter(|part| part.round() <= last).collect();
    let rule = rule(played);
    let still_breaks = |parts: &[Part]| {
        Instant::now() < deadline
            && rule == self::rule(&play(executable, &kept(rounds, parts), Tests::AtTheEnd))
    };
    let mut size = shortest.len() / 2;
    while size > 0 {
        let mut start = 0;
        while start < shortest.len() {
            let mut shorter = shortest.clone();
            shorter.drain(start..(start + size).min(shortest.len()));
            if still_breaks(&shorter) {
                shortest = shorter;
            } else {
                start += size;
            }
        }
        size /= 2;
    }
    for index in 0..shortest.len() {
        let mut calmer = shortest.clone();
        calmer[index] = calmer[index].without_trouble();
        if calmer != shortest && still_breaks(&calmer) {
            shortest = calmer;
        }
    }
    shortest
}

/// The first rule that a play broke.
fn rule(played: &Played) -> Option<&'static str> {
    played.broken.as_ref().and_then(|(_, broken)| broken.first()).map(|(rule, _)| *rule)
}

impl Part {
    fn round(self) -> usize {
        match self {
            Self::Command { round, .. } | Self::Disturbance { round } => round,
        }
    }

    fn without_trouble(self) -> Self {
        match self {
            Self::Command { round, index, .. } => Self::Command { round, index, in_trouble: false },
            disturbance @ Self::Disturbance { .. } => disturbance,
        }
    }
}

/// As the argument `--keep` has it: `3.1` is the first command of round 3, `3.1-` the same without its trouble, and `3d`
/// the disturbance after it.
impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command { round, index, in_trouble } => {
                write!(formatter, "{round}.{}{}", index + 1, if *in_trouble { "" } else { "-" })
            }
            Self::Disturbance { round } => write!(formatter, "{round}d"),
        }
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no part of a script such as 3.1, 3.1- or 3d");
        let number = |text: &str| text.parse::<usize>().map_err(|_| wrong());
        if let Some(round) = text.strip_suffix('d') {
            return Ok(Self::Disturbance { round: number(round)? });
        }
        let (round, command) = text.split_once('.').ok_or_else(wrong)?;
        let (command, in_trouble) = match command.strip_suffix('-') {
            Some(command) => (command, false),
            None => (command, true),
        };
        let index = number(command)?.checked_sub(1).ok_or_else(wrong)?;
        Ok(Self::Command { round: number(round)?, index, in_trouble })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::rounds;

    #[test]
    fn a_script_depends_on_its_seed_only() {
        let script = |seed| format!("{:?}", rounds(seed, 20));
        assert_eq!(script(7), script(7));
        assert_ne!(script(7), script(8));
    }

    #[test]
    fn parts_are_written_as_they_are_read() {
        for text in ["3.1", "3.2-", "12d"] {
            assert_eq!(text.parse::<Part>().map(|part| part.to_string()), Ok(text.to_owned()));
        }
        assert!("3".parse::<Part>().is_err() && "3.0".parse::<Part>().is_err());
    }

    #[test]
    fn all_parts_of_a_script_are_the_script() {
        let script = rounds(7, 20);
        assert_eq!(format!("{:?}", kept(&script, &parts(&script))), format!("{script:?}"));
        let calm: Vec<_> = parts(&script).into_iter().map(Part::without_trouble).collect();
        let calm = kept(&script, &calm);
        assert!(calm.iter().flat_map(|round| &round.commands).all(|it| it.trouble == Trouble::None));
    }
}
