//! Copies of routers: what is told of a change, and what a standby makes of it.

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use netext_core::{Deadline, DeviceError};
use netext_namespace::compile::services::instances_folder;
use netext_namespace::metadata::Instances;
use netext_namespace::model::{Router, RouterId, Tier};
use netext_namespace::store::{State, Store};
use netext_namespace::succession::{Copy, Kept, News, Version, copy, keep, standing};
use netext_protocol::{NetworkId, Secret};

const NETWORK: NetworkId = NetworkId::new(209);
const ROUTER: RouterId = RouterId::Network(NETWORK);

/// A host's state, in a folder that goes with the test.
struct Host(PathBuf);

impl Host {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("netext-succession-{}-{number}", std::process::id())))
    }

    /// One that serves the network, with two instances.
    fn serving(epoch: u64) -> Self {
        let host = Self::new();
        let mut router = Router::new(ROUTER);
        router.tiers.insert(NETWORK, Tier::default());
        host.save(&State { router, epoch, ..State::new(ROUTER) });
        host.tell(10, "one");
        host.tell(11, "two");
        host
    }

    fn store(&self) -> Store {
        Store::new(&self.0)
    }

    fn save(&self, state: &State) {
        let store = self.store();
        store.make_folders(&state.router).unwrap();
        wait(async { Ok(store.lock(ROUTER, std::future::pending()).await?) }).unwrap().save(state).unwrap();
    }

    fn told(&self) -> Instances {
        Instances::in_folder(instances_folder(&self.store().network_folder(NETWORK)))
    }

    fn tell(&self, last: u8, user_data: &str) {
        self.told().set_user_data(address(last), Secret::from(user_data)).unwrap();
    }

    fn news(&self, since: u64) -> Option<News> {
        let (store, deadline) = (self.store(), Deadline::after(Duration::from_secs(5)));
        wait(async { copy(&store, ROUTER, since, &deadline).await }).unwrap()
    }

    #[track_caller]
    fn copy(&self, since: u64) -> Copy {
        match self.news(since) {
            Some(News::Changed(copy)) => *copy,
            other => panic!("{other:?}"),
        }
    }

    fn keep(&self, copy: Copy) -> Result<Kept, String> {
        let (store, deadline) = (self.store(), Deadline::after(Duration::from_secs(5)));
        wait(async { keep(&store, copy, &deadline).await }).map_err(|error| error.report())
    }

    fn version(&self) -> Option<Version> {
        standing(&self.store(), ROUTER).unwrap().copy
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

/// The last octets of the instances that a copy tells of, and whether they are told anything.
fn instances(copy: &Copy) -> Vec<(u8, bool)> {
    copy.instances.iter().map(|told| (told.address.octets()[3], told.instance.is_some())).collect()
}

#[test]
fn all_is_told_once_and_then_only_what_changed() {
    let host = Host::serving(1);
    let whole = host.copy(0);
    assert_eq!((whole.version, whole.since), (Version { epoch: 1, serial: 1 }, 0));
    assert_eq!(instances(&whole), [(10, true), (11, true)]);
    assert!(host.news(1).is_none());

    host.tell(11, "other");
    let changed = host.copy(1);
    assert_eq!((changed.version.serial, instances(&changed)), (2, vec![(11, true)]));
    assert!(host.news(2).is_none());
    // Who missed that is told of it later.
    host.told().remove(address(10)).unwrap();
    assert_eq!(instances(&host.copy(1)), [(10, false), (11, true)]);
    assert_eq!(instances(&host.copy(2)), [(10, false)]);
}

#[test]
fn a_router_that_is_gone_is_told_to_who_knew_it() {
    let host = Host::serving(1);
    let known = host.copy(0).version.serial;
    wait(async { Ok(host.store().lock(ROUTER, std::future::pending()).await?) }).unwrap().forget().unwrap();
    assert!(matches!(host.news(known), Some(News::Gone)));
    assert!(host.news(0).is_none());
}

#[test]
fn a_journal_that_was_lost_costs_a_whole_copy() {
    let host = Host::serving(1);
    host.copy(0);
    host.tell(11, "other");
    let known = host.copy(1).version.serial;
    fs::remove_file(host.store().router_folder(ROUTER).join("journal.json")).unwrap();
    let again = host.copy(known);
    assert_eq!((again.since, instances(&again)), (0, vec![(10, true), (11, true)]));
}

#[test]
fn a_standby_follows_change_by_change() {
    let (host, standby) = (Host::serving(1), Host::new());
    assert_eq!(standby.keep(host.copy(0)), Ok(Kept::Yes));
    host.tell(11, "other");
    host.told().remove(address(10)).unwrap();
    assert_eq!(standby.keep(host.copy(1)), Ok(Kept::Yes));
    assert_eq!(standby.version(), Some(Version { epoch: 1, serial: 2 }));
    // The same once more, as after an answer that was lost.
    assert_eq!(standby.keep(host.copy(1)), Ok(Kept::Yes));
}

#[test]
fn a_standby_that_lacks_what_a_copy_builds_on_says_so() {
    let (host, standby) = (Host::serving(1), Host::new());
    host.copy(0);
    host.tell(11, "other");
    assert_eq!(standby.keep(host.copy(1)), Ok(Kept::Behind));
    assert_eq!(standby.version(), None);
    assert_eq!(standby.keep(host.copy(0)), Ok(Kept::Yes));
}

#[test]
fn a_copy_of_an_earlier_epoch_is_refused() {
    let (earlier, later, standby) = (Host::serving(1), Host::serving(2), Host::new());
    assert_eq!(standby.keep(later.copy(0)), Ok(Kept::Yes));
    assert_eq!(standby.keep(earlier.copy(0)), Ok(Kept::Outdated(2)));
    assert_eq!(later.keep(earlier.copy(0)), Ok(Kept::Outdated(2)), "it serves the router itself");
    // A host that missed its succession keeps what its successor says.
    assert_eq!(earlier.keep(later.copy(0)), Ok(Kept::Yes));
}
