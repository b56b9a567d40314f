//! Who works where. People of one trade are dealt to its places as cards are, so that every place has somebody and
//! nobody crosses the building for work that a colleague stands beside.

use crate::floor::{Floor, Use};
use labtrust_plugin::wire::{Act, Observation};

/// Somebody whom the method directs.
#[derive(Clone, Copy)]
pub(crate) struct Member {
    pub(crate) agent: u16,
    /// What their role may do, bit by bit.
    may: u32,
    /// Number of the first of their posts in [`Crew::posts`], and how many there are.
    posts: (usize, usize),
}

/// Everybody, those who may do least first: who may do more finds something else to do.
#[derive(Default)]
pub(crate) struct Crew {
    members: Vec<Member>,
    posts: Vec<u16>,
}

impl Crew {
    /// Deals the posts anew if somebody's role has changed since they were dealt.
    pub(crate) fn deal(&mut self, floor: &Floor, seen: &Observation) {
        let may = |agent: u16| seen.agents.may[usize::from(agent)];
        if !self.members.is_empty() && self.members.iter().all(|member| member.may == may(member.agent)) {
            return;
        }
        self.posts.clear();
        let mut members: Vec<Member> =
            floor.agents.iter().map(|&agent| Member { agent, may: may(agent), posts: (0, 0) }).collect();
        // Separation and aliquots need somebody both, so a runner alone has two posts; of halls one is enough.
        let bench: Vec<u16> = [floor.zones_for(Use::Spin), floor.zones_for(Use::Aliquot)].concat();
        let trades = [
            (Act::CreateAccession, Vec::from_iter(floor.reception), true),
            (Act::CentrifugeStart, bench, true),
            (Act::StartRun, floor.zones_for(Use::Measure), false),
        ];
        for (act, zones, all) in trades {
            let of_trade = |member: &&mut Member| member.may >> act.index() & 1 == 1;
            let mut trade: Vec<&mut Member> = members.iter_mut().filter(of_trade).collect();
            let people = trade.len();
            for (number, member) in trade.iter_mut().enumerate().filter(|_| !zones.is_empty()) {
                let begin = self.posts.len();
                match people < zones.len() && all {
                    true => self.posts.extend(zones.iter().skip(number).step_by(people)),
                    false => self.posts.push(zones[number % zones.len()]),
                }
                member.posts = (begin, self.posts.len());
            }
        }
        members.sort_by_key(|member| (member.may.count_ones(), member.agent));
        self.members = members;
    }

    pub(crate) fn members(&self) -> impl Iterator<Item = Member> + use<> {
        self.members.clone().into_iter()
    }

    /// Whether it is for this member to walk to work in a zone: it is their post, or nobody's.
    pub(crate) fn goes_to(&self, member: Member, zone: u16) -> bool {
        self.posts[member.posts.0..member.posts.1].contains(&zone) || !self.is_post(zone)
    }

    /// Whether a zone is somebody's post.
    pub(crate) fn is_post(&self, zone: u16) -> bool {
        self.posts.contains(&zone)
    }

    /// Where a member waits for work: their first post, unless they are at one.
    pub(crate) fn post(&self, member: Member, here: u16) -> Option<u16> {
        let posts = &self.posts[member.posts.0..member.posts.1];
        posts.first().copied().filter(|_| !posts.contains(&here))
    }
}
