//! What was done, what failed and what was not tried. A step that fails leaves the others alone.

use crate::PackError;
use labtrust_bench::isolation::guarded;
use serde_json::{Value, json};

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was done.
    Done,
    /// It came to an error, or what came out is not good enough.
    Failed,
    /// It was not tried, because a step failed that it needs.
    NotTried,
}

impl Status {
    /// Its name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::NotTried => "not_tried",
        }
    }
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name.
    pub name: &'static str,
    /// How it ended.
    pub status: Status,
    /// Why it was not done.
    pub error: Option<String>,
}

impl Step {
    /// It as in manifests.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "name": self.name, "status": self.status.name(), "error": self.error })
    }
}

/// The steps so far, in order, and who is told of them.
pub struct Steps<'a> {
    all: Vec<Step>,
    told: &'a (dyn Fn(&Step) + Sync),
}

impl<'a> Steps<'a> {
    /// No step yet; `told` is called after each.
    pub fn new(told: &'a (dyn Fn(&Step) + Sync)) -> Self {
        Self::after(Vec::new(), told)
    }

    /// The steps that were done already, before others.
    pub fn after(all: Vec<Step>, told: &'a (dyn Fn(&Step) + Sync)) -> Self {
        Self { all, told }
    }

    /// Does a step, unless one of `needs` was not done. What it came to, if it was done.
    pub fn run<T>(
        &mut self,
        name: &'static str,
        needs: &[&str],
        work: impl FnOnce() -> Result<T, PackError>,
    ) -> Option<T> {
        let missing = needs.iter().find(|need| !self.is_done(need));
        let (status, came) = match missing {
            Some(need) => (Status::NotTried, Err(format!("it needs the step {need}"))),
            None => match guarded(work) {
                Ok(value) => (Status::Done, Ok(value)),
                Err(why) => (Status::Failed, Err(why)),
            },
        };
        let step = Step { name, status, error: came.as_ref().err().cloned() };
        (self.told)(&step);
        self.all.push(step);
        came.ok()
    }

    fn is_done(&self, name: &str) -> bool {
        self.all.iter().any(|step| step.name == name && step.status == Status::Done)
    }

    /// All of them, in order.
    #[must_use]
    pub fn all(&self) -> &[Step] {
        &self.all
    }

    /// All of them as in manifests.
    #[must_use]
    pub fn json(&self) -> Value {
        self.all.iter().map(Step::json).collect()
    }
}

/// Nothing, where every step was done.
///
/// # Errors
/// [`PackError::StepsFailed`] naming the others.
pub fn require(steps: &[Step]) -> Result<(), PackError> {
    let open = steps.iter().filter(|step| step.status != Status::Done);
    let failed: Vec<_> = open.map(|step| (step.name.to_owned(), step.error.clone().unwrap_or_default())).collect();
    if failed.is_empty() { Ok(()) } else { Err(PackError::StepsFailed { failed, all: steps.len() }) }
}
