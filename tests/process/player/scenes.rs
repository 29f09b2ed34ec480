//! contrib/doc/disaster.md, run literally: its blocks are taken out of the page and given to a
//! shell on the machine that the page names, and its hidden lines say what happens to whom.
//! Never a command that is not on the page, but for what has no place in a container: the service
//! manager and the copying between machines, which are played here.

use std::fs;
use std::path::PathBuf;

use rustix::process::Signal;

use super::cluster::{Cluster, loopback_addresses};
use super::command::{QUORATE, must, run};
use super::looks::eventually;
use super::mending::{comes_back, told};
use super::node::Node;

const PAGE: &str = include_str!("../../contrib/doc/disaster.md");
const TIMING: &str = "{heartbeat: 100ms, dead_after: 1s, stop: 100ms}";

/// What the page tells to do, or what happens meanwhile.
enum Step<'a> {
    /// A block, on that machine.
    Run(&'a str, Vec<&'a str>),
    /// A hidden line.
    Lab(Vec<&'a str>),
}

fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut machine = "";
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        // The last name in a paragraph is that of the machine for the block after it.
        if let Some((_, rest)) = line.rsplit_once("On `") {
            machine = rest.split('`').next().unwrap();
        }
        if let Some(lab) = line.strip_prefix("<!-- lab: ") {
            steps.push(Step::Lab(lab.trim_end_matches(" -->").split(' ').collect()));
        } else if line == "```sh" {
            let block = lines.by_ref().take_while(|line| *line != "```").collect();
            steps.push(Step::Run(machine, block));
        }
    }
    steps
}

/// The machines of one story of the page.
struct Lab {
    cluster: Cluster,
    running: Vec<String>,
}

impl Lab {
    fn of(count: usize) -> Self {
        let cluster = Cluster::timed(count, TIMING);
        // The programs that a machine has and a container has not.
        let bin = cluster.place().join("bin");
        fs::create_dir(&bin).unwrap();
        std::os::unix::fs::symlink(QUORATE, bin.join("quorate")).unwrap();
        let mut lab = Self { cluster, running: Vec::new() };
        let names: Vec<String> = lab.cluster.nodes.iter().map(|node| node.name.clone()).collect();
        names.iter().for_each(|name| lab.start(name));
        lab.has_master();
        lab
    }

    /// Where a machine keeps its things; the copy of one has another home under the same name.
    fn home(&self, machine: &str) -> PathBuf {
        self.cluster.place().join(machine)
    }

    fn node(&mut self, machine: &str) -> &mut Node {
        let home = self.home(machine);
        self.cluster.nodes.iter_mut().find(|node| node.home == home).expect("the page names it")
    }

    fn start(&mut self, machine: &str) {
        self.node(machine).start();
        self.running.push(machine.to_owned());
    }

    fn stop(&mut self, machine: &str, signal: Signal) {
        // Whoever has nobody to hand over to, or nothing to say, ends all the same.
        let is_running = self.running.iter().any(|name| name == machine);
        assert!(is_running, "{machine} does not run");
        self.node(machine).end(signal);
        self.running.retain(|name| name != machine);
    }

    /// One line of a block.
    fn line(&mut self, machine: &str, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["systemctl", "start", "quorate"] => self.start(machine),
            ["systemctl", "stop", "quorate"] => self.stop(machine, Signal::TERM),
            ["scp", file, to] => {
                let to = self.home(to.trim_end_matches(':')).join(file);
                fs::copy(self.home(machine).join(file), to).unwrap();
            }
            _ => {
                let home = self.home(machine);
                let path = format!("PATH={}:/usr/bin:/bin", self.home("bin").display());
                let places = [("CONFIG", "node.yaml"), ("DIR", "state"), ("SOCKET", "sock")];
                let [config, state, socket] = places
                    .map(|(name, file)| format!("QUORATE_{name}={}", home.join(file).display()));
                let script = format!("cd {} && {line}", home.display());
                let words = ["env", &path, &config, &state, &socket, "sh", "-c", &script];
                let outcome = run(&[], words);
                let said = format!("{}{}", outcome.stdout, outcome.stderr);
                assert_eq!(outcome.code, 0, "on {machine}: {line}\n{said}");
            }
        }
    }

    /// What happens, or has to be so.
    fn lab(&mut self, words: &[&str]) {
        match words {
            ["wipe", name] => self.wipe(name),
            ["lose", names @ ..] => names.iter().for_each(|name| self.wipe(name)),
            ["stop", names @ ..] => {
                names.iter().for_each(|name| self.stop(name, Signal::KILL));
            }
            ["start", names @ ..] => names.iter().for_each(|name| self.start(name)),
            ["damage", name] => {
                self.stop(name, Signal::KILL);
                let file = self.node(name).state().join("state");
                let mut bytes = fs::read(&file).unwrap();
                bytes[100] ^= 1;
                fs::write(&file, bytes).unwrap();
                self.node(name).fail_to_start().refused(65, &["checksum", "init --renew"]);
            }
            ["rollback", name] => self.roll_back(name),
            ["clone", name] => self.clone(name),
            ["backup", name] => {
                self.line(name, "quorate backup shop.backup");
            }
            ["rejoin", name] => self.rejoin(name),
            ["voters", names @ ..] => self.has_voters(names),
            ["told", name, words @ ..] => {
                let words = words.join(" ");
                eventually("it is told", || {
                    let report = told(self.node(name))?;
                    report.doubts.iter().any(|doubt| doubt.contains("made by force")).then_some(())
                });
                let events = self.node(name).ask(&["events"]).printed();
                assert!(events.contains(&words), "{events}");
            }
            ["unforced", name] => {
                let report = told(self.node(name)).unwrap();
                assert_eq!((report.forced, report.generation), (None, 2));
            }
            _ => panic!("the page has an unknown hidden line: {words:?}"),
        }
    }

    fn wipe(&mut self, name: &str) {
        self.stop(name, Signal::KILL);
        fs::remove_dir_all(self.node(name).state()).unwrap();
    }

    fn roll_back(&mut self, name: &str) {
        let file = self.node(name).state().join("state");
        let snapshot = self.home(name).join("snapshot");
        fs::copy(&file, &snapshot).unwrap();
        // Each start is a write that the others hear of; so will that be from the snapshot.
        for _ in 0..2 {
            self.stop(name, Signal::TERM);
            self.start(name);
            self.has_master();
        }
        let others: Vec<String> = self.running.iter().filter(|n| *n != name).cloned().collect();
        eventually("the others have heard it", || {
            // What they say of it may be of the time before its last start until its promises of
            // that time are over.
            told(self.node(name)).filter(|report| report.quiet_left_ms.is_none())?;
            let hears = |other: &String| {
                let report = told(self.cluster.nodes.iter().find(|n| n.name == *other)?)?;
                let peer = report.peers.into_iter().find(|peer| peer.id == name)?;
                // It was heard since its last start if it may vote: that takes a while.
                (peer.vote_ready == Some(true)).then_some(())
            };
            others.iter().all(|other| hears(other).is_some()).then_some(())
        });
        self.stop(name, Signal::KILL);
        must(&[], &format!("mv {} {}", snapshot.display(), file.display()));
        self.start(name);
        eventually("it knows that it was rolled back", || {
            let report = told(self.node(name))?;
            report.doubts.iter().any(|doubt| doubt.contains("was rolled back")).then_some(())
        });
    }

    /// A copy that runs beside what it was copied from.
    fn clone(&mut self, name: &str) {
        let copy = self.home("copy");
        let home = self.home(name);
        must(&[], &format!("cp -a {} {}", home.display(), copy.display()));
        let address = loopback_addresses(1).remove(0);
        let settings = format!("id: {name}\nlisten: \"{address}\"\nmay_move: true\n");
        fs::write(copy.join("node.yaml"), settings).unwrap();
        self.cluster.nodes.push(Node::new(name, &address, &copy, &[]));
        self.start("copy");
        let other = self.running.iter().find(|n| *n != name && *n != "copy").unwrap().clone();
        eventually("the others name both", || {
            let report = told(self.node(&other))?;
            report.doubts.iter().any(|doubt| doubt.contains("two processes")).then_some(())
        });
    }

    /// The rest of the way back, which the page shows once: see its first section.
    fn rejoin(&mut self, name: &str) {
        let line = fs::read_to_string(self.home(name).join(format!("{name}.line"))).unwrap();
        comes_back(&mut self.cluster, "alpha", name, &line);
        self.running.push(name.to_owned());
    }

    /// Exactly these vote, all are heard, and there is a master.
    fn has_voters(&mut self, names: &[&str]) {
        self.has_master();
        let need = names.len() / 2 + 1;
        for name in names {
            eventually(&format!("{name} hears all voters, {need} are needed"), || {
                let report = told(self.node(name))?;
                let (have, needed) = (report.quorum.have, report.quorum.need);
                ((have, needed) == (names.len(), need) && report.doubts.is_empty()).then_some(())
            });
        }
    }

    fn has_master(&mut self) {
        eventually("somebody is master", || {
            let up = self.cluster.nodes.iter().filter_map(told);
            up.into_iter().any(|report| report.role == "master").then_some(())
        });
    }
}

fn play(page: &str) {
    let mut lab = None;
    let mut blocks = 0;
    for step in steps(page) {
        match step {
            Step::Lab(words) if words[0] == "cluster" => lab = Some(Lab::of(words.len() - 1)),
            Step::Lab(words) if words[0] == "end" => lab = None,
            Step::Lab(words) => lab.as_mut().expect("a story has begun").lab(&words),
            Step::Run(machine, block) => {
                blocks += 1;
                let lab = lab.as_mut().expect("a story has begun");
                block.iter().for_each(|line| lab.line(machine, line));
            }
        }
    }
    assert!(blocks > 0, "nothing of the page was run");
}

/// The sections of the page whose title begins so.
fn section(title: &str) -> String {
    let sections = PAGE.split("\n## ").filter(|section| section.starts_with(title));
    sections.collect()
}

/// F63, F64, F65
#[test]
fn the_page_brings_back_one_lost_damaged_rolled_back_or_cloned_disk() {
    let all = ["One disk", "A state file", "A virtual machine", "A machine was cloned"];
    play(&all.map(section).concat());
}

/// F75
#[test]
fn the_page_goes_on_after_the_majority_is_lost() {
    play(&section("The majority is lost"));
}

/// F75
#[test]
fn the_page_goes_on_from_a_backup_alone_and_from_one_half() {
    play(&section("All is lost"));
    play(&section("Two halves"));
}

/// F76
#[test]
fn the_page_ends_a_recovery_that_was_wrong() {
    play(&section("Somebody recovered"));
}

#[test]
fn every_block_of_the_page_is_run_by_some_test() {
    let named = ["One disk", "A state file", "A virtual machine", "A machine was cloned"];
    let named = named.into_iter().chain(["The majority is lost", "All is lost"]);
    let named = named.chain(["Somebody recovered", "Two halves"]).map(section);
    let run: usize = named.map(|text| steps(&text).len()).sum();
    assert_eq!(run, steps(PAGE).len());
}
