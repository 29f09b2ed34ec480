//! Holds the repository to its own rules: faults, imports, promises, purity, sizes, words.
//! Never judges behaviour; the other three rooms do.

mod faults;
mod imports;
mod promises;
mod purity;
mod readme;
mod shape;
mod source;
mod words;
