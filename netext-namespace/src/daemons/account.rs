//! The accounts of this host that daemons run as.

use nix::unistd::{Gid, Group, User};

use crate::plan::Account;

const NOBODY: &str = "nobody";
/// `nobody` and its group in every distribution that has no word on it.
const NOBODYS_GROUP: u32 = 65534;

/// The account of that name, or `nobody` where there is none: guests' packets reach these daemons, so that none
/// of them ever runs as root.
pub fn account(name: &str) -> Account {
    let known = |name: &str| User::from_name(name).ok().flatten();
    let user = known(name).or_else(|| known(NOBODY));
    let group_id = user.as_ref().map_or(NOBODYS_GROUP, |user| user.gid.as_raw());
    let group = Group::from_gid(Gid::from_raw(group_id)).ok().flatten();
    Account {
        user: user.map_or_else(|| NOBODY.to_owned(), |user| user.name),
        group: group.map_or_else(|| "nogroup".to_owned(), |group| group.name),
        group_id,
    }
}
