//! One value for each of a few nodes, in the order of their names.
//! Never knows what the values mean, and never many: looking through all of them is the quick way.

use alloc::vec::Vec;

use crate::protocol::units::NodeId;

/// Values by node: a map for so few nodes that a list is quicker.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Roll<T>(Vec<(NodeId, T)>);

impl<T> Default for Roll<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Roll<T> {
    /// The value of `id`.
    pub(crate) fn get(&self, id: &NodeId) -> Option<&T> {
        self.0.iter().find(|(known, _)| known == id).map(|(_, value)| value)
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, id: &NodeId) -> Option<&mut T> {
        self.0.iter_mut().find(|(known, _)| known == id).map(|(_, value)| value)
    }

    /// The value of `id`, which is `first` if it has none yet.
    pub(crate) fn get_or_insert_with(&mut self, id: &NodeId, first: impl FnOnce() -> T) -> &mut T {
        let at = self.0.partition_point(|(known, _)| known < id);
        if self.0.get(at).is_none_or(|(known, _)| known != id) {
            self.0.insert(at, (id.clone(), first()));
        }
        &mut self.0[at].1
    }

    /// All of them, ordered by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&NodeId, &T)> {
        self.0.iter().map(|(id, value)| (id, value))
    }
}
