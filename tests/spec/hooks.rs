//! What a hook is told, and which programs are never started as one.

mod capture;
mod conductor;
mod occasion;
mod outcome;
mod sound;
mod theatre;
mod warrant;
