//! The commands of the management server, one by one.

use std::collections::BTreeSet;

use netext_lab::{
    AccessList, Balancer, Call, Firewall, Forward, Network, Rule, SourceNat, joined, resolvers,
};
use serde_json::json;

use crate::model::{
    INSTANCES, InstanceModel, NetworkModel, NetworkNumber, PORTS, PURPOSES, Purpose, instance_address,
    is_tier, public,
};

/// A command on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Implement,
    Destroy,
    Assign(Purpose),
    Release(Purpose),
    AddForward(u16, u8),
    DeleteForward(u16, u8),
    AddStaticNat(u8),
    DeleteStaticNat(u8),
    ApplyRules(BTreeSet<Purpose>),
    Balance(BTreeSet<u8>),
    Unbalance(BTreeSet<u8>),
    PrepareNic(u8),
    ReleaseNic(u8),
    AddName(u8),
    SaveUserData(u8, String),
    SavePassword(u8, String),
}

impl Operation {
    /// A random command that the server could send now.
    pub(crate) fn random(random: &mut fastrand::Rng, network: NetworkNumber, model: &NetworkModel) -> Self {
        loop {
            let candidate = Self::any(random, model);
            if candidate.is_valid(network, model) {
                return candidate;
            }
        }
    }

    fn any(random: &mut fastrand::Rng, model: &NetworkModel) -> Self {
        let purpose = *random.choice(&PURPOSES).expect("three");
        let instance = *random.choice(&INSTANCES).expect("two");
        let port = *random.choice(&PORTS).expect("two");
        let mut text = || format!("text {}", random.u16(..));
        let (one, other) = (text(), text());
        match random.u8(..19) {
            0 | 1 => Self::Implement,
            2 if random.u8(..4) == 0 => Self::Destroy,
            3 | 4 => Self::Assign(purpose),
            5 => Self::Release(purpose),
            6 | 7 => Self::AddForward(port, instance),
            8 => Self::DeleteForward(port, model.forwards.get(&port).copied().unwrap_or(instance)),
            9 => Self::AddStaticNat(instance),
            10 => Self::DeleteStaticNat(model.static_nat.unwrap_or(instance)),
            11 | 12 => Self::ApplyRules(PURPOSES.into_iter().filter(|_| random.u8(..3) > 0).collect()),
            13 => Self::Balance(BTreeSet::from([instance])),
            14 => Self::Unbalance(model.balancer.clone()),
            15 => Self::PrepareNic(instance),
            16 if random.u8(..3) == 0 => Self::ReleaseNic(instance),
            16 => Self::AddName(instance),
            17 => Self::SaveUserData(instance, one),
            _ => Self::SavePassword(instance, other),
        }
    }

    /// Whether the server could send the command now.
    pub(crate) fn is_valid(&self, network: NetworkNumber, model: &NetworkModel) -> bool {
        // The VPC has the source NAT of its tiers.
        let has = |purpose: Purpose| model.addresses.contains(&purpose);
        let is_in_use = |purpose: Purpose| match purpose {
            Purpose::Forwards => !model.forwards.is_empty() || !is_tier(network),
            Purpose::StaticNat => model.static_nat.is_some(),
            Purpose::Balancer => !model.balancer.is_empty(),
        };
        if *self == Self::Implement {
            return !model.is_implemented;
        }
        model.is_implemented
            && match self {
                Self::Implement | Self::Destroy | Self::PrepareNic(_) | Self::ApplyRules(_) => true,
                Self::Assign(purpose) => !has(*purpose),
                Self::Release(purpose) => has(*purpose) && !is_in_use(*purpose),
                Self::AddForward(port, _) => has(Purpose::Forwards) && !model.forwards.contains_key(port),
                Self::DeleteForward(port, instance) => model.forwards.get(port) == Some(instance),
                Self::AddStaticNat(_) => has(Purpose::StaticNat) && model.static_nat.is_none(),
                Self::DeleteStaticNat(instance) => model.static_nat == Some(*instance),
                Self::Balance(_) => has(Purpose::Balancer) && model.balancer.is_empty(),
                Self::Unbalance(members) => !members.is_empty() && model.balancer == *members,
                Self::ReleaseNic(instance)
                | Self::AddName(instance)
                | Self::SaveUserData(instance, _)
                | Self::SavePassword(instance, _) => model.instances.contains_key(instance),
            }
    }

    /// The command is acknowledged.
    pub(crate) fn acknowledge(&self, model: &mut NetworkModel) {
        match self {
            Self::Implement => model.is_implemented = true,
            Self::Destroy => *model = NetworkModel::default(),
            Self::Assign(purpose) => drop(model.addresses.insert(*purpose)),
            Self::Release(purpose) => drop(model.addresses.remove(purpose)),
            Self::AddForward(port, instance) => drop(model.forwards.insert(*port, *instance)),
            Self::DeleteForward(port, _) => drop(model.forwards.remove(port)),
            Self::AddStaticNat(instance) => model.static_nat = Some(*instance),
            Self::DeleteStaticNat(_) => model.static_nat = None,
            Self::ApplyRules(open) => {
                model.open.clone_from(open);
                model.has_rules = true;
            }
            Self::Balance(members) => model.balancer.clone_from(members),
            Self::Unbalance(_) => model.balancer.clear(),
            Self::PrepareNic(instance) => drop(model.instances.entry(*instance).or_default()),
            Self::ReleaseNic(instance) => drop(model.instances.remove(instance)),
            Self::AddName(instance) => Self::told(model, *instance).has_name = true,
            Self::SaveUserData(instance, text) => {
                Self::told(model, *instance).user_data = Some(text.clone());
            }
            Self::SavePassword(instance, text) => {
                Self::told(model, *instance).password = Some(text.clone());
            }
        }
    }

    fn told(model: &mut NetworkModel, instance: u8) -> &mut InstanceModel {
        model.instances.entry(instance).or_default()
    }

    /// The call, as the server makes it.
    pub(crate) fn call(&self, number: NetworkNumber, network: &Network<'_>, timeout: u32) -> Call {
        let (name, fields) = self.words(number, network);
        Call::command(name, &network.document(&fields), timeout)
    }

    fn words(&self, number: NetworkNumber, network: &Network<'_>) -> (&'static str, serde_json::Value) {
        let address = |instance: u8| instance_address(number, instance);
        let nic = |instance: u8, fields| joined(&network.nic_fields(&address(instance)), &fields);
        let source_nat = |purpose| {
            if purpose == Purpose::Forwards && !is_tier(number) { SourceNat::Yes } else { SourceNat::No }
        };
        let of_address = |purpose| network.public_fields(&public(number, purpose), source_nat(purpose));
        let forward = |port: u16, instance| {
            let public = format!("{}:{port}", public(number, Purpose::Forwards));
            network.forward_fields(&Forward::tcp(&public, &format!("{}:22", address(instance))))
        };
        let static_nat =
            |instance| network.static_nat_fields(&public(number, Purpose::StaticNat), &address(instance));
        let balancer = |members: &BTreeSet<u8>| {
            let id = u32::try_from(number).unwrap_or_default() + 1;
            let balancer = Balancer::tcp(id, &format!("{}:80", public(number, Purpose::Balancer)));
            members.iter().fold(balancer, |it, member| it.member(&format!("{}:22", address(*member))))
        };
        match self {
            Self::Implement => ("implement-network", network.extension_field()),
            Self::Destroy => ("destroy-network", json!({"network_state": "destroy"})),
            Self::Assign(purpose) => ("assign-ip", of_address(*purpose)),
            Self::Release(purpose) => ("release-ip", of_address(*purpose)),
            Self::AddForward(port, instance) => ("add-port-forward", forward(*port, *instance)),
            Self::DeleteForward(port, instance) => ("delete-port-forward", forward(*port, *instance)),
            Self::AddStaticNat(instance) => ("add-static-nat", static_nat(*instance)),
            Self::DeleteStaticNat(instance) => ("delete-static-nat", static_nat(*instance)),
            Self::ApplyRules(open) if is_tier(number) => {
                let list = AccessList::new().with(Rule::allow_out(1).protocol("all"));
                let list = if open.is_empty() { list } else { list.with(Rule::allow_in(2).tcp(22)) };
                ("apply-network-acl", network.access_list_fields(&list))
            }
            Self::ApplyRules(open) => {
                let firewall = open
                    .iter()
                    .fold(Firewall::egress_allowed(), |it, purpose| it.open(&public(number, *purpose)));
                ("apply-fw-rules", network.firewall_fields(&firewall))
            }
            Self::Balance(members) => ("apply-lb-rules", network.balancer_fields(&[&balancer(members)])),
            Self::Unbalance(members) => {
                ("apply-lb-rules", network.balancer_fields(&[&balancer(members).revoked()]))
            }
            Self::PrepareNic(instance) => ("prepare-nic", nic(*instance, json!({}))),
            Self::ReleaseNic(instance) => ("release-nic", nic(*instance, json!({}))),
            Self::AddName(instance) => ("add-dns-entry", nic(*instance, resolvers())),
            Self::SaveUserData(instance, text) => {
                ("save-userdata", nic(*instance, json!({"userdata": text})))
            }
            Self::SavePassword(instance, text) => {
                ("save-password", nic(*instance, json!({"password": text})))
            }
        }
    }
}
