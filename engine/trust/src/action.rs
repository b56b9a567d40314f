//! Actions by number: a domain lists its actions once, and every gate works on dense tables and bitsets.

use rustc_hash::FxHashMap;

/// Most actions of one domain: [`ActionSet`] is one machine word pair.
pub const MAX_ACTIONS: usize = 128;

/// An action's place in its domain's [`ActionTable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionId(pub u16);

impl ActionId {
    /// Position in tables indexed by action.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What the gates need to know of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActionSpec {
    /// Name in events and policies, compared exactly.
    pub name: &'static str,
    /// Whether it changes the world; such actions need a signature in strict mode.
    pub mutating: bool,
    /// Whether it changes the rules of the run (roster, injections): always signed, only by the control role.
    pub runtime_control: bool,
}

/// All actions of a domain.
#[derive(Clone, Debug)]
pub struct ActionTable {
    specs: &'static [ActionSpec],
    by_name: FxHashMap<&'static str, ActionId>,
}

impl ActionTable {
    /// The table over `specs`; an action's id is its position.
    ///
    /// # Panics
    /// When two actions have one name or there are more than [`MAX_ACTIONS`]: the list is part of the program.
    #[must_use]
    pub fn new(specs: &'static [ActionSpec]) -> Self {
        assert!(specs.len() <= MAX_ACTIONS, "a domain has at most {MAX_ACTIONS} actions");
        let mut by_name = FxHashMap::default();
        for (id, spec) in (0..).zip(specs) {
            let earlier = by_name.insert(spec.name, ActionId(id));
            assert!(earlier.is_none(), "action {} is listed once", spec.name);
        }
        Self { specs, by_name }
    }

    /// The action called `name`.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<ActionId> {
        self.by_name.get(name).copied()
    }

    /// Name of an action of this table.
    ///
    /// # Panics
    /// When `action` is of another table.
    #[must_use]
    pub fn name(&self, action: ActionId) -> &'static str {
        self.spec(action).name
    }

    /// What the gates need to know of an action of this table.
    ///
    /// # Panics
    /// When `action` is of another table.
    #[must_use]
    pub fn spec(&self, action: ActionId) -> &'static ActionSpec {
        &self.specs[action.index()]
    }

    /// How many actions there are [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.specs.len()
    }

    /// Whether there are no actions.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.specs.is_empty()
    }

    /// All actions in order.
    pub fn ids(&self) -> impl Iterator<Item = ActionId> + use<> {
        (0..u16::try_from(self.specs.len()).expect("checked when the table was made")).map(ActionId)
    }

    /// All names in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.specs.iter().map(|spec| spec.name)
    }
}

/// A set of actions of one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ActionSet(u128);

impl ActionSet {
    /// No action.
    pub const EMPTY: Self = Self(0);
    /// Every action.
    pub const ALL: Self = Self(u128::MAX);

    /// Whether `action` is in the set.
    #[must_use]
    #[inline]
    pub const fn contains(self, action: ActionId) -> bool {
        self.0 >> (action.0 % 128) & 1 == 1
    }

    /// Puts `action` in.
    pub fn insert(&mut self, action: ActionId) {
        self.0 |= 1 << (action.0 % 128);
    }

    /// Takes `action` out.
    pub fn remove(&mut self, action: ActionId) {
        self.0 &= !(1 << (action.0 % 128));
    }

    /// What is in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// How many actions are in the set [count].
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether no action is in the set.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<ActionId> for ActionSet {
    fn from_iter<I: IntoIterator<Item = ActionId>>(actions: I) -> Self {
        let mut set = Self::EMPTY;
        for action in actions {
            set.insert(action);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[ActionSpec] = &[
        ActionSpec { name: "TICK", mutating: true, runtime_control: false },
        ActionSpec { name: "UPDATE_ROSTER", mutating: true, runtime_control: true },
    ];

    #[test]
    fn an_action_is_found_by_its_exact_name() {
        let table = ActionTable::new(SPECS);
        let roster = table.id("UPDATE_ROSTER").unwrap();
        assert_eq!(table.name(roster), "UPDATE_ROSTER");
        assert!(table.spec(roster).runtime_control);
        assert_eq!(table.id("tick"), None);
        assert_eq!(table.id(" TICK"), None);
        assert_eq!(table.ids().map(|id| table.name(id)).collect::<Vec<_>>(), ["TICK", "UPDATE_ROSTER"]);
    }

    #[test]
    fn a_set_holds_the_first_and_the_last_possible_action() {
        let mut set: ActionSet = [ActionId(0), ActionId(127)].into_iter().collect();
        assert!(set.contains(ActionId(0)) && set.contains(ActionId(127)) && !set.contains(ActionId(64)));
        set.remove(ActionId(127));
        assert_eq!((set.len(), set.intersection(ActionSet::ALL)), (1, set));
    }
}
