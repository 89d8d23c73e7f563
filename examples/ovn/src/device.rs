//! The device: each command is one change of a network's state.

use netext_core::protocol::{
    AddDhcpEntry, AddDnsEntry, AddPortForward, AddStaticNat, ApplyFwRules, ApplyLbRules, AssignIp,
    BroadcastDomainType, Capability, Command, ConfigDhcpSubnet, ConfigDnsSubnet, DeletePortForward,
    DeleteStaticNat, DestroyNetwork, GuestType, ImplementNetwork, Network, NetworkUpdate, PrepareNic,
    ReleaseIp, ReleaseNic, RemoveDhcpEntry, RemoveDhcpSubnet, RemoveDnsEntry, RemoveDnsSubnet,
    RestoreNetwork, Service, ShutdownNetwork,
};
use netext_core::{Context, Description, DeviceError, NetworkDevice, async_trait};

use crate::compile;
use crate::northbound::StoredRows;
use crate::ovsdb::Client;
use crate::registration::Registration;
use crate::state::State;

/// Networks on OVN. Every command does the same: it reads the network's state, changes it, compiles it, and replaces state
/// and rows in one transaction, which fails if another process was faster.
pub(crate) struct Ovn;

type Result<T> = std::result::Result<T, DeviceError>;

/// Changes the state of a network, which may be unknown so far. Answers the result of the change.
fn change<T>(context: &Context, network: &Network, change: impl Fn(&mut State) -> Result<T>) -> Result<T> {
    replace(context, network, |state| {
        let mut state = state.unwrap_or_else(|| State::new(network.clone()));
        let answer = change(&mut state)?;
        Ok((Some(state), answer))
    })
}

/// Changes the state of a known network; an unknown network has no state to change.
fn change_known(context: &Context, network: &Network, change: impl Fn(&mut State)) -> Result<()> {
    replace(context, network, |state| {
        let changed = state.map(|mut state| {
            change(&mut state);
            state
        });
        Ok((changed, ()))
    })
}

fn replace<T>(
    context: &Context,
    network: &Network,
    change: impl Fn(Option<State>) -> Result<(Option<State>, T)>,
) -> Result<T> {
    let registration = Registration::of(context)?;
    let id = network.network_id;
    let mut client = Client::connect(&registration.northbound, context.deadline())?;
    loop {
        context.deadline().check()?;
        let found = StoredRows::read(&mut client, id)?;
        let state = found.state().map(serde_json::from_str).transpose().map_err(|error| {
            let message = format!("the state of network {id} in OVN's northbound database cannot be read");
            DeviceError::device(message).with_source(error)
        })?;
        let (state, answer) = change(state)?;
        let is_done = match state {
            None => found.replace_with(&mut client, &[], None)?,
            Some(state) => {
                let text = serde_json::to_string(&state).map_err(|error| {
                    DeviceError::internal("the state has no JSON form").with_source(error)
                })?;
                found.replace_with(&mut client, &compile::rows(&state, &registration)?, Some(&text))?
            }
        };
        if is_done {
            return Ok(answer);
        }
    }
}

#[async_trait]
impl NetworkDevice for Ovn {
    fn describe(&self) -> Description {
        use Service::{Dhcp, Dns, Firewall, PortForwarding, SourceNat, StaticNat};
        Description::new("ovn", env!("CARGO_PKG_VERSION"))
            .services([Dhcp, Dns, SourceNat, StaticNat, PortForwarding, Firewall])
            .capability(Capability::LbAlgorithms, "roundrobin,source")
            .capability(Capability::LbProtocols, "tcp,udp")
            .without(Command::SetDhcpOptions)
            .owns_segments()
    }

    async fn implement_network(
        &self,
        context: &Context,
        request: ImplementNetwork,
    ) -> Result<Option<NetworkUpdate>> {
        let network = &request.network;
        if network.vpc_id.is_some() {
            return Err(DeviceError::invalid("this extension does not support tiers of VPCs"));
        }
        let guest_type = change(context, network, |state| {
            state.learn(network);
            state.extension_ip = request.extension_ip.or(state.extension_ip);
            state.is_implemented = true;
            let guest_type = state.guest_type();
            state.network.guest_type = Some(guest_type);
            Ok(guest_type)
        })?;
        // The VLAN of a shared network belongs to the data centre.
        if guest_type == GuestType::Shared {
            return Ok(None);
        }
        let uri = format!("ovn://{}", compile::name(network.network_id));
        Ok(Some(NetworkUpdate::new(BroadcastDomainType::Lswitch, uri)))
    }

    async fn shutdown_network(&self, context: &Context, request: ShutdownNetwork) -> Result<()> {
        change_known(context, &request.network, State::shut_down)
    }

    async fn destroy_network(&self, context: &Context, request: DestroyNetwork) -> Result<()> {
        replace(context, &request.network, |_| Ok((None, ())))
    }

    async fn restore_network(&self, context: &Context, request: RestoreNetwork) -> Result<()> {
        change(context, &request.network, |state| {
            state.resolve_by(request.resolvers.clone());
            state.extension_ip = request.extension_ip.or(state.extension_ip);
            state.restore(request.restore_data.clone());
            Ok(())
        })
    }

    async fn assign_ip(&self, context: &Context, request: AssignIp) -> Result<()> {
        change(context, &request.network, |state| {
            state.assign(request.public.clone());
            Ok(())
        })
    }

    async fn release_ip(&self, context: &Context, request: ReleaseIp) -> Result<()> {
        change_known(context, &request.network, |state| state.release(request.public.public_ip))
    }

    async fn add_static_nat(&self, context: &Context, request: AddStaticNat) -> Result<()> {
        change(context, &request.network, |state| {
            state.mention(request.public.clone());
            state.static_nats.insert(request.public.public_ip, request.private_ip);
            Ok(())
        })
    }

    async fn delete_static_nat(&self, context: &Context, request: DeleteStaticNat) -> Result<()> {
        let nat = (request.public.public_ip, request.private_ip);
        change_known(context, &request.network, |state| {
            state.static_nats.retain(|public, private| (*public, *private) != nat);
        })
    }

    async fn add_port_forward(&self, context: &Context, request: AddPortForward) -> Result<()> {
        change(context, &request.network, |state| {
            state.mention(request.public.clone());
            state.forward(request.public.public_ip, request.forward.clone())
        })
    }

    async fn delete_port_forward(&self, context: &Context, request: DeletePortForward) -> Result<()> {
        let forward = (request.public.public_ip, request.forward);
        change_known(context, &request.network, |state| state.forwards.retain(|it| *it != forward))
    }

    async fn apply_fw_rules(&self, context: &Context, request: ApplyFwRules) -> Result<()> {
        change(context, &request.network, |state| {
            state.firewall = Some(request.fw_rules.clone());
            Ok(())
        })
    }

    async fn apply_lb_rules(&self, context: &Context, request: ApplyLbRules) -> Result<()> {
        change(context, &request.network, |state| state.balance(request.lb_rules.clone()))
    }

    async fn prepare_nic(&self, context: &Context, request: PrepareNic) -> Result<()> {
        change(context, &request.network, |state| {
            state.nic(&request.nic, request.hostname.clone())?;
            Ok(())
        })
    }

    async fn release_nic(&self, context: &Context, request: ReleaseNic) -> Result<()> {
        change_known(context, &request.network, |state| {
            if let Some(mac) = state.mac_of(&request.nic) {
                state.nics.remove(&mac);
            }
        })
    }

    async fn config_dhcp_subnet(&self, context: &Context, request: ConfigDhcpSubnet) -> Result<()> {
        change(context, &request.network, |state| {
            state.resolve_by(request.resolvers.clone());
            state.extension_ip = request.extension_ip.or(state.extension_ip);
            Ok(())
        })
    }

    async fn remove_dhcp_subnet(&self, context: &Context, request: RemoveDhcpSubnet) -> Result<()> {
        change_known(context, &request.network, |state| {
            state.nics.values_mut().for_each(|nic| nic.has_dhcp = false);
        })
    }

    async fn add_dhcp_entry(&self, context: &Context, request: AddDhcpEntry) -> Result<()> {
        change(context, &request.network, |state| {
            state.resolve_by(request.resolvers.clone());
            state.extension_ip = request.extension_ip.or(state.extension_ip);
            state.nic(&request.nic, request.hostname.clone())?.has_dhcp = true;
            Ok(())
        })
    }

    async fn remove_dhcp_entry(&self, context: &Context, request: RemoveDhcpEntry) -> Result<()> {
        change_known(context, &request.network, |state| {
            if let Some(nic) = state.mac_of(&request.nic).and_then(|mac| state.nics.get_mut(&mac)) {
                nic.has_dhcp = false;
            }
        })
    }

    async fn config_dns_subnet(&self, context: &Context, request: ConfigDnsSubnet) -> Result<()> {
        change(context, &request.network, |state| {
            state.resolve_by(request.resolvers.clone());
            state.extension_ip = request.extension_ip.or(state.extension_ip);
            state.serves_dns = true;
            Ok(())
        })
    }

    async fn remove_dns_subnet(&self, context: &Context, request: RemoveDnsSubnet) -> Result<()> {
        change_known(context, &request.network, |state| {
            state.serves_dns = false;
            state.nics.values_mut().for_each(|nic| nic.has_dns = false);
        })
    }

    async fn add_dns_entry(&self, context: &Context, request: AddDnsEntry) -> Result<()> {
        change(context, &request.network, |state| {
            state.resolve_by(request.resolvers.clone());
            state.drop_names(request.nic.ip);
            state.serves_dns = true;
            state.nic(&request.nic, request.hostname.clone())?.has_dns = true;
            Ok(())
        })
    }

    async fn remove_dns_entry(&self, context: &Context, request: RemoveDnsEntry) -> Result<()> {
        change_known(context, &request.network, |state| state.drop_names(request.nic.ip))
    }
}
