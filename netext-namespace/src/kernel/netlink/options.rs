//! The socket option that identifies a network namespace.

use nix::{getsockopt_impl, libc, sockopt_impl};

sockopt_impl!(
    /// The cookie of the socket's network namespace (since Linux 5.14).
    NamespaceCookie,
    GetOnly,
    libc::SOL_SOCKET,
    libc::SO_NETNS_COOKIE,
    u64
);
