//! Ordered lists as sets: the first item that matches a packet decides.
//!
//! The order counts only between items of different actions that overlap. So an item is one layer deeper than the
//! deepest earlier item of another action that it overlaps. Within a layer no packet matches items of both actions:
//! a layer is some sets for one action and some for the other, looked up in any order. The first layer that holds a
//! packet decides as the first item of the list does. Rules and their exceptions make two layers, however many
//! there are.
//!
//! Two blocks overlap if they agree in the leading bits that both of them look at. So earlier blocks are kept by
//! shape, that is by the bits that they look at, and found by hash: a new block is compared with each shape, not
//! with each block.

use std::collections::{BTreeMap, HashMap};

use super::{MatchFamily, PacketBlock, PacketMatch, look_up};
use crate::compile::packets::ruleset::Ruleset;

/// Adds the sets that hold the items, in their order, and the rules that look them up to the chain. Sets are named
/// after the chain, the layer and the verdict.
pub(in crate::compile::packets) fn compile<'a>(
    ruleset: &mut Ruleset,
    chain: &str,
    items: impl Iterator<Item = (PacketMatch, &'a str)>,
) {
    for (depth, layer) in layers(items).into_iter().enumerate() {
        for (verdict, blocks) in layer {
            let sets = format!("{chain}_{depth}_{}", verdict.replace(' ', "_"));
            look_up(ruleset, chain, &sets, blocks.into_iter(), verdict);
        }
    }
}

/// The layers of a list of items, each with its action as a verdict of the chain.
fn layers<'a>(
    items: impl Iterator<Item = (PacketMatch, &'a str)>,
) -> Vec<BTreeMap<&'a str, Vec<PacketBlock>>> {
    let mut layers: Vec<BTreeMap<&'a str, Vec<PacketBlock>>> = Vec::new();
    let mut earlier: BTreeMap<&'a str, EarlierBlocks> = BTreeMap::new();
    let blocks = items.flat_map(|(item, verdict)| item.blocks().map(move |block| (block, verdict)));
    for (block, verdict) in blocks {
        let (bits, kind) = (BlockBits::of(&block), BlockShape::of(&block));
        let mut depth = 0;
        let mut covered = false;
        for (other, earlier) in &mut earlier {
            let found = if *other == verdict {
                earlier.covering(bits, kind)
            } else {
                earlier.overlapping(bits, kind)
            };
            depth = depth.max(found.depth.map_or(0, |deepest| deepest + 1));
            covered |= found.covers;
        }
        // A block that an earlier one covers entirely never decides.
        if covered {
            continue;
        }
        earlier.entry(verdict).or_default().add(bits, kind, depth);
        if layers.len() <= depth {
            layers.resize_with(depth + 1, BTreeMap::new);
        }
        layers[depth].entry(verdict).or_default().push(block);
    }
    layers
}

/// The bits of a packet that a block matches: of its source, its destination, and its protocol with what follows.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct BlockBits([u32; 3]);

/// How many leading bits of each a block looks at.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct BlockShape([u8; 3]);

impl BlockBits {
    fn of(block: &PacketBlock) -> Self {
        let rest = match block.family {
            MatchFamily::Protocols => u32::from(block.number) << 16,
            _ => u32::from(block.protocol) << 24 | u32::from(block.number) << 8,
        };
        Self([block.source.network().into(), block.destination.network().into(), rest])
    }

    fn masked(self, BlockShape(lens): BlockShape) -> Self {
        let Self(mut bits) = self;
        for (bits, len) in bits.iter_mut().zip(lens) {
            *bits &= u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
        }
        Self(bits)
    }
}

impl BlockShape {
    fn of(block: &PacketBlock) -> Self {
        let rest = match block.family {
            MatchFamily::Protocols => block.len,
            _ => 8 + block.len,
        };
        Self([block.source.prefix_len(), block.destination.prefix_len(), rest])
    }

    /// The bits that both look at.
    fn common(self, other: Self) -> Self {
        Self(std::array::from_fn(|index| self.0[index].min(other.0[index])))
    }
}

/// The earlier blocks of one verdict.
#[derive(Default)]
struct EarlierBlocks(HashMap<BlockShape, BlocksOfShape>);

/// Blocks that look at the same bits.
#[derive(Default)]
struct BlocksOfShape {
    blocks: HashMap<BlockBits, usize>,
    /// The greatest depth by the bits that a block shares with blocks of another shape, added when such a block
    /// comes.
    shared: HashMap<BlockShape, HashMap<BlockBits, usize>>,
}

/// The earlier blocks of a verdict that a block overlaps.
#[derive(Default)]
struct Overlap {
    /// The depth of the deepest, if it matters.
    depth: Option<usize>,
    /// Whether one of them covers it.
    covers: bool,
}

impl EarlierBlocks {
    /// The blocks of the other verdict.
    fn overlapping(&mut self, bits: BlockBits, kind: BlockShape) -> Overlap {
        let mut found = Overlap::default();
        for (of, blocks) in &mut self.0 {
            let common = kind.common(*of);
            let depth = blocks.deepest(common, bits.masked(common));
            found.depth = found.depth.max(depth);
            found.covers |= depth.is_some() && common == *of;
        }
        found
    }

    /// The blocks of the same verdict, whose depth does not matter.
    fn covering(&self, bits: BlockBits, kind: BlockShape) -> Overlap {
        let covers = |(of, blocks): (&BlockShape, &BlocksOfShape)| {
            kind.common(*of) == *of && blocks.blocks.contains_key(&bits.masked(*of))
        };
        Overlap { depth: None, covers: self.0.iter().any(covers) }
    }

    fn add(&mut self, bits: BlockBits, kind: BlockShape, depth: usize) {
        let of_kind = self.0.entry(kind).or_default();
        of_kind.blocks.insert(bits, depth);
        for (common, shared) in &mut of_kind.shared {
            note(shared, bits.masked(*common), depth);
        }
    }
}

impl BlocksOfShape {
    fn deepest(&mut self, common: BlockShape, bits: BlockBits) -> Option<usize> {
        let Self { blocks, shared } = self;
        let shared = shared.entry(common).or_insert_with(|| {
            let mut shared = HashMap::new();
            for (bits, depth) in blocks {
                note(&mut shared, bits.masked(common), *depth);
            }
            shared
        });
        shared.get(&bits).copied()
    }
}

fn note(shared: &mut HashMap<BlockBits, usize>, bits: BlockBits, depth: usize) {
    let deepest = shared.entry(bits).or_default();
    *deepest = depth.max(*deepest);
}
