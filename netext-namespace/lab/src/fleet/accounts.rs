//! The accounts of a KVM host, on a copy of `/etc` that no other machine sees.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use crate::extension::EXTENSION;
use crate::place::Place;

/// An account that is not root, and may run the extension by sudo.
pub const OPERATOR: &str = "ops";

/// What crypt(3) makes of [`SECRET_PASSWORD`](crate::SECRET_PASSWORD).
const PASSWORD: &str =
    "$6$lab$TXNLqmQNPNDs3w2Y0Av2Hsul6Gv6G.NXF23bYHB7y8nFip3xiAP/VTO9lT5LIwBNaz3b1D/iWUeMg9bf6FrFn0";

/// Gives root a home of its own on a machine whose `/etc` is its own: what people have in theirs steers `ssh`.
pub(super) fn have_home(machine: &Place, home: &str) {
    machine.run(|| {
        let passwd = fs::read_to_string("/etc/passwd").expect("the accounts");
        let own = passwd.split_inclusive('\n').filter(|line| !line.starts_with("root:"));
        let root = format!("root:x:0:0:root:{home}:/bin/sh\n");
        fs::create_dir_all(home)
            .and_then(|()| fs::write("/etc/passwd", own.collect::<String>() + &root))
            .expect("an account with a home");
    });
}

/// Makes root and the operator log in with the lab's password or with a key.
pub(super) fn set_up(host: &Place, public_key: &str) {
    host.run(|| {
        let passwd = fs::read_to_string("/etc/passwd").expect("the accounts");
        let own = |line: &&str| !["root:", "sshd:", "ops:"].iter().any(|name| line.starts_with(name));
        let passwd: String = passwd.split_inclusive('\n').filter(own).collect();
        // Root's home on this machine has login scripts of its own.
        let added = format!(
            "root:x:0:0:root:/run:/bin/bash\nsshd:x:64998:65534::/run/sshd:/usr/sbin/nologin\n{OPERATOR}:x:64997:65534::/tmp:/bin/sh\n"
        );
        let shadow =
            format!("root:{PASSWORD}:19000::::::\nsshd:!:19000::::::\n{OPERATOR}:{PASSWORD}:19000::::::\n");
        let wrapper = format!("/etc/cloudstack/extensions/{EXTENSION}/{EXTENSION}-wrapper.sh");
        let sudoers = format!(
            "Defaults env_keep += \"NETEXT_STATE_ROOT NETEXT_LOG_ROOT\"\n\
             {OPERATOR} ALL=(root) NOPASSWD: {wrapper} relay\n"
        );
        let write = |path: &str, text: &str, mode| {
            let written =
                fs::write(path, text).and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)));
            written.unwrap_or_else(|error| panic!("{path}: {error}"));
        };
        write("/etc/passwd", &(passwd + &added), 0o644);
        write("/etc/shadow", &shadow, 0o600);
        write("/etc/sudoers", &sudoers, 0o440);
        fs::create_dir_all("/etc/ssh/lab").expect("a folder for keys");
        for user in ["root", OPERATOR] {
            write(&format!("/etc/ssh/lab/{user}"), public_key, 0o644);
        }
    });
}
