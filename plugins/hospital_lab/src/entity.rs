//! Entities as they are written: by their place in the entity world, which is a small number. Of their generation nothing
//! is written; what is packed up is a world in which nothing was ever taken out ([`crate::lab`]).

use bevy_ecs::entity::Entity;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) fn serialize<S: Serializer>(entity: &Entity, to: S) -> Result<S::Ok, S::Error> {
    entity.index_u32().serialize(to)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Entity, D::Error> {
    u32::deserialize(from).and_then(of)
}

fn of<E: Error>(place: u32) -> Result<Entity, E> {
    Entity::from_raw_u32(place).ok_or_else(|| E::custom("a place that no entity can have"))
}

/// Lists of them.
pub(crate) mod list {
    use super::{Deserialize, Deserializer, Entity, Serializer};

    pub(crate) fn serialize<C: AsRef<[Entity]>, S: Serializer>(list: &C, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(list.as_ref().iter().map(|entity| entity.index_u32()))
    }

    pub(crate) fn deserialize<'de, C: FromIterator<Entity>, D: Deserializer<'de>>(from: D) -> Result<C, D::Error> {
        Vec::<u32>::deserialize(from)?.into_iter().map(super::of).collect()
    }
}

/// Tables of them.
pub(crate) mod map {
    use super::{Deserialize, Deserializer, Entity, Serializer};
    use labtrust_kernel::{Symbol, SymbolMap};

    pub(crate) fn serialize<S: Serializer>(map: &SymbolMap<Entity>, to: S) -> Result<S::Ok, S::Error> {
        let members: Vec<(Symbol, u32)> = map.iter().map(|(symbol, entity)| (symbol, entity.index_u32())).collect();
        to.collect_seq(members)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<SymbolMap<Entity>, D::Error> {
        let mut map = SymbolMap::default();
        for (symbol, place) in Vec::<(Symbol, u32)>::deserialize(from)? {
            map.insert(symbol, super::of(place)?);
        }
        Ok(map)
    }
}
