//! What a hook is told, and which programs are never started as one.

mod occasion;
mod sound;
