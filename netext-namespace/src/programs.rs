//! Programs of the system that we run.

use std::env;
use std::ffi::OsString;

/// Where programs are looked for: daemons and `nft` lie in `sbin`, which not every caller's path has.
pub(crate) fn search_path() -> OsString {
    let mut path =
        env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| "/usr/bin:/bin".into());
    path.push(":/usr/sbin:/sbin");
    path
}
