//! Buckets of keys, cut from one piece of memory.
//!
//! A bucket is a list of small blocks. Blocks go back to the pool, so the memory follows the most keys that were ever
//! held and not the number of buckets that came and went.

use super::key::Key;

/// Keys in a block [count]: two cache lines.
const BLOCK: usize = 8;
/// End of a list of blocks.
const NONE: u32 = u32::MAX;

/// Keys in no order. Belongs to the [`Pool`] that its keys are in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    /// The block that was begun last; the only one that may be part empty.
    newest: u32,
    len: u32,
}

impl Bucket {
    pub(super) const EMPTY: Self = Self { newest: NONE, len: 0 };

    pub(super) const fn len(self) -> usize {
        self.len as usize
    }

    pub(super) const fn is_empty(self) -> bool {
        self.len == 0
    }
}

#[derive(Debug)]
struct Block {
    keys: [Key; BLOCK],
    /// The block before this one in its bucket, or in the list of free blocks.
    older: u32,
}

#[derive(Debug)]
pub(super) struct Pool {
    blocks: Vec<Block>,
    free: u32,
}

impl Default for Pool {
    fn default() -> Self {
        Self { blocks: Vec::new(), free: NONE }
    }
}

impl Pool {
    /// Room for keys [count].
    pub(super) fn capacity(&self) -> usize {
        self.blocks.capacity() * BLOCK
    }

    #[inline]
    pub(super) fn push(&mut self, bucket: &mut Bucket, key: Key) {
        let place = bucket.len as usize % BLOCK;
        bucket.len += 1;
        if place == 0 {
            bucket.newest = self.begin_block(key, bucket.newest);
        } else {
            self.blocks[bucket.newest as usize].keys[place] = key;
        }
    }

    fn begin_block(&mut self, first: Key, older: u32) -> u32 {
        if let Some(block) = self.blocks.get_mut(self.free as usize) {
            let index = self.free;
            self.free = block.older;
            block.keys[0] = first;
            block.older = older;
            index
        } else {
            self.blocks.push(Block { keys: [first; BLOCK], older });
            u32::try_from(self.blocks.len() - 1).expect("fewer blocks than events")
        }
    }

    /// Takes the last keys of `bucket` out, from one block. `None` when it is empty.
    #[inline]
    pub(super) fn pop_block(&mut self, bucket: &mut Bucket) -> Option<([Key; BLOCK], usize)> {
        if bucket.is_empty() {
            return None;
        }
        let filled = (bucket.len() - 1) % BLOCK + 1;
        let index = bucket.newest;
        let block = &mut self.blocks[index as usize];
        bucket.newest = block.older;
        #[expect(clippy::cast_possible_truncation, reason = "at most the length of a block")]
        let taken = filled as u32;
        bucket.len -= taken;
        block.older = self.free;
        self.free = index;
        Some((block.keys, filled))
    }

    /// Moves the keys of `bucket` to the end of `out`, the last one first.
    pub(super) fn drain_into(&mut self, mut bucket: Bucket, out: &mut Vec<Key>) {
        while let Some((keys, filled)) = self.pop_block(&mut bucket) {
            out.extend(keys[..filled].iter().rev());
        }
    }

    /// The earliest and the latest time in `bucket` [ns]; not meaningful for an empty one.
    pub(super) fn span(&self, bucket: Bucket) -> (u64, u64) {
        let (mut earliest, mut latest) = (u64::MAX, 0);
        let mut index = bucket.newest;
        let mut filled = (bucket.len().max(1) - 1) % BLOCK + 1;
        while let Some(block) = self.blocks.get(index as usize) {
            for key in &block.keys[..filled] {
                earliest = earliest.min(key.nanos());
                latest = latest.max(key.nanos());
            }
            index = block.older;
            filled = BLOCK;
        }
        (earliest, latest)
    }
}
