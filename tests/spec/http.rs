//! Who may ask over HTTP by which name, and what is answered to yes-or-no questions.
//! Never opens a socket; the process room does.

mod hosts;
mod verdicts;
