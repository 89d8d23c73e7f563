//! The life of networks: commands that are repeated, come early or late, or run at the same time.

use std::thread;

use netext_protocol::{Command, GuestType, Service};

use crate::testing::conformance::check::{
    Check, Checked, ExtensionUnderTest, SampleNetwork, send_all, skipped,
};
use crate::testing::payload::Payload;

/// How many commands run at the same time.
const AT_ONCE: usize = 4;

pub(super) static LIFE_OF_A_NETWORK: Check = Check {
    id: "life-of-a-network",
    requirement: "Every command that the extension provides succeeds in the life of a network.",
    reason: "The server sends these commands; the checks that follow vary them.",
    remedy: "Run netext simulate, and look at the first command that fails.",
    varies: &[],
    run: |tested| tested.network().live_with(|payload| payload),
};

pub(super) static REPEATED_COMMANDS: Check = Check {
    id: "repeated-commands",
    requirement: "Every command succeeds when it is sent twice.",
    reason: "The server repeats commands after a failure, a timeout or its own restart.",
    remedy: "Create the desired state, and treat a state that exists already as success.",
    varies: &[&LIFE_OF_A_NETWORK],
    run: |tested| tested.network().live(&mut |payload| send_all(&tested.server, [payload.clone(), payload])),
};

pub(super) static CHECKS: &[&Check] = &[
    &LIFE_OF_A_NETWORK,
    &REPEATED_COMMANDS,
    &Check {
        id: "absent-deletes",
        requirement: "Removing something that does not exist succeeds.",
        reason: "The server removes networks that were never implemented on this device, and sends removals after a \
                 shutdown.",
        remedy: "Treat something that does not exist as removed already.",
        varies: &[],
        run: |tested| {
            let network = tested.network();
            send_all(&tested.server, network.removing().into_iter().map(|command| network.payload(command)))
        },
    },
    &Check {
        id: "rules-before-implement",
        requirement: "Firewall rules may come before the network is implemented.",
        reason: "The server sends rules in the order in which the tenant created them.",
        remedy: "Store the rules, and apply them when the network is implemented.",
        varies: &[],
        run: rules_before_implement,
    },
    &Check {
        id: "nic-first",
        requirement: "On a shared network, prepare-nic may be the first command.",
        reason: "The server does not implement a shared network for its first instance.",
        remedy: "Create the network from the fields of prepare-nic.",
        varies: &[],
        run: nic_first,
    },
    &Check {
        id: "implement-without-vlan",
        requirement: "A second implement-network may come without a VLAN.",
        reason: "The server does not always know the segment of an implemented network.",
        remedy: "Keep the known segment.",
        varies: &[],
        run: |tested| {
            tested.network().implemented().removed_after(|network| {
                let payload = network.payload(Command::ImplementNetwork).with("vlan", "");
                send_all(&tested.server, [payload])
            })
        },
    },
    &Check {
        id: "restart",
        requirement: "After a shutdown, a network can be implemented again with everything in it.",
        reason: "A restart with cleanup shuts a network down and sends all of its commands again.",
        remedy: "Let shutdown-network remove everything that would disturb these commands.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: restart,
    },
    &Check {
        id: "concurrent-commands",
        requirement: "Commands for one network, and for several networks, may run at the same time.",
        reason: "The server runs one process per event, without a limit.",
        remedy: "Wait for a lock of the network, and do not fail while another command holds it.",
        varies: &[&LIFE_OF_A_NETWORK],
        run: concurrent_commands,
    },
];

fn nic_first(tested: &ExtensionUnderTest<'_>) -> Checked {
    if tested.profile.guest_type == GuestType::L2 {
        return skipped("the extension carries layer-2 networks only");
    }
    SampleNetwork::shared(tested).removed_after(|network| {
        send_all(&tested.server, [network.moved_here(Payload::sample_named("prepare-nic.shared"))])
    })
}

fn rules_before_implement(tested: &ExtensionUnderTest<'_>) -> Checked {
    if !tested.profile.services.contains(&Service::Firewall) {
        return skipped("the extension does not provide Firewall");
    }
    tested.network().removed_after(|network| {
        let commands = [Command::ApplyFwRules, Command::ImplementNetwork];
        send_all(&tested.server, commands.map(|command| network.payload(command)))
    })
}

fn restart(tested: &ExtensionUnderTest<'_>) -> Checked {
    let network = tested.network();
    let all = network.creating();
    let commands =
        all.iter().chain([&Command::ShutdownNetwork]).chain(&all).chain([&Command::DestroyNetwork]);
    let restarted = send_all(&tested.server, commands.map(|command| network.payload(*command)));
    if restarted.is_err() {
        network.remove();
    }
    restarted
}

fn concurrent_commands(tested: &ExtensionUnderTest<'_>) -> Checked {
    let networks: Vec<_> = (0..AT_ONCE).map(|_| tested.network()).collect();
    let another = tested.network().implemented();
    let checked = several_networks(tested, &networks).and_then(|()| several_commands(tested, &another));
    networks.iter().chain([&another]).for_each(SampleNetwork::remove);
    checked
}

/// Every command that creates something, on several networks at the same time.
fn several_networks(tested: &ExtensionUnderTest<'_>, networks: &[SampleNetwork<'_>]) -> Checked {
    let commands = networks.first().map(SampleNetwork::creating).unwrap_or_default();
    commands.into_iter().try_for_each(|command| {
        let payloads: Vec<_> = networks.iter().map(|network| network.payload(command)).collect();
        send_at_once(tested, &payloads)
    })
}

/// Different commands on one network at the same time.
fn several_commands(tested: &ExtensionUnderTest<'_>, network: &SampleNetwork<'_>) -> Checked {
    let others = network.creating().into_iter().filter(|command| *command != Command::ImplementNetwork);
    let payloads: Vec<_> = others.map(|command| network.payload(command)).collect();
    payloads.chunks(AT_ONCE).try_for_each(|some| send_at_once(tested, some))
}

fn send_at_once(tested: &ExtensionUnderTest<'_>, payloads: &[Payload]) -> Checked {
    let server = &tested.server;
    let sent: Vec<_> = thread::scope(|scope| {
        let send = |payload: &Payload| {
            let payload = payload.clone();
            scope.spawn(move || send_all(server, [payload]))
        };
        let running: Vec<_> = payloads.iter().map(send).collect();
        running.into_iter().map(|it| it.join().expect("a failed extension does not panic")).collect()
    });
    sent.into_iter().collect()
}
