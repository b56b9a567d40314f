//! Seeds of matrices of cells: the same work for every method and every disturbance of a size.

use sha2::{Digest, Sha256};

/// Seed of the first episode of every cell of a size: the others count up from it. Neither the method nor the injection nor what else
/// is in the matrix changes it, so all cells of a size have the same work.
#[must_use]
pub fn first_of_scale(base: u64, scale: &str) -> u64 {
    let digest = Sha256::digest(scale.as_bytes());
    let place = u64::from(digest[0]) << 8 | u64::from(digest[1]);
    base.wrapping_add(10_000 * place) & (u64::MAX >> 12)
}

#[cfg(test)]
mod tests {
    use super::first_of_scale;

    #[test]
    fn sizes_have_work_of_their_own_and_the_largest_seed_leaves_room() {
        assert_ne!(first_of_scale(42, "small_smoke"), first_of_scale(42, "corridor_heavy"));
        assert!(first_of_scale(u64::MAX, "small_smoke").checked_add(1 << 32).is_some());
    }
}
