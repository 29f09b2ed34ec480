//! Holds the repository to its own rules: documents, faults, imports, promises, purity, sizes,
//! words.
//! Never judges behaviour; the other three rooms do.

mod commands;
mod faults;
mod imports;
pub(crate) mod pages;
mod pointers;
mod promises;
mod purity;
mod quotes;
mod samples;
mod shape;
pub(crate) mod shell;
mod source;
mod words;
