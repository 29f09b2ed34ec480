//! One value for each of some nodes, in the order of their names.
//! Never knows what the values mean.

use alloc::vec::Vec;

use crate::protocol::units::NodeId;

/// Values by node: a list in order, which is quicker than a map for a few nodes and no slower for
/// many.
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
        self.place(id).ok().map(|at| &self.0[at].1)
    }

    /// The same, to change it.
    pub(crate) fn get_mut(&mut self, id: &NodeId) -> Option<&mut T> {
        self.place(id).ok().map(|at| &mut self.0[at].1)
    }

    /// The value of `id`, which is `first` if it has none yet.
    pub(crate) fn get_or_insert_with(&mut self, id: &NodeId, first: impl FnOnce() -> T) -> &mut T {
        let at = self.place(id).unwrap_or_else(|at| {
            self.0.insert(at, (id.clone(), first()));
            at
        });
        &mut self.0[at].1
    }

    /// Where the value of `id` is, or would be.
    fn place(&self, id: &NodeId) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.cmp(id))
    }

    /// All of them, ordered by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&NodeId, &T)> {
        self.0.iter().map(|(id, value)| (id, value))
    }
}
