//! The numbers of the kernel's netlink messages, by the names that they have in its headers.

// `linux/netlink.h`: the length of a message's header, and the answers that every family has.
pub(in crate::kernel) const NLMSG_HDRLEN: usize = 16;
pub(in crate::kernel) const NLMSG_ERROR: u16 = 2;
pub(in crate::kernel) const NLMSG_DONE: u16 = 3;
pub(in crate::kernel) const NLMSGERR_ATTR_MSG: u16 = 1;

// `linux/rtnetlink.h`: lengths of the structures that come before the attributes.
pub(in crate::kernel) const IFINFOMSG: usize = 16;
pub(in crate::kernel) const IFADDRMSG: usize = 8;
pub(in crate::kernel) const RTMSG: usize = 12;
pub(in crate::kernel) const RTGENMSG: usize = 4;
// `linux/fib_rules.h`: `struct fib_rule_hdr`.
pub(in crate::kernel) const FIB_RULE_HDR: usize = 12;
// `linux/nfnetlink.h`: `struct nfgenmsg`.
pub(in crate::kernel) const NFGENMSG: usize = 4;

// `linux/socket.h`.
pub(in crate::kernel) const AF_INET: u8 = 2;
pub(in crate::kernel) const AF_INET6: u8 = 10;

// `linux/if_link.h`, `linux/if.h`.
pub(in crate::kernel) const IFLA_ADDRESS: u16 = 1;
pub(in crate::kernel) const IFLA_IFNAME: u16 = 3;
pub(in crate::kernel) const IFLA_MTU: u16 = 4;
pub(in crate::kernel) const IFLA_LINK: u16 = 5;
pub(in crate::kernel) const IFLA_MASTER: u16 = 10;
pub(in crate::kernel) const IFLA_OPERSTATE: u16 = 16;
pub(in crate::kernel) const IFLA_LINKINFO: u16 = 18;
pub(in crate::kernel) const IFLA_GROUP: u16 = 27;
pub(in crate::kernel) const IFLA_LINK_NETNSID: u16 = 37;
pub(in crate::kernel) const IFLA_INFO_KIND: u16 = 1;
pub(in crate::kernel) const IF_OPER_UP: u8 = 6;

// `linux/net_namespace.h`.
pub(in crate::kernel) const NETNSA_NSID: u16 = 1;
pub(in crate::kernel) const NETNSA_NSID_NOT_ASSIGNED: u32 = u32::MAX;

// `linux/if_addr.h`.
pub(in crate::kernel) const IFA_ADDRESS: u16 = 1;
pub(in crate::kernel) const IFA_LOCAL: u16 = 2;
pub(in crate::kernel) const IFA_FLAGS: u16 = 8;

// `linux/rtnetlink.h`.
pub(in crate::kernel) const RTA_DST: u16 = 1;
pub(in crate::kernel) const RTA_OIF: u16 = 4;
pub(in crate::kernel) const RTA_GATEWAY: u16 = 5;
pub(in crate::kernel) const RTA_PRIORITY: u16 = 6;
pub(in crate::kernel) const RTA_PREFSRC: u16 = 7;
pub(in crate::kernel) const RTA_METRICS: u16 = 8;
pub(in crate::kernel) const RTA_TABLE: u16 = 15;
pub(in crate::kernel) const RTAX_MTU: u16 = 2;

// `linux/fib_rules.h`.
pub(in crate::kernel) const FRA_DST: u16 = 1;
pub(in crate::kernel) const FRA_SRC: u16 = 2;
pub(in crate::kernel) const FRA_IIFNAME: u16 = 3;
pub(in crate::kernel) const FRA_PRIORITY: u16 = 6;
pub(in crate::kernel) const FRA_FWMARK: u16 = 10;
pub(in crate::kernel) const FRA_TABLE: u16 = 15;
pub(in crate::kernel) const FRA_FWMASK: u16 = 16;
pub(in crate::kernel) const FRA_OIFNAME: u16 = 17;
pub(in crate::kernel) const FRA_PROTOCOL: u16 = 21;
pub(in crate::kernel) const FRA_IP_PROTO: u16 = 22;
pub(in crate::kernel) const FRA_SPORT_RANGE: u16 = 23;
pub(in crate::kernel) const FRA_DPORT_RANGE: u16 = 24;
pub(in crate::kernel) const FR_ACT_TO_TBL: u8 = 1;

// `linux/netfilter/nfnetlink.h`, `linux/netfilter.h`.
pub(in crate::kernel) const NFNL_SUBSYS_CTNETLINK: u8 = 1;
pub(in crate::kernel) const NFNL_SUBSYS_NFTABLES: u8 = 10;
pub(in crate::kernel) const NFNL_MSG_BATCH_BEGIN: u16 = 16;
pub(in crate::kernel) const NFNL_MSG_BATCH_END: u16 = 17;
pub(in crate::kernel) const NFNL_BATCH_GENID: u16 = 1;
pub(in crate::kernel) const NFPROTO_UNSPEC: u8 = 0;
pub(in crate::kernel) const NFPROTO_INET: u8 = 1;
pub(in crate::kernel) const NFPROTO_IPV4: u8 = 2;

// `linux/netfilter/nfnetlink_conntrack.h`, `linux/netfilter/nf_conntrack_common.h`.
pub(in crate::kernel) const IPCTNL_MSG_CT_GET: u8 = 1;
pub(in crate::kernel) const IPCTNL_MSG_CT_DELETE: u8 = 2;
pub(in crate::kernel) const IPCTNL_MSG_CT_GET_STATS: u8 = 5;
pub(in crate::kernel) const CTA_TUPLE_ORIG: u16 = 1;
pub(in crate::kernel) const CTA_TUPLE_REPLY: u16 = 2;
pub(in crate::kernel) const CTA_STATUS: u16 = 3;
pub(in crate::kernel) const CTA_PROTOINFO: u16 = 4;
pub(in crate::kernel) const CTA_TIMEOUT: u16 = 7;
pub(in crate::kernel) const CTA_COUNTERS_ORIG: u16 = 9;
pub(in crate::kernel) const CTA_COUNTERS_REPLY: u16 = 10;
pub(in crate::kernel) const CTA_ID: u16 = 12;
pub(in crate::kernel) const CTA_ZONE: u16 = 18;
pub(in crate::kernel) const CTA_STATS_GLOBAL_ENTRIES: u16 = 1;
pub(in crate::kernel) const CTA_TUPLE_IP: u16 = 1;
pub(in crate::kernel) const CTA_TUPLE_PROTO: u16 = 2;
pub(in crate::kernel) const CTA_IP_V4_SRC: u16 = 1;
pub(in crate::kernel) const CTA_IP_V4_DST: u16 = 2;
pub(in crate::kernel) const CTA_IP_V6_SRC: u16 = 3;
pub(in crate::kernel) const CTA_IP_V6_DST: u16 = 4;
pub(in crate::kernel) const CTA_PROTO_NUM: u16 = 1;
pub(in crate::kernel) const CTA_PROTO_SRC_PORT: u16 = 2;
pub(in crate::kernel) const CTA_PROTO_DST_PORT: u16 = 3;
pub(in crate::kernel) const CTA_PROTOINFO_TCP: u16 = 1;
pub(in crate::kernel) const CTA_PROTOINFO_TCP_STATE: u16 = 1;
pub(in crate::kernel) const CTA_COUNTERS_PACKETS: u16 = 1;
pub(in crate::kernel) const CTA_COUNTERS_BYTES: u16 = 2;
pub(in crate::kernel) const IPS_SEEN_REPLY: u32 = 1 << 1;

// `linux/netfilter/nf_tables.h`.
pub(in crate::kernel) const NFT_MSG_GETTABLE: u8 = 1;
pub(in crate::kernel) const NFT_MSG_NEWSETELEM: u8 = 12;
pub(in crate::kernel) const NFT_MSG_GETSETELEM: u8 = 13;
pub(in crate::kernel) const NFT_MSG_DELSETELEM: u8 = 14;
pub(in crate::kernel) const NFT_MSG_GETGEN: u8 = 16;
pub(in crate::kernel) const NFTA_TABLE_NAME: u16 = 1;
pub(in crate::kernel) const NFTA_GEN_ID: u16 = 1;
pub(in crate::kernel) const NFTA_LIST_ELEM: u16 = 1;
pub(in crate::kernel) const NFTA_SET_ELEM_LIST_TABLE: u16 = 1;
pub(in crate::kernel) const NFTA_SET_ELEM_LIST_SET: u16 = 2;
pub(in crate::kernel) const NFTA_SET_ELEM_LIST_ELEMENTS: u16 = 3;
pub(in crate::kernel) const NFTA_SET_ELEM_KEY: u16 = 1;
pub(in crate::kernel) const NFTA_SET_ELEM_DATA: u16 = 2;
pub(in crate::kernel) const NFTA_SET_ELEM_EXPR: u16 = 7;
pub(in crate::kernel) const NFTA_DATA_VALUE: u16 = 1;
pub(in crate::kernel) const NFTA_EXPR_NAME: u16 = 1;
pub(in crate::kernel) const NFTA_EXPR_DATA: u16 = 2;
pub(in crate::kernel) const NFTA_COUNTER_BYTES: u16 = 1;
pub(in crate::kernel) const NFTA_COUNTER_PACKETS: u16 = 2;
