//! Proves from outside: real daemons, real files, real networks, driven as a user would.
//! Never reaches into the program; what only the inside can show belongs to the other rooms.

mod bootstrap;
mod clock;
mod cluster;
mod command;
mod cooldown;
mod demo;
mod disk;
mod faults;
mod namespaces;
mod network;
mod node;
mod refusals;
mod watch;
