//! The protocols over the network. Every order of messages there is, is gone through in `checker`.

mod cbba;
mod certified;
mod checker;
mod controls;
mod gossip;
mod paxos;
mod speaker;

use super::*;
use crate::network::{Delay, NetworkSettings, Partition};

/// A value to agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub(super) struct Plan(pub(super) u8);

impl Wire for Plan {
    fn wire_bytes(&self) -> u32 {
        1
    }

    fn canonical_len(&self) -> Option<usize> {
        Some(crate::lengths::digits(self.0))
    }
}

/// Loses, doubles, reorders and delays, and splits the agents for a while.
fn rough(drop_rate: f64) -> NetworkSettings {
    let partition = Partition { start_t: 0, end_t: 0, affected_agents: Vec::new(), affected_agent_fraction: Some(0.3) };
    NetworkSettings {
        step_ms: 100,
        drop_rate,
        duplicate_rate: 0.2,
        reorder_window: 5,
        delay: Delay { p50_ms: 20.0, p95_ms: 200.0 },
        partition_schedule: vec![partition],
        ..NetworkSettings::ideal()
    }
}

#[test]
fn an_agent_that_sleeps_neither_speaks_nor_hears() {
    struct Parrot(Vec<AgentId>);
    impl Machine for Parrot {
        type Message = Plan;
        fn on_round(&mut self, _: u32, out: &mut Outbox<Plan>) {
            out.broadcast(Plan(0));
        }
        fn on_message(&mut self, from: AgentId, _: Plan, _: &mut Outbox<Plan>) {
            self.0.push(from);
        }
    }
    let mut network = Network::new(&NetworkSettings::default(), 3, 1).unwrap();
    let mut parrots: Vec<Parrot> = (0..3).map(|_| Parrot(Vec::new())).collect();
    let exchange = Exchange::over_a_step(2, &network);
    exchange.run(&mut parrots, &mut network, |agent, round| agent != AgentId(1) || round == 1);
    let heard: Vec<Vec<u32>> = parrots.iter().map(|parrot| parrot.0.iter().map(|from| from.0).collect()).collect();
    assert_eq!(heard, [vec![2, 1, 2], vec![0, 2], vec![0, 0, 1]]);
    assert_eq!(network.step(), 0, "rounds over a step stay in it");
}
