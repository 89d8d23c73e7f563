//! Replicas of routers: which changes are sent, and what a standby does with them.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netext_core::{Deadline, DeviceError};
use netext_namespace::failover::{
    ReplicaDelta, ReplicaOutcome, ReplicaVersion, RouterDelta, delta_since, failover_state, store_replica,
};
use netext_namespace::metadata::Instances;
use netext_namespace::model::{Router, RouterId, Tier};
use netext_namespace::store::{RouterState, Store};
use netext_protocol::{NetworkId, Secret};

use crate::metadata::change;

const NETWORK: NetworkId = NetworkId::new(209);
const ROUTER: RouterId = RouterId::Network(NETWORK);

/// A host's state, in a folder of the test.
struct Host(PathBuf);

impl Host {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("netext-failover-{}-{number}", std::process::id())))
    }

    /// One that serves the network, with two instances.
    fn serving(epoch: u64) -> Self {
        let host = Self::new();
        let mut router = Router::new(ROUTER);
        router.tiers.insert(NETWORK, Tier::default());
        host.save(&RouterState { router, epoch, ..RouterState::new(ROUTER) });
        host.set_user_data(10, "one");
        host.set_user_data(11, "two");
        host
    }

    fn store(&self) -> Store {
        Store::new(&self.0)
    }

    fn save(&self, state: &RouterState) {
        let store = self.store();
        let _ = store.make_folders(&state.router).unwrap();
        wait(async { Ok(store.lock(ROUTER, std::future::pending()).await?) }).unwrap().save(state).unwrap();
    }

    fn metadata(&self) -> Instances {
        self.store().instances(NETWORK)
    }

    fn set_user_data(&self, last: u8, user_data: &str) {
        change(&self.metadata(), |it| it.set_user_data(address(last), Secret::from(user_data))).unwrap();
    }

    fn delta(&self, since: u64) -> Option<RouterDelta> {
        let (store, deadline) = (self.store(), Deadline::after(Duration::from_secs(5)));
        wait(async { delta_since(&store, ROUTER, since, &deadline).await }).unwrap()
    }

    #[track_caller]
    fn changed(&self, since: u64) -> ReplicaDelta {
        match self.delta(since) {
            Some(RouterDelta::Changed(delta)) => *delta,
            other => panic!("{other:?}"),
        }
    }

    fn store_replica(&self, delta: ReplicaDelta) -> Result<ReplicaOutcome, String> {
        let (store, deadline) = (self.store(), Deadline::after(Duration::from_secs(5)));
        wait(async { store_replica(&store, delta, &deadline).await }).map_err(|error| error.report())
    }

    fn version(&self) -> Option<ReplicaVersion> {
        failover_state(&self.store(), ROUTER).unwrap().replica
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn wait<T>(work: impl Future<Output = Result<T, DeviceError>>) -> Result<T, DeviceError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, 1, last)
}

/// The last octets of the instances in a delta, and whether they have metadata.
fn instances(delta: &ReplicaDelta) -> Vec<(u8, bool)> {
    delta.instances.iter().map(|it| (it.address.octets()[3], it.instance.is_some())).collect()
}

#[test]
fn a_delta_is_complete_once_and_then_only_has_changes() {
    let host = Host::serving(1);
    let whole = host.changed(0);
    assert_eq!((whole.version, whole.since), (ReplicaVersion { epoch: 1, serial: 1 }, 0));
    assert_eq!(instances(&whole), [(10, true), (11, true)]);
    assert!(host.delta(1).is_none());

    host.set_user_data(11, "other");
    let changed = host.changed(1);
    assert_eq!((changed.version.serial, instances(&changed)), (2, vec![(11, true)]));
    assert!(host.delta(2).is_none());
    // A standby that missed that gets it later.
    change(&host.metadata(), |it| it.remove(address(10))).unwrap();
    assert_eq!(instances(&host.changed(1)), [(10, false), (11, true)]);
    assert_eq!(instances(&host.changed(2)), [(10, false)]);
}

#[test]
fn a_router_that_is_gone_is_reported_to_a_standby_that_knew_it() {
    let host = Host::serving(1);
    let known = host.changed(0).version.serial;
    wait(async { Ok(host.store().lock(ROUTER, std::future::pending()).await?) }).unwrap().forget().unwrap();
    assert!(matches!(host.delta(known), Some(RouterDelta::Gone)));
    assert!(host.delta(0).is_none());
}

#[test]
fn a_lost_journal_costs_a_complete_delta() {
    let host = Host::serving(1);
    host.changed(0);
    host.set_user_data(11, "other");
    let known = host.changed(1).version.serial;
    fs::remove_file(host.store().router_folder(ROUTER).join("journal.json")).unwrap();
    let again = host.changed(known);
    assert_eq!((again.since, instances(&again)), (0, vec![(10, true), (11, true)]));
}

#[test]
fn a_standby_follows_change_by_change() {
    let (host, standby) = (Host::serving(1), Host::new());
    assert_eq!(standby.store_replica(host.changed(0)), Ok(ReplicaOutcome::Stored));
    host.set_user_data(11, "other");
    change(&host.metadata(), |it| it.remove(address(10))).unwrap();
    assert_eq!(standby.store_replica(host.changed(1)), Ok(ReplicaOutcome::Stored));
    assert_eq!(standby.version(), Some(ReplicaVersion { epoch: 1, serial: 2 }));
    // Again, as after a lost answer.
    assert_eq!(standby.store_replica(host.changed(1)), Ok(ReplicaOutcome::Stored));
}

#[test]
fn a_standby_that_lacks_the_version_before_says_so() {
    let (host, standby) = (Host::serving(1), Host::new());
    host.changed(0);
    host.set_user_data(11, "other");
    assert_eq!(standby.store_replica(host.changed(1)), Ok(ReplicaOutcome::Behind));
    assert_eq!(standby.version(), None);
    assert_eq!(standby.store_replica(host.changed(0)), Ok(ReplicaOutcome::Stored));
}

#[test]
fn a_delta_of_an_earlier_epoch_is_refused() {
    let (earlier, later, standby) = (Host::serving(1), Host::serving(2), Host::new());
    assert_eq!(standby.store_replica(later.changed(0)), Ok(ReplicaOutcome::Stored));
    assert_eq!(standby.store_replica(earlier.changed(0)), Ok(ReplicaOutcome::Outdated(2)));
    assert_eq!(
        later.store_replica(earlier.changed(0)),
        Ok(ReplicaOutcome::Outdated(2)),
        "it serves the router itself"
    );
    // A host that was superseded without noticing stores the replica of its successor.
    assert_eq!(earlier.store_replica(later.changed(0)), Ok(ReplicaOutcome::Stored));
}
