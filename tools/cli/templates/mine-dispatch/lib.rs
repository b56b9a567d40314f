//! A dispatch policy of a mine: it says where a truck goes that stands empty.
#![deny(unsafe_code)]

use labtrust_plugin::prelude::*;

params! {
    /// Parameters, as written in a study file.
    pub struct Params {
        /// Waits up to this count as none [s].
        slack_s: u32 = 30, 0..=3600;
    }
}

/// Sends the truck where it is expected to stand least.
pub struct FirstMethod {
    slack_ns: u64,
}

impl Dispatch for FirstMethod {
    const ID: &'static str = "org.example.first_method";
    const SUMMARY: &'static str = "the loader at which the truck is expected to wait least";
    type Params = Params;

    /// The start of a replication. A policy remembers nothing of earlier ones.
    fn new(params: Params, _site: &MineSite) -> Result<Self, Problem> {
        Ok(Self { slack_ns: u64::from(params.slack_s) * 1_000_000_000 })
    }

    /// One of the loaders that the truck can reach; there is at least one. Of equal waits the shorter cycle wins.
    fn choose(&mut self, seen: &DispatchRequest) -> Result<LoaderId, Problem> {
        let wait_ns = |option: &LoaderOption| option.backlog_ns().saturating_sub(option.travel_ns);
        Ok(seen.least(|option| wait_ns(option).saturating_sub(self.slack_ns)))
    }
}

export_wasm!(FirstMethod);

#[cfg(test)]
mod tests {
    use super::FirstMethod;
    use labtrust_plugin::testing::check;

    #[test]
    fn it_chooses_the_same_twice_and_survives_whatever_it_sees() {
        let tried = check::mine_dispatch::<FirstMethod>();
        assert!(tried.decisions > 0, "it was never asked");
    }
}
