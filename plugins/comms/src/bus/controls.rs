//! The controls of a bus, each of which can be taken away: what a control is worth is seen without it.

/// One thing that is checked of what is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// The signature is the sender's, and the payload is what its hash says. Without it the sender is whoever the envelope names.
    Signature,
    /// Nothing is heard twice: numbers are remembered.
    Replay,
    /// It was said in this step, or as late as may be.
    Epoch,
    /// It was said to whom it reached.
    Recipient,
    /// Of one sender and step nothing is heard that was said before what was heard last.
    Order,
    /// Bids can be true.
    Bids,
    /// Of one sender so many messages a step and no more.
    Quota,
}

impl Control {
    /// All of them, by place.
    pub const ALL: [Self; 7] =
        [Self::Signature, Self::Replay, Self::Epoch, Self::Recipient, Self::Order, Self::Bids, Self::Quota];

    /// Its name in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Replay => "replay",
            Self::Epoch => "epoch",
            Self::Recipient => "recipient",
            Self::Order => "order",
            Self::Bids => "bids",
            Self::Quota => "quota",
        }
    }

    /// The control of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|control| control.name() == name)
    }
}

/// Which controls stand: a bit for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Controls(u8);

impl Controls {
    /// All of them.
    pub const ALL: Self = Self(0x7F);

    /// What a bus by itself checks. Messages of one sender may come in any order there: nobody has promised another.
    #[must_use]
    pub const fn for_a_bus() -> Self {
        Self::ALL.without(Control::Order)
    }

    /// The same without one.
    #[must_use]
    pub const fn without(self, control: Control) -> Self {
        Self(self.0 & !(1 << control as u8))
    }

    /// Whether a control stands.
    #[must_use]
    pub const fn has(self, control: Control) -> bool {
        self.0 & (1 << control as u8) != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_one_the_others_stand() {
        for gone in Control::ALL {
            let left = Controls::ALL.without(gone);
            let standing: Vec<Control> = Control::ALL.into_iter().filter(|control| left.has(*control)).collect();
            assert!(standing.len() == 6 && !standing.contains(&gone), "{gone:?}");
            assert_eq!(Control::named(gone.name()), Some(gone));
        }
        assert_eq!(Control::named("signatures"), None);
    }
}
