//! What the command line promises: how it is read, how answers read, what it exits with.

mod args;
mod budget;
mod changes;
mod columns;
mod commands;
mod difference;
mod doctor;
mod merge;
mod fence;
mod history;
mod plan;
mod render;
mod reports;
mod screens;
mod trust;
