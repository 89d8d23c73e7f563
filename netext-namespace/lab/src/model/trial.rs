//! One sequence of commands on a lab, with checks in between.

use std::net::IpAddr;

use super::expected::ExpectedRouter;
use super::packet::{Content, Sighting};
use super::probes::{Probe, ProbeSource};
use super::random::Random;
use super::site::{Place, Site, ipv4};
use super::step::{Cloud, Step};
use super::twin;
use super::verdict::{Outcome, Verdict, answer_place, verdict};
use super::wire::{RouterMacs, Wire, router_macs};
use crate::lab::Lab;

/// How often a probe with a wrong outcome is repeated: a packet may be lost on a busy machine.
const REPETITIONS: usize = 3;

/// A lab, and what its router is expected to be.
#[derive(Debug)]
pub(super) struct Trial<'lab> {
    lab: &'lab Lab,
    twin: &'lab Lab,
    cloud: Cloud<'lab>,
    wire: Wire,
    pub(super) expected: ExpectedRouter,
    next_number: u32,
    next_port: u16,
}

/// A violation, and what shows it.
#[derive(Clone, Debug)]
pub(super) enum Violation {
    /// A valid command fails.
    Refused(String),
    /// A packet takes another way than the rules say.
    Packet(Probe, String),
    /// The router is not what its state builds.
    Difference(Vec<String>),
}

/// What was tried.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Sequences of commands.
    pub sequences: usize,
    /// Commands.
    pub commands: usize,
    /// Probes whose outcome the documents say.
    pub probes: usize,
    /// Of these, probes that arrived or were answered.
    pub passed: usize,
    /// Routers that were compared with one from scratch.
    pub comparisons: usize,
}

impl<'lab> Trial<'lab> {
    pub(super) fn new(lab: &'lab Lab, twin: &'lab Lab, site: Site) -> Self {
        let (cloud, wire) = (Cloud::new(lab, site), Wire::lay(lab, site));
        let expected = ExpectedRouter::new(site);
        Self { lab, twin, cloud, wire, expected, next_number: 1, next_port: 20_000 }
    }

    /// Runs a command, which must succeed.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), Violation> {
        let outcome = self.cloud.run(step);
        if outcome.code != Some(0) {
            return Err(Violation::Refused(format!("exit {:?}: {}", outcome.code, outcome.output.trim())));
        }
        self.expected.take(step);
        Ok(())
    }

    /// Compares the router with one that is built from scratch.
    pub(super) fn compare(&self, tally: &mut Tally) -> Result<(), Violation> {
        tally.comparisons += 1;
        let namespace = self.cloud.network(1).namespace();
        let found = twin::differences(self.lab, self.twin, &self.expected, &namespace);
        if found.is_empty() { Ok(()) } else { Err(Violation::Difference(found)) }
    }

    /// Sends random packets, and compares what becomes of them with the verdict.
    pub(super) fn probe(
        &mut self,
        count: usize,
        random: &mut Random,
        tally: &mut Tally,
    ) -> Result<(), Violation> {
        let mut source = ProbeSource::new(&self.expected, random, &mut self.next_port);
        let mut probes: Vec<_> = (0..count).filter_map(|_| source.next()).collect();
        self.keep_apart(&mut probes);
        self.send(probes, tally)
    }

    /// Without ports, a packet between the same ends as an earlier one belongs to its connection. So no machine has two
    /// probes of such a protocol in one round.
    fn keep_apart(&self, probes: &mut Vec<Probe>) {
        let mut taken = Vec::new();
        probes.retain(|probe| {
            let Content::Other(protocol) = probe.packet.content else { return true };
            let is_public = |end: &IpAddr| ipv4(*end).is_some_and(|end| self.expected.has_address(end));
            let ends = [probe.packet.source, probe.packet.destination];
            let ends: Vec<_> =
                ends.into_iter().filter(|end| !is_public(end)).map(|end| (protocol, end)).collect();
            let is_free = ends.iter().all(|end| !taken.contains(end));
            taken.extend(ends);
            is_free
        });
    }

    /// Sends these packets, and compares what becomes of them with the verdict.
    pub(super) fn send(&mut self, probes: Vec<Probe>, tally: &mut Tally) -> Result<(), Violation> {
        let namespace = self.cloud.network(1).namespace();
        let macs = router_macs(self.lab, self.expected.site, &namespace);
        if macs.is_empty() {
            return Ok(());
        }
        let mut wrong = Vec::new();
        let mut probes: Vec<(Probe, Vec<Outcome>)> = probes
            .into_iter()
            .filter(|probe| macs.contains_key(&probe.from))
            .filter_map(|probe| Some((probe, self.verdict(probe)?)))
            .collect();
        tally.probes += probes.len();
        for repetition in 0..REPETITIONS {
            let results = self.round(&macs, &probes);
            if repetition == 0 {
                tally.passed +=
                    results.iter().filter(|result| result.as_ref().is_ok_and(|passed| *passed)).count();
            }
            wrong = probes
                .into_iter()
                .zip(results)
                .filter_map(|(it, result)| Some((it, result.err()?)))
                .collect();
            // Another connection each time.
            probes = wrong.iter().map(|((probe, outcomes), _)| (*probe, outcomes.clone())).collect();
            if probes.is_empty() {
                return Ok(());
            }
        }
        let ((probe, _), reason) = wrong.swap_remove(0);
        Err(Violation::Packet(probe, reason))
    }

    fn verdict(&self, probe: Probe) -> Verdict {
        verdict(&self.expected, probe.from, probe.packet)
    }

    /// Whether each probe passed; an error says which wrong way it took.
    fn round(&mut self, macs: &RouterMacs, probes: &[(Probe, Vec<Outcome>)]) -> Vec<Result<bool, String>> {
        // No packet belongs to a connection of an earlier round.
        self.cloud.network(1).router().node().sandbox().output("conntrack", &["-F"]);
        let first = self.next_number;
        self.next_number += u32::try_from(probes.len()).expect("a round is short");
        let numbered = || (first..).zip(probes);
        let sent: Vec<_> =
            numbered().map(|(number, (probe, _))| (probe.from, number, probe.packet, false)).collect();
        let passes = |outcomes: &[Outcome]| !outcomes.contains(&Outcome::Dropped);
        let seen =
            self.wire.exchange(macs, &sent, probes.iter().filter(|(_, outcomes)| passes(outcomes)).count());
        // The machines answer what arrived as expected.
        let mut answers = Vec::new();
        let mut results = Vec::new();
        for (number, (probe, outcomes)) in numbered() {
            let of_probe: Vec<_> = seen.iter().filter(|(_, sighting)| sighting.number == number).collect();
            let outcome = observed(*probe, &of_probe);
            results.push(judge(*probe, outcomes, &outcome));
            if let (Ok(Outcome::Arrives(place, packet)), Some(Ok(_))) = (outcome, results.last()) {
                let packet = of_probe.first().map_or(packet, |(_, sighting)| sighting.packet);
                answers.push((place, number, packet.answer(), true));
            }
        }
        let answered = self.wire.exchange(macs, &answers, answers.len());
        for (place, number, packet, _) in answers {
            let index = usize::try_from(number - first).expect("a small number");
            let probe = probes[index].0;
            let wanted = (answer_place(&self.expected, probe.from, packet), probe.packet.answer());
            let came: Vec<_> = answered
                .iter()
                .filter(|(_, sighting)| sighting.number == number && sighting.is_answer)
                .map(|(place, sighting)| (*place, sighting.packet))
                .collect();
            if came != [wanted] {
                let shown: Vec<_> =
                    came.iter().map(|(place, packet)| format!("{packet} at {place}")).collect();
                results[index] = Err(format!(
                    "{}: it arrives at {place}, and the answer {packet} must return as {} at {}, but returns {shown:?}",
                    probe.packet, wanted.1, wanted.0
                ));
            }
        }
        results
    }
}

/// What became of a probe; the error is something that no packet may do.
fn observed(probe: Probe, seen: &[&(Place, Sighting)]) -> Result<Outcome, String> {
    match seen {
        [] => Ok(Outcome::Dropped),
        [(place, sighting)] if sighting.is_answer => {
            let is_right = *place == probe.from
                && (sighting.packet.source, sighting.packet.destination)
                    == (probe.packet.destination, probe.packet.source);
            if is_right {
                Ok(Outcome::Answered)
            } else {
                Err(format!("the answer {} at {place}", sighting.packet))
            }
        }
        [(place, sighting)] => Ok(Outcome::Arrives(*place, sighting.packet)),
        several => {
            let shown: Vec<_> =
                several.iter().map(|(place, sighting)| format!("{} at {place}", sighting.packet)).collect();
            Err(format!("several packets: {shown:?}"))
        }
    }
}

fn judge(probe: Probe, expected: &[Outcome], outcome: &Result<Outcome, String>) -> Result<bool, String> {
    let found = match outcome {
        Ok(found) if expected.iter().any(|wanted| is_same(*wanted, *found)) => {
            return Ok(*found != Outcome::Dropped);
        }
        Ok(found) => format!("{found}"),
        Err(found) => found.clone(),
    };
    let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    Err(format!("{} from {}: expected {}, found {found}", probe.packet, probe.from, expected.join(" or ")))
}

/// The port that a translated packet leaves from may be another one.
fn is_same(wanted: Outcome, found: Outcome) -> bool {
    use super::packet::Content::{Icmp, Tcp, Udp};
    match (wanted, found) {
        (Outcome::Arrives(place, wanted), Outcome::Arrives(other, found)) => {
            let has_same_content = match (wanted.content, found.content) {
                (Tcp { to, .. }, Tcp { to: other, .. }) | (Udp { to, .. }, Udp { to: other, .. }) => {
                    to == other
                }
                (Icmp { kind, code, .. }, Icmp { kind: other, code: found, .. }) => {
                    (kind, code) == (other, found)
                }
                (wanted, found) => wanted == found,
            };
            place == other
                && (wanted.source, wanted.destination) == (found.source, found.destination)
                && has_same_content
        }
        (wanted, found) => wanted == found,
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dropped => formatter.write_str("nothing"),
            Self::Arrives(place, packet) => write!(formatter, "{packet} at {place}"),
            Self::Answered => formatter.write_str("an answer of the router"),
        }
    }
}

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(output) => write!(formatter, "a valid command fails: {output}"),
            Self::Packet(_, reason) => formatter.write_str(reason),
            Self::Difference(lines) => {
                formatter.write_str("the router is not what its state builds:")?;
                lines.iter().take(20).try_for_each(|line| write!(formatter, "\n  {line}"))
            }
        }
    }
}
