//! Work on a whole population at once: systems over queries, run as one batch.
//!
//! A step that every agent takes at the same moment is one event that runs a [`Batch`], not an event for each agent:
//! on small steps that is ten times cheaper and more. A batch has one order: its systems run one after another on the
//! calling thread, and two of them that touch the same data must say which goes first, or the batch is not built.

use bevy_ecs::schedule::{
    IntoScheduleConfigs, LogLevel, Schedule, ScheduleBuildSettings, ScheduleLabel, SingleThreadedExecutor,
};
use bevy_ecs::system::ScheduleSystem;
use bevy_ecs::world::World;

/// Tells one batch from another in messages.
#[derive(Clone, Debug, PartialEq, Eq, Hash, ScheduleLabel)]
struct Name(&'static str);

/// Systems that run together, in one order.
///
/// ```
/// use bevy_ecs::prelude::*;
/// use labtrust_kernel::Batch;
///
/// #[derive(Component)]
/// struct Age(u32);
///
/// fn grow(mut ages: Query<&mut Age>) {
///     ages.iter_mut().for_each(|mut age| age.0 += 1);
/// }
/// fn retire(ages: Query<(Entity, &Age)>, mut commands: Commands) {
///     ages.iter().filter(|(_, age)| age.0 > 40).for_each(|(entity, _)| commands.entity(entity).despawn());
/// }
///
/// let mut world = World::new();
/// world.spawn_batch([Age(30), Age(40)]);
/// let mut year = Batch::builder("year").with((grow, retire).chain()).build(&mut world)?;
/// year.run(&mut world);
/// assert_eq!(world.query::<&Age>().iter(&world).len(), 1);
/// # Ok::<(), labtrust_kernel::BatchError>(())
/// ```
pub struct Batch {
    schedule: Schedule,
}

/// A [`Batch`] that is being put together.
pub struct BatchBuilder {
    name: &'static str,
    schedule: Schedule,
}

/// The systems of a batch do not have one order.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the batch {name:?} has no single order: {problem}")]
pub struct BatchError {
    /// The batch's name.
    pub name: &'static str,
    /// Which systems, and what they share; by name where `bevy_ecs` is built with its `debug` feature.
    pub problem: String,
}

impl Batch {
    /// Begins a batch; `name` is for messages.
    #[must_use]
    pub fn builder(name: &'static str) -> BatchBuilder {
        let mut schedule = Schedule::new(Name(name));
        schedule.set_executor(SingleThreadedExecutor::new()).set_build_settings(ScheduleBuildSettings {
            ambiguity_detection: LogLevel::Error,
            hierarchy_detection: LogLevel::Error,
            ..ScheduleBuildSettings::default()
        });
        BatchBuilder { name, schedule }
    }

    /// Runs every system once, then what they deferred.
    pub fn run(&mut self, world: &mut World) {
        self.schedule.run(world);
    }

    /// Systems in the batch [count].
    #[must_use]
    pub fn len(&self) -> usize {
        self.schedule.systems_len()
    }

    /// Whether there is nothing to run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl BatchBuilder {
    /// Adds systems; `(a, b).chain()` and `a.before(b)` say which goes first.
    #[must_use]
    pub fn with<M>(mut self, systems: impl IntoScheduleConfigs<ScheduleSystem, M>) -> Self {
        self.schedule.add_systems(systems);
        self
    }

    /// Puts the systems into their order, for `world` and no other.
    ///
    /// # Errors
    /// [`BatchError`] when two systems touch the same data and neither is said to go first, or when what is said is
    /// a circle.
    pub fn build(mut self, world: &mut World) -> Result<Batch, BatchError> {
        match self.schedule.initialize(world) {
            Ok(_) => Ok(Batch { schedule: self.schedule }),
            Err(error) => {
                let problem = error.to_string(self.schedule.graph(), world);
                Err(BatchError { name: self.name, problem })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy_ecs::prelude::*;

    #[derive(Component, Clone, Copy, Debug, PartialEq)]
    struct Level(u64);

    fn double(mut levels: Query<&mut Level>) {
        levels.iter_mut().for_each(|mut level| level.0 *= 2);
    }

    fn increase(mut levels: Query<&mut Level>) {
        levels.iter_mut().for_each(|mut level| level.0 += 1);
    }

    fn look(_levels: Query<&Level>) {}

    fn look_again(_levels: Query<&Level>) {}

    fn level_after(mut batch: Batch, mut world: World) -> u64 {
        let entity = world.spawn(Level(5)).id();
        batch.run(&mut world);
        world.get::<Level>(entity).unwrap().0
    }

    #[test]
    fn systems_run_in_the_order_that_is_said() {
        let mut world = World::new();
        let batch = Batch::builder("a").with((double, increase).chain()).build(&mut world).unwrap();
        assert_eq!(batch.len(), 2);
        assert_eq!(level_after(batch, world), 11);
        let mut world = World::new();
        let batch = Batch::builder("b").with((double.after(increase), increase)).build(&mut world).unwrap();
        assert_eq!(level_after(batch, world), 12);
    }

    #[test]
    fn two_writers_without_an_order_are_refused() {
        let refused = Batch::builder("levels").with((double, increase)).build(&mut World::new()).err().unwrap();
        assert_eq!(refused.name, "levels");
        assert!(refused.problem.contains("conflict"), "{refused}");
    }

    #[test]
    fn a_reader_and_a_writer_without_an_order_are_refused() {
        assert!(Batch::builder("levels").with((double, look)).build(&mut World::new()).is_err());
    }

    #[test]
    fn an_order_in_a_circle_is_refused() {
        let circle = (double.after(increase), increase.after(double));
        assert!(Batch::builder("levels").with(circle).build(&mut World::new()).is_err());
    }

    #[test]
    fn readers_need_no_order() {
        let mut world = World::new();
        let batch = Batch::builder("readers").with((look, look_again)).build(&mut world).unwrap();
        assert_eq!(level_after(batch, world), 5);
    }
}
