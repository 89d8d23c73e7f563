//! The states that commands start from: everything that a network or a VPC can have, with machines that use it.

use netext_lab::{
    AccessList, Answers, Balancer, Firewall, Forward, Lab, Listener, Network, Node, Question, Rule,
    SourceNat, joined,
};
use serde_json::json;

/// A state that commands start from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Base {
    /// An isolated network with every service.
    Isolated,
    /// A VPC with two tiers that have every service.
    Vpc,
    /// A VPC without a tier.
    EmptyVpc,
}

/// The isolated network. It has IPv6.
pub(crate) const NETWORK: u32 = 209;
/// A network on another VLAN that is not implemented.
pub(crate) const NEW_NETWORK: u32 = 210;
/// The VPC.
pub(crate) const VPC: u32 = 7;
/// A VPC that is not implemented.
pub(crate) const NEW_VPC: u32 = 8;

/// The machines of a base.
pub(crate) struct World {
    questions: Vec<Question>,
    _listeners: Vec<Listener>,
}

pub(crate) fn isolated(lab: &Lab) -> Network<'_> {
    lab.network(NETWORK).with_ip6("2001:db8:1::1", "2001:db8:1::/64")
}

pub(crate) fn firewall() -> Firewall {
    let public = ["198.51.100.10", "198.51.100.11", "198.51.100.12"];
    public.into_iter().fold(Firewall::egress_allowed(), Firewall::open)
}

pub(crate) fn balancer() -> Balancer {
    Balancer::tcp(9, "198.51.100.12:80").member("10.1.1.10:22").member("10.1.1.11:22")
}

pub(crate) fn tier_balancer() -> Balancer {
    Balancer::tcp(19, "198.51.100.21:80").member("10.2.1.10:22")
}

pub(crate) fn access_list() -> AccessList {
    AccessList::new().with(Rule::allow_in(1).tcp(22)).with(Rule::allow_out(2).protocol("all"))
}

impl World {
    /// Brings a lab into the state of a base.
    #[track_caller]
    pub(crate) fn build(lab: &Lab, base: Base) -> Self {
        match base {
            Base::Isolated => Self::isolated(lab),
            Base::Vpc => Self::vpc(lab),
            Base::EmptyVpc => {
                lab.vpc(VPC).implement_with("198.51.100.20");
                Self { questions: Vec::new(), _listeners: Vec::new() }
            }
        }
    }

    /// Asks everything that the machines of this base can ask.
    pub(crate) fn answers(&self) -> Answers {
        Answers::of(&self.questions)
    }

    fn isolated(lab: &Lab) -> Self {
        let network = isolated(lab);
        network.implement().assign_ip("198.51.100.10", SourceNat::Yes);
        network.add_port_forward(&Forward::tcp("198.51.100.10:2222", "10.1.1.10:22"));
        network.assign_ip("198.51.100.11", SourceNat::No).add_static_nat("198.51.100.11", "10.1.1.11");
        network.assign_ip("198.51.100.12", SourceNat::No).apply_balancers(&[&balancer()]);
        network.apply_firewall(&firewall());
        for address in ["10.1.1.10", "10.1.1.11"] {
            deploy(&network, address);
        }
        let client = lab.client("203.0.113.5");
        let mut questions = vec![
            Question::connect(&client, "198.51.100.10:2222"),
            Question::connect(&client, "198.51.100.11:22"),
            Question::connect(&client, "198.51.100.12:80"),
            Question::connect(&client, "198.51.100.10:2223"),
        ];
        let mut listeners = vec![client.listen_tcp(80)];
        for address in ["10.1.1.10", "10.1.1.11"] {
            let guest = network.guest(address);
            questions.extend(of_guest(&guest, "10.1.1.1"));
            listeners.push(guest.listen_tcp(22));
        }
        Self { questions, _listeners: listeners }
    }

    fn vpc(lab: &Lab) -> Self {
        let vpc = lab.vpc(VPC);
        vpc.implement_with("198.51.100.20");
        let client = lab.client("203.0.113.5");
        let mut questions = ["20:2222", "21:80", "22:22"]
            .map(|it| Question::connect(&client, &format!("198.51.100.{it}")))
            .to_vec();
        let mut listeners = vec![client.listen_tcp(80)];
        for number in [1, 2] {
            let tier = vpc.tier(number);
            let (gateway, instance) = (format!("10.2.{number}.1"), format!("10.2.{number}.10"));
            tier.implement().apply_access_list(&access_list());
            deploy(&tier, &instance);
            let guest = tier.guest(&instance);
            questions.extend(of_guest(&guest, &gateway));
            let other = format!("10.2.{}.10:22", 3 - number);
            questions.push(Question::connect(&guest, &other));
            listeners.push(guest.listen_tcp(22));
        }
        let tier = vpc.tier(1);
        tier.add_port_forward(&Forward::tcp("198.51.100.20:2222", "10.2.1.10:22"));
        tier.assign_ip("198.51.100.21", SourceNat::No).apply_balancers(&[&tier_balancer()]);
        vpc.tier(2).assign_ip("198.51.100.22", SourceNat::No).add_static_nat("198.51.100.22", "10.2.2.10");
        Self { questions, _listeners: listeners }
    }
}

/// Deploys an instance with everything that it can be told.
fn deploy(network: &Network<'_>, address: &str) {
    network.deploy(address);
    let told = [
        ("save-password", json!({"password": format!("secret-of-{address}")})),
        ("save-sshkey", json!({"sshkey": "ssh-ed25519 AAAA lab"})),
        ("save-hypervisor-hostname", json!({"hypervisor_hostname": "kvm-1"})),
    ];
    for (command, fields) in told {
        network.command(command, &joined(&network.nic_fields(address), &fields)).succeeds_silently();
    }
}

fn of_guest(guest: &Node, gateway: &str) -> Vec<Question> {
    let own = guest.name().rsplit('.').next().map(|last| format!("web-{last}")).unwrap_or_default();
    vec![
        Question::connect(guest, "203.0.113.5:80"),
        Question::resolve(guest, gateway, &own),
        Question::metadata(guest, gateway, "user-data"),
        Question::metadata(guest, gateway, "meta-data/public-keys"),
        Question::password(guest, gateway),
    ]
}
