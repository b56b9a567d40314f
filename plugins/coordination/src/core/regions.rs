//! Regions: the zone graph cut into connected parts of about equal weight, with few ways between them.
//!
//! Greedy graph growing (Karypis and Kumar 1998, the initial partition of METIS): a region begins at the zone that is
//! farthest from all others and grows by the neighbour that leaves the fewest ways cut, until it has its share.

use super::{Floor, NO_WAY};

/// The region of every zone, from 0; at most `wanted`, at least one where there is a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Regions {
    of: Vec<usize>,
    count: usize,
}

impl Regions {
    /// Cuts a floor. `weight` of a zone is how much work there is in it.
    #[must_use]
    pub fn new(floor: &Floor, wanted: usize, weight: impl Fn(u16) -> u64) -> Self {
        let zones = floor.zones();
        let neighbours: Vec<Vec<usize>> =
            (0..zones).map(|a| (0..zones).filter(|&b| floor.adjacent(a as u16, b as u16)).collect()).collect();
        let weights: Vec<u64> = (0..zones).map(|zone| weight(zone as u16)).collect();
        let wanted = wanted.clamp(1, zones.max(1));
        let mut of: Vec<Option<usize>> = vec![None; zones];
        let (mut left, mut count): (u64, usize) = (weights.iter().sum(), 0);
        while let Some(seed) = farthest(floor, &of) {
            let last = count + 1 >= wanted;
            let share = left / (wanted.saturating_sub(count)).max(1) as u64;
            let mut have = 0;
            let mut next = Some(seed);
            while let Some(zone) = next {
                of[zone] = Some(count);
                have += weights[zone];
                if !last && have >= share {
                    break;
                }
                next = border(&neighbours, &of, count).or_else(|| farthest(floor, &of).filter(|_| last));
            }
            left -= have;
            count += 1;
        }
        Self { of: of.into_iter().flatten().collect(), count }
    }

    /// The region of a zone.
    #[must_use]
    pub fn of(&self, zone: u16) -> usize {
        self.of[usize::from(zone)]
    }

    /// How many there are.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }
}

/// The zone without region that is farthest from those that have one, or from all; the first of equals.
fn farthest(floor: &Floor, of: &[Option<usize>]) -> Option<usize> {
    let open = (0..of.len()).filter(|&zone| of[zone].is_none());
    let distance = |a: usize, b: usize| match floor.steps(a as u16, b as u16) {
        NO_WAY => 0,
        steps => u64::from(steps),
    };
    let from_all = |zone: usize| (0..of.len()).map(|other| distance(other, zone)).sum::<u64>();
    open.max_by_key(|&zone| (from_all(zone), std::cmp::Reverse(zone)))
}

/// The neighbour of a region that leaves the fewest ways cut when it joins: most ways in, fewest out.
fn border(neighbours: &[Vec<usize>], of: &[Option<usize>], region: usize) -> Option<usize> {
    let cut = |zone: usize| {
        let inside = neighbours[zone].iter().filter(|&&other| of[other] == Some(region)).count();
        (inside > 0).then(|| (neighbours[zone].len() - inside) as i64 - inside as i64)
    };
    let open = (0..of.len()).filter(|&zone| of[zone].is_none());
    open.filter_map(|zone| Some((cut(zone)?, zone))).min().map(|(_, zone)| zone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use labtrust_plugin::testing::{Size, site};

    #[test]
    fn a_row_of_zones_is_cut_into_connected_parts_of_one_size() {
        let floor = Floor::new(&site(1, Size { zones: 12, devices: 3, agents: 2 }));
        for wanted in 1..=6 {
            let regions = Regions::new(&floor, wanted, |_| 1);
            assert_eq!(regions.count(), wanted);
            let of: Vec<usize> = (0..12).map(|zone| regions.of(zone)).collect();
            let cuts = of.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert_eq!(cuts, wanted - 1, "{of:?}");
            for region in 0..wanted {
                let size = of.iter().filter(|&&other| other == region).count();
                assert!(size.abs_diff(12 / wanted) <= 1, "{of:?}");
            }
        }
    }

    #[test]
    fn every_zone_has_a_region_also_where_there_is_no_way() {
        let mut site = site(1, Size { zones: 5, devices: 3, agents: 2 });
        for from in 0..5_u16 {
            for to in 0..5_u16 {
                site.next_hop[usize::from(from * 5 + to)] = from;
            }
        }
        let regions = Regions::new(&Floor::new(&site), 2, |_| 1);
        assert!((0..5).all(|zone| regions.of(zone) < regions.count()));
        assert_eq!(Regions::new(&Floor::new(&labtrust_plugin::wire::Site::default()), 3, |_| 1).count(), 0);
    }
}
