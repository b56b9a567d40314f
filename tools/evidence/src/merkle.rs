//! RFC 6962 Merkle trees: a root over leaves, inclusion proofs and consistency proofs.
//!
//! Leaves and nodes are hashed with different first bytes, so a node cannot be passed off as a leaf. A proof is checked
//! against the size of the tree and the place in it, so that neither can be chosen by who presents it. The tree keeps
//! the roots of its complete subtrees only, whatever its size.

use sha2::{Digest, Sha256};

/// A SHA-256.
pub type Hash = [u8; 32];

/// Hash of a leaf: `SHA-256(00 || leaf)`.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(leaf).finalize().into()
}

/// Hash of a node: `SHA-256(01 || left || right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Sha256::digest([]).into()
}

/// A tree that leaves are added to; it can tell its root at any time.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Roots of complete subtrees, the largest first, with their sizes.
    complete: Vec<(u64, Hash)>,
    size: u64,
}

impl Tree {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) {
        self.push_hash(leaf_hash(leaf));
    }

    /// Adds a leaf by its hash.
    pub fn push_hash(&mut self, hash: Hash) {
        let (mut size, mut hash) = (1, hash);
        while let Some((left_size, left)) = self.complete.last().filter(|(left, _)| *left == size) {
            (size, hash) = (left_size + size, node_hash(left, &hash));
            self.complete.pop();
        }
        self.complete.push((size, hash));
        self.size += 1;
    }

    /// Leaves [count].
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut right = self.complete.iter().rev();
        let Some((_, last)) = right.next() else { return empty_root() };
        right.fold(*last, |root, (_, left)| node_hash(left, &root))
    }
}

/// Root over the hashes of leaves.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.push_hash(*leaf));
    tree.root()
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// Proof that leaf `index` is in the tree: siblings from the leaf to the root. `None` when there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut leaves, mut index) = (leaves, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Proof that the tree of the first `old` leaves is the beginning of this tree. `None` when there are not so many.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old > leaves.len() {
        return None;
    }
    let mut proof = Vec::new();
    if old == 0 || old == leaves.len() {
        return Some(proof);
    }
    let (mut leaves, mut old, mut whole) = (leaves, old, true);
    while old != leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if old <= left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            old -= left.len();
            leaves = right;
            whole = false;
        }
    }
    if !whole {
        proof.push(root(leaves));
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that `leaf` is leaf `index` of the tree of `size` leaves with this root (RFC 9162, 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], expected: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *expected
}

/// Whether `proof` shows that the tree of `old_size` leaves is the beginning of that of `new_size` leaves
/// (RFC 9162, 2.1.4.2). The empty tree is the beginning of every tree.
#[must_use]
pub fn verify_consistency(old_size: u64, new_size: u64, proof: &[Hash], old_root: &Hash, new_root: &Hash) -> bool {
    if old_size > new_size {
        return false;
    }
    if old_size == new_size {
        return proof.is_empty() && old_root == new_root;
    }
    if old_size == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    let mut path = proof.iter();
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    // When the old tree is complete its root is the first node of the path.
    let first = if old_size.is_power_of_two() { Some(old_root) } else { path.next() };
    let Some(first) = first else { return false };
    let (mut old, mut new) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::hex;

    /// The leaves of the test vectors of Certificate Transparency.
    const LEAVES: [&str; 8] =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    /// The roots of its trees of 1 to 8 leaves.
    const ROOTS: [&str; 8] = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];

    fn leaves() -> Vec<Hash> {
        let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        LEAVES.iter().map(|text| leaf_hash(&text.as_bytes().chunks(2).map(byte).collect::<Vec<_>>())).collect()
    }

    #[test]
    fn trees_have_the_published_roots() {
        assert_eq!(hex(&empty_root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        for (size, expected) in (1..).zip(ROOTS) {
            assert_eq!(hex(&root(&leaves()[..size])), expected);
        }
    }

    fn many(count: u8) -> Vec<Hash> {
        (0..count).map(|i| leaf_hash(&[i])).collect()
    }

    #[test]
    fn every_inclusion_is_proved_and_nothing_else_is() {
        for size in 1..=33_u8 {
            let leaves = many(size);
            let root = root(&leaves);
            for index in 0..leaves.len() {
                let proof = inclusion_proof(&leaves, index).unwrap();
                let holds = |leaf: &Hash, index: u64, size: u64, proof: &[Hash]| {
                    verify_inclusion(leaf, index, size, proof, &root)
                };
                let (at, size) = (index as u64, u64::from(size));
                assert!(holds(&leaves[index], at, size, &proof));
                assert!(!holds(&leaves[index], at + 1, size, &proof));
                assert!(!holds(&leaves[index], size, size, &proof));
                assert!(!holds(&leaf_hash(b"other"), at, size, &proof));
                let mut longer = proof.clone();
                longer.push([0; 32]);
                assert!(!holds(&leaves[index], at, size, &longer));
                for bit in 0..proof.len() {
                    let mut forged = proof.clone();
                    forged[bit][31] ^= 1;
                    assert!(!holds(&leaves[index], at, size, &forged));
                    let mut shorter = proof.clone();
                    shorter.remove(bit);
                    assert!(!holds(&leaves[index], at, size, &shorter));
                }
            }
            assert!(inclusion_proof(&leaves, leaves.len()).is_none());
        }
    }

    #[test]
    fn every_beginning_is_proved_and_nothing_else_is() {
        for size in 1..=33_u8 {
            let leaves = many(size);
            let new_root = root(&leaves);
            for old in 1..=leaves.len() {
                let old_root = root(&leaves[..old]);
                let proof = consistency_proof(&leaves, old).unwrap();
                let (m, n) = (old as u64, u64::from(size));
                assert!(verify_consistency(m, n, &proof, &old_root, &new_root), "{old} of {size}");
                assert!(!verify_consistency(m, n, &proof, &[7; 32], &new_root));
                assert!(!verify_consistency(m, n, &proof, &old_root, &[7; 32]));
                if old < leaves.len() {
                    assert!(!verify_consistency(n, m, &proof, &new_root, &old_root), "backwards");
                    let fork: Vec<Hash> = leaves[..old]
                        .iter()
                        .enumerate()
                        .map(|(i, leaf)| if i + 1 == old { [9; 32] } else { *leaf })
                        .collect();
                    assert!(!verify_consistency(m, n, &proof, &root(&fork), &new_root), "another beginning");
                }
                for at in 0..proof.len() {
                    let mut forged = proof.clone();
                    forged[at][0] ^= 0x80;
                    assert!(!verify_consistency(m, n, &forged, &old_root, &new_root));
                    let mut shorter = proof.clone();
                    shorter.remove(at);
                    assert!(!verify_consistency(m, n, &shorter, &old_root, &new_root));
                }
            }
        }
    }

    #[test]
    fn a_node_is_no_leaf() {
        let leaves = many(4);
        let node = node_hash(&leaves[0], &leaves[1]);
        let as_leaf = leaf_hash(&[leaves[0], leaves[1]].concat());
        assert_ne!(node, as_leaf);
        assert_ne!(root(&leaves), root(&[node, node_hash(&leaves[2], &leaves[3])].map(|hash| leaf_hash(&hash))));
        assert_ne!(root(&leaves[..3]), root(&[leaves[0], leaves[1], leaves[2], leaves[2]]));
    }
}
