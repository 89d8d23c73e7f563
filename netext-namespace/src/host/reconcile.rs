//! Makes a router match its state, or reports what differs. A host that was superseded fences the router.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use netext_core::{Deadline, DeviceError};
use nix::net::if_::if_nametoindex;

use super::apply::{RouterChange, apply, take_down};
use super::errors;
use super::recovery::Recovery;
use crate::compile::CompiledRouter;
use crate::drift::{Difference, Pass};
use crate::kernel::namespace::Namespace;
use crate::kernel::{arp, links};
use crate::metadata::ChangeProgress;
use crate::model::{InterfaceName, Router, RouterId};
use crate::plan::{LinkPlan, RulesetGeneration};
use crate::store::{LockedRouter, RouterState, Store};

/// How long the kernel may take to remove a deleted namespace.
const REMOVAL: Duration = Duration::from_secs(1);

/// The outcome of one pass over a router.
#[derive(Debug)]
pub struct Reconciled {
    /// The desired router.
    pub router: Router,
    /// Its desired links.
    pub links: LinkPlan,
    /// What differed, in the order in which it is repaired; up to the obstacle if there was one.
    pub differences: Vec<Difference>,
    /// What kept the pass from reaching its end.
    pub obstacle: Option<DeviceError>,
}

/// Compares a router with its state, under its lock, and repairs it if the pass acts. `None` for a router that has no
/// state.
///
/// # Errors
/// When the router is busy until the deadline, or its state cannot be used.
pub async fn reconcile(
    store: &Store,
    id: RouterId,
    deadline: &Deadline,
    mut pass: Pass,
) -> Result<Option<Reconciled>, DeviceError> {
    let locked = store.lock(id, deadline.cancelled()).await?;
    let recovery = Recovery::of_files(store, &locked, deadline.instant(), &mut pass)?;
    let state = locked.load()?;
    if state.router.is_empty() && recovery.is_none() {
        return Ok(None);
    }
    let held = HeldRouter::new(store, &locked, &state, deadline).after(recovery.as_ref());
    let superseded = match state.superseded {
        None if pass.acts() && state.epoch > 0 => held.contested()?,
        superseded => superseded,
    };
    let outcome = match superseded {
        None => held.put_in_force(&mut pass),
        Some(epoch) => {
            let fenced = DeviceError::device(format!(
                "another host serves it since epoch {epoch}; this host has fenced it until it is put back here"
            ));
            Err(match held.step_down(epoch, &mut pass) {
                Ok(()) => fenced,
                Err(error) => fenced.with_source(error),
            })
        }
    };
    let links = held.compiled.into_links();
    let obstacle = match recovery {
        Some(recovery) if pass.acts() => {
            outcome.and_then(|()| recovery.finish(store, &locked, &state.router)).err()
        }
        _ => outcome.err(),
    };
    Ok(Some(Reconciled { router: state.router, links, differences: pass.into_differences(), obstacle }))
}

/// Undoes or completes the change of a killed command, before a command changes the router.
pub(super) fn recover(store: &Store, locked: &LockedRouter, deadline: &Deadline) -> Result<(), DeviceError> {
    // A repair, which also removes what is left of drafts.
    let pass = &mut Pass::repair();
    let Some(recovery) = Recovery::of_files(store, locked, deadline.instant(), pass)? else { return Ok(()) };
    let state = locked.load()?;
    let held = HeldRouter::new(store, locked, &state, deadline).after(Some(&recovery));
    match state.superseded {
        None => held.apply(pass)?,
        Some(epoch) => held.step_down(epoch, pass)?,
    }
    recovery.finish(store, locked, &state.router)
}

/// A router whose lock is held, with its state.
pub(crate) struct HeldRouter<'a> {
    store: &'a Store,
    locked: &'a LockedRouter,
    state: &'a RouterState,
    deadline: &'a Deadline,
    compiled: CompiledRouter<'a>,
    /// What a killed command may have left on the host.
    left: Option<CompiledRouter<'a>>,
}

impl<'a> HeldRouter<'a> {
    /// The router of a state that is saved.
    pub(crate) fn new(
        store: &'a Store,
        locked: &'a LockedRouter,
        state: &'a RouterState,
        deadline: &'a Deadline,
    ) -> Self {
        Self { store, locked, state, deadline, compiled: CompiledRouter::new(&state.router), left: None }
    }

    /// The same router, after a command was killed.
    fn after(self, recovery: Option<&'a Recovery>) -> Self {
        Self { left: recovery.map(|recovery| CompiledRouter::new(recovery.other())), ..self }
    }

    /// The change that makes the host match the router.
    fn change<'c>(&'c self, generation: Option<&'c RulesetGeneration>) -> RouterChange<'c, 'a> {
        match &self.left {
            Some(left) => RouterChange::new(left, &self.compiled, None),
            None => RouterChange::none(&self.compiled, generation),
        }
    }

    /// Makes the host match the router. A difference that cannot be repaired is an error in the end.
    pub(crate) fn put_in_force(&self, pass: &mut Pass) -> Result<(), DeviceError> {
        self.apply(pass)?;
        match pass.shortfalls() {
            [] => Ok(()),
            shortfalls => Err(DeviceError::device(shortfalls.join("; "))),
        }
    }

    fn apply(&self, pass: &mut Pass) -> Result<(), DeviceError> {
        let Self { store, locked, state, deadline, .. } = self;
        deadline.check()?;
        let known = locked.ruleset_generation();
        let generation = apply(store, self.change(known.as_ref()), deadline.instant(), pass)?;
        if pass.acts() && generation != known {
            locked.note_ruleset_generation(generation);
        }
        if pass.acts() && pass.accounts() {
            discard_drafts(store, &state.router, deadline.instant())?;
        }
        Ok(())
    }

    /// Records that another host serves the router since an epoch, and then fences the router.
    ///
    /// The state comes first: a host that was superseded must not believe that it still serves, whatever cannot be
    /// taken down. And it must not serve: the router is fenced even if the state cannot be saved. A full disk has room
    /// for the state afterwards.
    pub(crate) fn step_down(&self, epoch: u64, pass: &mut Pass) -> Result<(), DeviceError> {
        let Self { store, locked, state, deadline, .. } = self;
        let superseded = RouterState { superseded: Some(epoch), ..(*state).clone() };
        let is_new = pass.acts() && superseded != **state;
        let saved = if is_new { locked.save(&superseded) } else { Ok(()) };
        let fenced = take_down(store, self.change(None), deadline.instant(), pass);
        let saved = saved.or_else(|_| locked.save(&superseded));
        let failures = saved.err().map(DeviceError::from).into_iter().chain(fenced.err());
        errors::all(failures.collect())
    }

    /// The epoch of another host that answers for the router's public addresses, or is about to in a later epoch.
    ///
    /// A router that is down here, as after a reboot, may have been taken over although nothing could tell this host. A
    /// router that is up is not contested.
    fn contested(&self) -> Result<Option<u64>, DeviceError> {
        let (router, epoch) = (&self.state.router, self.state.epoch);
        let LinkPlan { bridges, namespace: Some(namespace) } = self.compiled.links() else { return Ok(None) };
        if Namespace::open(&namespace.name).map_err(cannot_ask)?.is_some() {
            return Ok(None);
        }
        // The question needs the segments.
        let segments = LinkPlan { bridges: bridges.clone(), namespace: None };
        links::apply(&segments, None, &mut Pass::command()).map_err(cannot_ask)?;
        for interface in &namespace.interfaces {
            await_removal(&interface.peer);
            let addresses = interface.addresses.iter().filter_map(|address| match address.addr() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            });
            let addresses: Vec<Ipv4Addr> =
                addresses.filter(|address| router.addresses.contains_key(address)).collect();
            if addresses.is_empty() {
                continue;
            }
            let taken = arp::taken(&interface.bridge, &addresses, epoch).map_err(cannot_ask)?;
            if let Some((address, owner)) = taken.first_key_value() {
                let (router, mac) = (router.id, owner.words());
                tracing::warn!(%router, %address, mac, "another host answers for its address, so it serves it");
                return Ok(Some(owner.right.unwrap_or_default().max(epoch + 1)));
            }
        }
        Ok(None)
    }
}

/// Removes drafts of instances' metadata that killed commands and servers left.
fn discard_drafts(store: &Store, router: &Router, deadline: Instant) -> Result<(), DeviceError> {
    Ok(router
        .tiers
        .keys()
        .try_for_each(|network| store.instances(*network).recover(ChangeProgress::Unknown, deadline))?)
}

fn cannot_ask(error: impl Into<Box<dyn Error + Send + Sync>>) -> DeviceError {
    DeviceError::device("cannot ask whether another host has the router's addresses").with_source(error)
}

/// A namespace that was just deleted answers until the kernel has removed it, with its ports on the host.
fn await_removal(port: &InterfaceName) {
    let begun = Instant::now();
    while if_nametoindex(port.as_ref()).is_ok() && begun.elapsed() < REMOVAL {
        std::thread::sleep(Duration::from_millis(10));
    }
}
