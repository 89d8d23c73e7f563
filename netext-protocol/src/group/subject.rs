//! What a command is about when it may be either a network or a VPC.

use serde::de::{self, MapAccess};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::wire::object::{Fields, Style};
use crate::{Network, Vpc, VpcId};

/// What a command is about when it may be either a network or a VPC: a payload without `network_id` is
/// about the VPC.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Subject {
    /// A network, possibly a tier of a VPC.
    Network(Network),
    /// A VPC as a whole.
    Vpc(Vpc),
}

impl Subject {
    /// The network, if it is about one.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Self::Network(network) => Some(network),
            Self::Vpc(_) => None,
        }
    }

    /// The VPC that it is about or that the network is a tier of.
    pub fn vpc_id(&self) -> Option<VpcId> {
        match self {
            Self::Network(network) => network.vpc_id,
            Self::Vpc(vpc) => Some(vpc.vpc_id),
        }
    }
}

impl From<Network> for Subject {
    fn from(network: Network) -> Self {
        Self::Network(network)
    }
}

impl From<Vpc> for Subject {
    fn from(vpc: Vpc) -> Self {
        Self::Vpc(vpc)
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Network(network) => network.serialize(serializer),
            Self::Vpc(vpc) => vpc.serialize(serializer),
        }
    }
}

/// Which of the two it is shows at the end only, so what both have in common is read as the network's.
impl Fields for Subject {
    type Partial = (<Network as Fields>::Partial, <Vpc as Fields>::Partial);

    fn take<'de, A: MapAccess<'de>>(
        (network, vpc): &mut Self::Partial,
        key: &str,
        entries: &mut A,
    ) -> Result<bool, A::Error> {
        Ok(Network::take(network, key, entries)? || Vpc::take(vpc, key, entries)?)
    }

    fn is_present((network, vpc): &Self::Partial) -> bool {
        Network::is_present(network) || network.vpc_id.is_some() || Vpc::is_present(vpc)
    }

    fn finish<E: de::Error>((network, mut vpc): Self::Partial) -> Result<Self, E> {
        if Network::is_present(&network) {
            return Network::finish(network).map(Self::Network);
        }
        if network.vpc_id.is_none() {
            return Err(E::custom("neither `network_id` nor `vpc_id` is given"));
        }
        vpc.vpc_id = network.vpc_id;
        vpc.zone_id = network.zone_id;
        if network.cidr.is_some() && vpc.vpc_cidr.is_some() && network.cidr != vpc.vpc_cidr {
            return Err(E::custom("`cidr` and `vpc_cidr` of a VPC differ"));
        }
        vpc.vpc_cidr = vpc.vpc_cidr.or(network.cidr);
        Vpc::finish(vpc).map(Self::Vpc)
    }

    fn write<S: SerializeMap>(&self, style: Style, object: &mut S) -> Result<(), S::Error> {
        match self {
            Self::Network(network) => network.write(style, object),
            Self::Vpc(vpc) => vpc.write(style, object),
        }
    }

    #[cfg(feature = "schema")]
    fn describe(schema: &mut crate::schema::ObjectSchema, generator: &mut schemars::SchemaGenerator) {
        schema.optional_group::<Network>(generator);
        schema.optional_group::<Vpc>(generator);
        schema.one_of(&["network_id", "vpc_id"]);
    }
}
