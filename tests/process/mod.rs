//! Proves from outside: real daemons, real files, real networks, driven as a user would.
//! Never reaches into the program; what only the inside can show belongs to the other rooms.

mod bootstrap;
mod checker;
mod clock;
mod clocks;
mod cluster;
mod command;
mod cooldown;
mod demo;
mod disk;
mod faults;
mod fence;
mod health;
mod hooks_tried;
mod history;
mod latency;
mod led;
mod mounts;
mod hostile;
mod namespaces;
mod network;
mod node;
mod orders;
mod overlap;
mod partitions;
mod recipes;
mod refusals;
mod relay;
mod run_stage;
mod runs;
mod runs_backup;
mod runs_broken;
mod runs_many;
mod stalls;
mod storage;
mod watch;
