//! Controls that are neither the laboratory's nor a method's: what a run does about orders and readings that are missing.

/// A control of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunControl {
    /// Who gets no order for a while, or hears nothing of what was said to them, does what their own rules say.
    Fallback,
    /// Where sensors are silent, who stands there says what there is; where nobody stands, the last readings count.
    SensorHold,
    /// Of one agent so many events a step are taken in, and no more.
    IntakeQuota,
}

impl RunControl {
    /// All, in order.
    pub const ALL: [Self; 3] = [Self::Fallback, Self::SensorHold, Self::IntakeQuota];

    /// Its id, as `--ablate` names it.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Fallback => "fallback",
            Self::SensorHold => "sensor_hold",
            Self::IntakeQuota => "intake_quota",
        }
    }

    /// What it does, in a sentence.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Fallback => {
                "Who gets no order for a while, or hears nothing of what was said to them, does what their own rules say."
            }
            Self::SensorHold => {
                "Where sensors are silent, who stands there says what there is; where nobody stands, the last readings count."
            }
            Self::IntakeQuota => "Of one agent so many events a step are taken in, and no more.",
        }
    }
}

/// Which of them a run has: all, unless somebody says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunControls(u8);

impl Default for RunControls {
    fn default() -> Self {
        Self(u8::MAX)
    }
}

impl RunControls {
    /// All but those that are named; other names are of other controls.
    #[must_use]
    pub fn but(names: &[String]) -> Self {
        let named = |control: &RunControl| names.iter().any(|name| name == control.id());
        RunControl::ALL.into_iter().filter(named).fold(Self::default(), Self::without)
    }

    /// The same without one.
    #[must_use]
    pub const fn without(self, control: RunControl) -> Self {
        Self(self.0 & !(1 << control as u8))
    }

    /// Whether it is there.
    #[must_use]
    pub const fn has(self, control: RunControl) -> bool {
        self.0 & (1 << control as u8) != 0
    }
}
