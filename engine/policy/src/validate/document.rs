//! A policy file as a tree that knows the line of everything in it.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_yaml::Spanned;
use std::fmt;

use crate::error::PolicyError;
use crate::parse;
use crate::store::PolicyStore;

/// A line and a column, both counted from 1; 0 when they are not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) content: Content,
}

/// What stands there.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    Null,
    Text(String),
    Number(f64),
    Other,
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// One file of a policy, read.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    /// Path relative to the policy directory.
    pub(crate) path: String,
    /// The path without the directory of an overlay: what kind of file it is.
    pub(crate) kind: String,
    pub(crate) value: Value,
    pub(crate) root: Node,
}

impl Document {
    /// Reads `text` by the rules of all policy files, and again for the places.
    ///
    /// # Errors
    /// [`PolicyError::Parse`], [`PolicyError::Reference`].
    pub(crate) fn read(store: &PolicyStore, path: &str, text: &str) -> Result<Self, PolicyError> {
        crate::references::check(store, path, text)?;
        let value: Value = parse::typed(store, path, text, None)?;
        // JSON is YAML as well, and only the YAML reader tells places.
        let root = serde_yaml::from_str_with_options::<Node>(text, parse::options())
            .unwrap_or(Node { place: Place::default(), content: Content::Null });
        Ok(Self { path: path.to_owned(), kind: kind(path).to_owned(), value, root })
    }

    /// The nodes that `pattern` names: keys with dots between them, `[]` for every entry of a list, `*` for every value of
    /// a mapping, `@` for every key of a mapping. What is not there names nothing.
    pub(crate) fn find(&self, pattern: &str) -> Vec<&Node> {
        let mut found = vec![&self.root];
        for step in pattern.split('.') {
            let (key, lists) = step.strip_suffix("[]").map_or((step, false), |key| (key, true));
            found = found.into_iter().flat_map(|node| node.inside(key)).collect();
            if lists {
                found = found.into_iter().flat_map(Node::entries).collect();
            }
        }
        found
    }

    /// The place of a JSON pointer; of the nearest thing around it where it names nothing.
    pub(crate) fn place_of(&self, pointer: &str) -> Place {
        let mut place = self.root.place;
        let mut node = &self.root;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            match &node.content {
                Content::Map(pairs) => {
                    let Some((key, value)) = pairs.iter().find(|(key, _)| key.text() == Some(&step)) else { break };
                    (place, node) = (key.place, value);
                }
                Content::List(items) => {
                    let Some(item) = step.parse().ok().and_then(|at: usize| items.get(at)) else { break };
                    (place, node) = (item.place, item);
                }
                _ => break,
            }
        }
        place
    }
}

/// `partners/x/critical/y.yaml` is of the kind `critical/y.yaml`.
fn kind(path: &str) -> &str {
    let inside = path.strip_prefix("partners/").or_else(|| path.strip_prefix("domains/"));
    inside.and_then(|rest| rest.split_once('/')).map_or(path, |(_, kind)| kind)
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self.content {
            Content::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Self> {
        match &self.content {
            Content::List(items) => items.iter(),
            _ => [].iter(),
        }
    }

    /// Keys and values of a mapping.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = &(Self, Self)> {
        match &self.content {
            Content::Map(pairs) => pairs.iter(),
            _ => [].iter(),
        }
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.pairs().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value)
    }

    fn inside(&self, key: &str) -> Vec<&Self> {
        match key {
            "*" => self.pairs().map(|(_, value)| value).collect(),
            "@" => self.pairs().map(|(key, _)| key).collect(),
            key => self.get(key).into_iter().collect(),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let found = Spanned::<Content>::deserialize(reader)?;
        let size = |count: u64| usize::try_from(count).unwrap_or(0);
        let place = Place { line: size(found.referenced.line()), column: size(found.referenced.column()) };
        Ok(Self { place, content: found.value })
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any content")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut pairs = Vec::new();
        while let Some(key) = map.next_key::<Node>()? {
            pairs.push((key, map.next_value::<Node>()?));
        }
        Ok(Content::Map(pairs))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<Node>()? {
            items.push(item);
        }
        Ok(Content::List(items))
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Content, E> {
        Ok(Content::Other)
    }
    #[expect(clippy::cast_precision_loss, reason = "only small counts are compared")]
    fn visit_i64<E>(self, number: i64) -> Result<Content, E> {
        Ok(Content::Number(number as f64))
    }
    #[expect(clippy::cast_precision_loss, reason = "only small counts are compared")]
    fn visit_u64<E>(self, number: u64) -> Result<Content, E> {
        Ok(Content::Number(number as f64))
    }
    fn visit_f64<E>(self, number: f64) -> Result<Content, E> {
        Ok(Content::Number(number))
    }
    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }
    fn visit_none<E>(self) -> Result<Content, E> {
        Ok(Content::Null)
    }
}
