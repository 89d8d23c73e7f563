//! The commands of the sweep: every one of the protocol, in a state where it has something to do.

use std::time::Duration;

use netext_lab::{
    Balancer, Call, Forward, Lab, Network, Rule, SourceNat, joined, resolvers, restore_fields,
    restored_instance, source_nat_fields,
};
use serde_json::{Value, json};

use crate::world::{
    Base, NEW_NETWORK, NEW_VPC, VPC, access_list, balancer, firewall, isolated, tier_balancer,
};

/// The timeout that the commands get, in seconds.
const TIMEOUT: u32 = 10;

/// A command of the sweep.
pub(crate) struct Step {
    /// The command's name, and what is special about this one.
    pub(crate) name: &'static str,
    pub(crate) base: Base,
    build: fn(&Lab) -> (Call, Vec<Call>),
}

impl Step {
    /// The call, and the calls that undo it where putting the disk back does not.
    pub(crate) fn calls(&self, lab: &Lab) -> (Call, Vec<Call>) {
        (self.build)(lab)
    }
}

/// All steps, in the order of the protocol.
pub(crate) fn all() -> Vec<Step> {
    [of_networks(), of_vpcs(), of_addresses(), of_nics(), of_metadata(), of_operators()]
        .into_iter()
        .flatten()
        .collect()
}

fn step(name: &'static str, base: Base, build: fn(&Lab) -> (Call, Vec<Call>)) -> Step {
    Step { name, base, build }
}

fn command(network: &Network<'_>, name: &str, fields: &Value) -> Call {
    Call::command(name, &network.document(fields), TIMEOUT)
}

/// A command of the isolated network.
fn plain(lab: &Lab, name: &str, fields: &Value) -> (Call, Vec<Call>) {
    (command(&isolated(lab), name, fields), Vec::new())
}

/// A command of the first instance's NIC in the isolated network.
fn nic(lab: &Lab, name: &str, fields: &Value) -> (Call, Vec<Call>) {
    let network = isolated(lab);
    let fields = joined(&network.nic_fields("10.1.1.10"), fields);
    (command(&network, name, &fields), Vec::new())
}

/// A command of a tier.
fn of_tier(lab: &Lab, number: u32, name: &str, fields: fn(&Network<'_>) -> Value) -> (Call, Vec<Call>) {
    let tier = lab.vpc(VPC).tier(number);
    (command(&tier, name, &fields(&tier)), Vec::new())
}

fn of_vpc(lab: &Lab, id: u32, name: &str, fields: &Value) -> Call {
    Call::command(name, &lab.vpc(id).document(fields), TIMEOUT)
}

fn new_network(lab: &Lab) -> Network<'_> {
    lab.network(NEW_NETWORK).on_vlan("1911").with_subnet("10.3.1.1", "10.3.1.0/24")
}

fn of_networks() -> Vec<Step> {
    use Base::{EmptyVpc, Isolated, Vpc};
    vec![
        step("ensure-network-device", Isolated, |lab| {
            (Call::command("ensure-network-device", &isolated(lab).ensure_document(), TIMEOUT), Vec::new())
        }),
        step("implement-network", Isolated, |lab| {
            let network = new_network(lab);
            let undo = command(&network, "destroy-network", &json!({}));
            (command(&network, "implement-network", &network.extension_field()), vec![undo])
        }),
        step("implement-network again", Isolated, |lab| {
            plain(lab, "implement-network", &isolated(lab).extension_field())
        }),
        step("implement-network of the first tier", EmptyVpc, |lab| {
            let tier = lab.vpc(VPC).tier(1);
            let undo = command(&tier, "destroy-network", &json!({}));
            (command(&tier, "implement-network", &tier.extension_field()), vec![undo])
        }),
        step("add-dhcp-entry as the first command of a tier", EmptyVpc, |lab| {
            let tier = lab.vpc(VPC).tier(1);
            let undo = command(&tier, "destroy-network", &json!({}));
            let fields = joined(&tier.nic_fields("10.2.1.10"), &resolvers());
            (command(&tier, "add-dhcp-entry", &fields), vec![undo])
        }),
        step("shutdown-network", Isolated, |lab| plain(lab, "shutdown-network", &json!({}))),
        step("shutdown-network of a tier", Vpc, |lab| of_tier(lab, 1, "shutdown-network", |_| json!({}))),
        step("destroy-network", Isolated, |lab| plain(lab, "destroy-network", &json!({}))),
        step("destroy-network of a tier", Vpc, |lab| of_tier(lab, 1, "destroy-network", |_| json!({}))),
        step("restore-network", Isolated, |lab| {
            let restored = restore_fields(&[
                restored_instance(10, "restored"),
                restored_instance(11, "restored too"),
                restored_instance(12, "new"),
            ]);
            plain(lab, "restore-network", &joined(&resolvers(), &restored))
        }),
    ]
}

fn of_vpcs() -> Vec<Step> {
    use Base::{EmptyVpc, Vpc};
    vec![
        step("implement-vpc", EmptyVpc, |lab| {
            let undo = of_vpc(lab, NEW_VPC, "destroy-vpc", &json!({}));
            (of_vpc(lab, NEW_VPC, "implement-vpc", &source_nat_fields("198.51.100.30")), vec![undo])
        }),
        step("shutdown-vpc", EmptyVpc, |lab| (of_vpc(lab, VPC, "shutdown-vpc", &json!({})), Vec::new())),
        step("shutdown-vpc with tiers", Vpc, |lab| {
            (of_vpc(lab, VPC, "shutdown-vpc", &json!({})), Vec::new())
        }),
        step("destroy-vpc", Vpc, |lab| (of_vpc(lab, VPC, "destroy-vpc", &json!({})), Vec::new())),
        step("update-vpc-source-nat-ip", Vpc, |lab| {
            let fields = source_nat_fields("198.51.100.23");
            (of_vpc(lab, VPC, "update-vpc-source-nat-ip", &fields), Vec::new())
        }),
        step("apply-network-acl", Vpc, |lab| {
            of_tier(lab, 1, "apply-network-acl", |tier| {
                tier.access_list_fields(&access_list().with(Rule::deny_in(3).tcp(8080)))
            })
        }),
        step("apply-lb-rules of a tier, the last is revoked", Vpc, |lab| {
            of_tier(lab, 1, "apply-lb-rules", |tier| tier.balancer_fields(&[&tier_balancer().revoked()]))
        }),
    ]
}

fn of_addresses() -> Vec<Step> {
    use Base::Isolated;
    vec![
        step("assign-ip", Isolated, |lab| {
            plain(lab, "assign-ip", &isolated(lab).public_fields("198.51.100.13", SourceNat::No))
        }),
        step("release-ip", Isolated, |lab| {
            plain(lab, "release-ip", &isolated(lab).public_fields("198.51.100.11", SourceNat::No))
        }),
        step("add-static-nat", Isolated, |lab| {
            plain(lab, "add-static-nat", &isolated(lab).static_nat_fields("198.51.100.13", "10.1.1.10"))
        }),
        step("delete-static-nat", Isolated, |lab| {
            plain(lab, "delete-static-nat", &isolated(lab).static_nat_fields("198.51.100.11", "10.1.1.11"))
        }),
        step("add-port-forward", Isolated, |lab| {
            let forward = Forward::tcp("198.51.100.10:2223", "10.1.1.11:22");
            plain(lab, "add-port-forward", &isolated(lab).forward_fields(&forward))
        }),
        step("delete-port-forward", Isolated, |lab| {
            let forward = Forward::tcp("198.51.100.10:2222", "10.1.1.10:22");
            plain(lab, "delete-port-forward", &isolated(lab).forward_fields(&forward))
        }),
        step("apply-fw-rules", Isolated, |lab| {
            let firewall =
                firewall().with(Rule::egress().tcp(25)).with(Rule::ingress("198.51.100.10").udp(53));
            plain(lab, "apply-fw-rules", &isolated(lab).firewall_fields(&firewall))
        }),
        step("apply-lb-rules", Isolated, |lab| {
            let other = Balancer::tcp(10, "198.51.100.12:81").member("10.1.1.11:22");
            plain(lab, "apply-lb-rules", &isolated(lab).balancer_fields(&[&balancer(), &other]))
        }),
        step("apply-lb-rules, the last is revoked", Isolated, |lab| {
            plain(lab, "apply-lb-rules", &isolated(lab).balancer_fields(&[&balancer().revoked()]))
        }),
    ]
}

fn of_nics() -> Vec<Step> {
    use Base::Isolated;
    vec![
        step("prepare-nic", Isolated, |lab| {
            let network = isolated(lab);
            (command(&network, "prepare-nic", &network.nic_fields("10.1.1.12")), Vec::new())
        }),
        step("release-nic", Isolated, |lab| nic(lab, "release-nic", &json!({}))),
        step("config-dhcp-subnet", Isolated, |lab| {
            nic(lab, "config-dhcp-subnet", &json!({"dns": "198.51.100.54", "domain": "cs2.internal"}))
        }),
        step("remove-dhcp-subnet", Isolated, |lab| plain(lab, "remove-dhcp-subnet", &json!({}))),
        step("add-dhcp-entry", Isolated, |lab| {
            let network = isolated(lab);
            let fields = joined(&network.nic_fields("10.1.1.12"), &resolvers());
            (command(&network, "add-dhcp-entry", &fields), Vec::new())
        }),
        step("remove-dhcp-entry", Isolated, |lab| nic(lab, "remove-dhcp-entry", &json!({}))),
        step("set-dhcp-options", Isolated, |lab| {
            plain(lab, "set-dhcp-options", &json!({"nic_id": "70", "options": {"26": "1400"}}))
        }),
        step("config-dns-subnet", Isolated, |lab| {
            nic(lab, "config-dns-subnet", &json!({"dns": "198.51.100.54", "domain": "cs2.internal"}))
        }),
        step("remove-dns-subnet", Isolated, |lab| plain(lab, "remove-dns-subnet", &resolvers())),
        step("add-dns-entry", Isolated, |lab| {
            let network = isolated(lab);
            let fields = joined(&network.nic_fields("10.1.1.12"), &resolvers());
            (command(&network, "add-dns-entry", &fields), Vec::new())
        }),
        step("remove-dns-entry", Isolated, |lab| nic(lab, "remove-dns-entry", &resolvers())),
    ]
}

fn of_metadata() -> Vec<Step> {
    use Base::Isolated;
    vec![
        step("save-vm-data", Isolated, |lab| {
            let file =
                |dir: &str, file: &str, content: &str| json!({"dir": dir, "file": file, "content": content});
            let data = [
                file("userdata", "user_data", "changed"),
                file("metadata", "instance-id", "i-1"),
                file("password", "vm_password", "another"),
            ];
            nic(lab, "save-vm-data", &json!({"vm_data": data}))
        }),
        step("save-password", Isolated, |lab| nic(lab, "save-password", &json!({"password": "changed"}))),
        step("save-userdata", Isolated, |lab| nic(lab, "save-userdata", &json!({"userdata": "changed"}))),
        step("save-sshkey", Isolated, |lab| nic(lab, "save-sshkey", &json!({"sshkey": "ssh-rsa BBBB lab"}))),
        step("save-hypervisor-hostname", Isolated, |lab| {
            nic(lab, "save-hypervisor-hostname", &json!({"hypervisor_hostname": "kvm-2"}))
        }),
    ]
}

fn of_operators() -> Vec<Step> {
    use Base::{Isolated, Vpc};
    fn action(lab: &Lab, name: &str, parameters: &Value) -> (Call, Vec<Call>) {
        (
            Call::command("custom-action", &isolated(lab).action_document(name, parameters), TIMEOUT),
            Vec::new(),
        )
    }
    fn reconcile() -> (Call, Vec<Call>) {
        let words = ["reconcile", "--all", "--timeout", "10"];
        (Call::operator(&words, Duration::from_secs(13)), Vec::new())
    }
    vec![
        step("custom-action reboot-device", Isolated, |lab| action(lab, "reboot-device", &json!({}))),
        step("custom-action pbr-create-table", Isolated, |lab| {
            action(lab, "pbr-create-table", &json!({"table-id": "100", "table-name": "wan"}))
        }),
        step("reconcile", Isolated, |_| reconcile()),
        step("reconcile of a VPC", Vpc, |_| reconcile()),
    ]
}
