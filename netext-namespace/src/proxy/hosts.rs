//! The hosts of a fleet: the order in which a router prefers them, and short requests to them, bounded in time.

use std::time::Duration;

use futures_util::future::join_all;
use netext_core::{Deadline, DeviceError, error_chain};
use siphasher::sip::SipHasher24;

use super::error::HostError;
use super::fleet::Fleet;
use super::memory::{OwedStepDown, ProxyMemory};
use super::remote::HostAddress;
use super::ssh::Ssh;
use crate::failover::FailoverState;
use crate::model::RouterId;
use crate::relay::{RelayReply, RelayRequest};

/// How long a host may take to reply, and at most which part of the time that is left: another host may have to be
/// asked after it.
const PATIENCE: Duration = Duration::from_secs(10);
const SHARE: u32 = 3;
/// How long a host may take to reply to a request that has nothing to do with the current command.
const IN_PASSING: Duration = Duration::from_secs(2);

/// Sends requests to the hosts of a fleet, for the time of one command.
#[derive(Debug)]
pub(super) struct FleetClient<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) ssh: &'a Ssh<'a>,
    pub(super) memory: &'a ProxyMemory,
    pub(super) deadline: &'a Deadline,
}

impl FleetClient<'_> {
    /// Asks what a host is to a router. This costs as much as a command and finds out as much: that the host answers,
    /// accepts the login, and runs an executable that speaks our protocol.
    pub(super) async fn probe(
        &self,
        router: RouterId,
        host: &HostAddress,
    ) -> Result<FailoverState, HostError> {
        let reply = self.ask(host, self.patience(), |_| RelayRequest::Probe { router }, &[]).await?;
        self.settle(host).await;
        Ok(if let RelayReply::Probed(state) = reply { state } else { FailoverState::default() })
    }

    /// Probes several hosts at once.
    pub(super) async fn probe_all<'h>(
        &self,
        router: RouterId,
        hosts: Vec<&'h HostAddress>,
    ) -> Vec<(&'h HostAddress, Result<FailoverState, HostError>)> {
        join_all(hosts.into_iter().map(async |host| (host, self.probe(router, host).await))).await
    }

    /// Sends a request to a host. It is made with the milliseconds that it may take.
    pub(super) async fn ask(
        &self,
        host: &HostAddress,
        patience: Duration,
        request: impl FnOnce(u64) -> RelayRequest,
        payload: &[u8],
    ) -> Result<RelayReply, HostError> {
        let milliseconds = u64::try_from(patience.as_millis()).unwrap_or(u64::MAX);
        let reply = self.ssh.ask(host, || request(milliseconds), payload, patience).await;
        match &reply {
            Ok(_) => self.memory.note_answer(host),
            Err(error) => {
                tracing::warn!(%host, error = %error_chain(error), "cannot ask a host");
                self.memory.note_failure(host);
            }
        }
        reply
    }

    pub(super) fn patience(&self) -> Duration {
        PATIENCE.min(self.deadline.remaining() / SHARE)
    }

    /// Makes a host step down from a router. If it cannot be reached, it does so when it answers again.
    pub(super) async fn step_down(&self, host: &HostAddress, owed: OwedStepDown) {
        self.memory.note_owed(host, owed);
        if !self.memory.just_failed(host) {
            self.send_owed(host, owed, IN_PASSING.min(self.patience())).await;
        }
    }

    /// Asks the hosts that must step down from a router whether they are back: they may serve a router that another
    /// host serves by now.
    pub(super) async fn remind(&self, router: RouterId) {
        let owes = |host: &&HostAddress| !self.memory.just_failed(host) && !self.memory.owed(host).is_empty();
        let ask = async |host: &HostAddress| {
            let patience = IN_PASSING.min(self.patience());
            if self.ask(host, patience, |_| RelayRequest::Probe { router }, &[]).await.is_ok() {
                self.settle(host).await;
            }
        };
        join_all(self.fleet.hosts.iter().filter(owes).map(ask)).await;
    }

    /// Sends a host that answers everything that it missed.
    async fn settle(&self, host: &HostAddress) {
        for owed in self.memory.owed(host) {
            self.send_owed(host, owed, self.patience()).await;
        }
    }

    async fn send_owed(&self, host: &HostAddress, owed: OwedStepDown, patience: Duration) {
        let OwedStepDown { router, epoch, forget } = owed;
        let request = |milliseconds| RelayRequest::StepDown { router, epoch, forget, milliseconds };
        match self.ask(host, patience, request, &[]).await {
            Ok(RelayReply::Failed { line, .. }) => {
                let error = DeviceError::device(line);
                tracing::warn!(%host, %router, epoch, %error, "a host does not step down from a router");
            }
            Ok(_) => {
                tracing::info!(%host, %router, epoch, forget, "a host stepped down from a router");
                self.memory.forget_owed(host, router);
            }
            Err(_) => {}
        }
    }
}

/// The hosts in the order in which a router prefers them, by rendezvous hashing.
///
/// Every host's score depends only on itself and the router: a host that is added takes over its share of the routers
/// and moves no other, one that is removed gives up its own. The order is the same on every management server and in
/// every version.
pub(super) fn ranked<'a>(
    router: RouterId,
    hosts: impl IntoIterator<Item = &'a HostAddress>,
) -> Vec<&'a HostAddress> {
    let score = |host| SipHasher24::new().hash(format!("{router} {host}").as_bytes());
    let mut hosts: Vec<_> = hosts.into_iter().map(|host| (score(host), host)).collect();
    hosts.sort_by(|one, other| other.cmp(one));
    hosts.into_iter().map(|(_, host)| host).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn hosts(names: &[&str]) -> Vec<HostAddress> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn first(number: u64, hosts: &[HostAddress]) -> &HostAddress {
        ranked(RouterId::Network(number.into()), hosts)[0]
    }

    #[test]
    fn routers_spread_evenly_over_the_hosts() {
        let hosts = hosts(&["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"]);
        let mut share = BTreeMap::new();
        for number in 0..4000 {
            *share.entry(first(number, &hosts)).or_insert(0) += 1;
        }
        assert!(share.values().all(|count| (850..1150).contains(count)), "{share:?}");
    }

    #[test]
    fn a_host_that_comes_or_goes_moves_its_own_routers_only() {
        let many = hosts(&["kvm1", "kvm2", "kvm3", "kvm4", "kvm5"]);
        let fewer = &many[..4];
        let mut moved = 0;
        for number in 0..2000 {
            let (before, after) = (first(number, fewer), first(number, &many));
            if before != after {
                assert_eq!(after, &many[4]);
                moved += 1;
            }
        }
        assert!((300..500).contains(&moved), "{moved}");
    }

    #[test]
    fn the_order_never_changes() {
        let hosts = hosts(&["kvm1", "kvm2", "kvm3"]);
        let order = |router| {
            ranked(router, &hosts).into_iter().map(HostAddress::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(order(RouterId::Network(209.into())), "kvm3 kvm1 kvm2");
        assert_eq!(order(RouterId::Vpc(209.into())), "kvm1 kvm2 kvm3");
    }
}
