//! What happens to the machines of a story, and what has to be so: the hidden lines of pages.
//! Never types what a page says; the lab does.

use std::fs;

use rustix::process::Signal;

use super::super::cluster::loopback_addresses;
use super::super::command::must;
use super::super::looks::eventually;
use super::super::mending::{comes_back, told};
use super::super::node::Node;
use super::lab::{Lab, TIMING};

impl Lab {
    /// What happens, or has to be so.
    pub(super) fn scene(&mut self, words: &[&str]) {
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
                self.types(name, "quorate backup shop.backup", &[]);
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
            ["leads", name] => self.leads(name),
            ["quick", name] => self.make_quick(name),
            ["machine", name] => self.add(name),
            ["freeze", name] => self.node(name).signal(Signal::STOP),
            ["thaw", name] => self.node(name).signal(Signal::CONT),
            ["unforced", name] => {
                let report = told(self.node(name)).unwrap();
                assert_eq!((report.forced, report.generation), (None, 2));
            }
            _ => panic!("the page has an unknown hidden line: {words:?}"),
        }
    }

    /// Shortens the timing of a cluster that was founded with the default.
    fn make_quick(&mut self, name: &str) {
        self.leads(name);
        let body = self.node(name).ask(&["show"]).printed();
        let text = body.replace("\nnodes:\n", &format!("\ntiming: {TIMING}\nnodes:\n"));
        let file = self.cluster.place().join("quick.yaml");
        fs::write(&file, text).unwrap();
        self.node(name).ask(&["apply", file.to_str().unwrap(), "--wait", "60s"]).printed();
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
                let mut voters = report.peers.iter().filter(|peer| peer.role == "voter");
                let is_well = report.doubts.is_empty() && (have, needed) == (names.len(), need);
                (is_well && voters.all(|peer| peer.vote_ready == Some(true))).then_some(())
            });
        }
    }
}
