//! What a method wants on record beside its decision: who stepped in, who was suspected, which message was turned away.

/// Which part of a method speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceKind {
    /// A safety shield has looked at the plan; [`Evidence::code`] says what it did not let pass, if anything.
    Shield,
    /// A detector suspects somebody, or has contained them.
    Detector,
    /// The message bus has turned a message away.
    Bus,
    /// An agent has decided on an old view; the figure `view_age_ms` says how old [ms].
    Stale,
}

impl EvidenceKind {
    /// Its name in a record.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shield => "shield",
            Self::Detector => "detector",
            Self::Bus => "bus",
            Self::Stale => "stale",
        }
    }
}

/// One thing that a method wants on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which part of it speaks.
    pub kind: EvidenceKind,
    /// Whom it is about, a place in [`Site::agents`](crate::wire::Site::agents).
    pub agent: Option<u16>,
    /// Registered reason code; empty where everything was in order.
    pub code: &'static str,
    /// Figures by name: counts, ages [ms].
    pub figures: Vec<(&'static str, i64)>,
}
