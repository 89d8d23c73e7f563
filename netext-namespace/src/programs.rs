//! Programs of the system that we run.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// How much of a program's words an error quotes, in characters.
const QUOTE: usize = 300;

/// Where programs are looked for: daemons and `nft` lie in `sbin`, which not every caller's path has.
pub(crate) fn search_path() -> OsString {
    let mut path =
        env::var_os("PATH").filter(|path| !path.is_empty()).unwrap_or_else(|| "/usr/bin:/bin".into());
    path.push(":/usr/sbin:/sbin");
    path
}

/// Where a program lies, if it is installed.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&search_path()).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// The first lines of what a program said, as one. haproxy introduces itself first, and tells of what does not keep it
/// from starting.
pub(crate) fn first_lines(said: &str) -> String {
    let is_chatter = |line: &&str| line.starts_with("[NOTICE]") || line.starts_with("[WARNING]");
    let lines = said.lines().map(str::trim).filter(|line| !line.is_empty() && !is_chatter(line));
    quoted(&lines.take(3).collect::<Vec<_>>().join("; "))
}

/// The last line of what a program said.
pub(crate) fn last_line(said: &str) -> String {
    quoted(said.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing"))
}

/// Words of a length that fits an error, and without what would move a terminal's cursor.
fn quoted(words: &str) -> String {
    words.chars().filter(|c| !c.is_control()).take(QUOTE).collect()
}
