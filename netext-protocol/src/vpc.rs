//! The life of a VPC.

use crate::wire::object::object;
use crate::{PublicIp, Vpc};

object! { payload
    /// `implement-vpc`: bring a VPC into being. The source NAT address may come later.
    pub struct ImplementVpc {
        groups {
            /// The VPC.
            vpc: Vpc,
        }
        perhaps {
            /// The source NAT address, if there is one yet.
            public: PublicIp,
        }
    }
}

object! { payload
    /// `shutdown-vpc`: take a VPC down; every tier was destroyed before.
    pub struct ShutdownVpc {
        groups {
            /// The VPC.
            vpc: Vpc,
        }
    }
}

object! { payload
    /// `destroy-vpc`: forget a VPC. No server sends it yet.
    pub struct DestroyVpc {
        groups {
            /// The VPC.
            vpc: Vpc,
        }
    }
}

object! { payload
    /// `update-vpc-source-nat-ip`: guests without an address of their own leave by this address from now on.
    pub struct UpdateVpcSourceNatIp {
        groups {
            /// The VPC.
            vpc: Vpc,
            /// The new source NAT address.
            public: PublicIp,
        }
    }
}
