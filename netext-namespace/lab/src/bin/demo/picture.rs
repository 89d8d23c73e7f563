//! The network of the demo: its picture and its addresses.

pub(crate) const SOURCE_NAT: &str = "198.51.100.10";
pub(crate) const STATIC_NAT: &str = "198.51.100.11";
pub(crate) const WEB: &str = "10.1.1.10";
pub(crate) const DB: &str = "10.1.1.11";
pub(crate) const CLIENT: &str = "203.0.113.5";
pub(crate) const NEIGHBOUR: &str = "198.51.100.66";

/// The machines, in characters that every terminal has.
pub(crate) const NETWORK: &str = r"
                 the internet, 203.0.113.0/24
                              |
                         [ upstream ] 198.51.100.1
                              |
   --+------------------------+------------- public segment, VLAN 101
     |                        |
 [ neighbour ]                |  198.51.100.10  source NAT, port forwards to web
 198.51.100.66                |  198.51.100.11  static NAT of db
                         [  router  ]  namespace cs-net-209 on the KVM host
                              |  10.1.1.1
   -----------+---------------+---+--------- guest network 10.1.1.0/24, VLAN 1910
              |                   |
           [ web ]              [ db ]
          10.1.1.10           10.1.1.11
";
