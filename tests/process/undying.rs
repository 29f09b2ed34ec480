//! Processes that the kernel does not let die when their mastership ends: their node says that
//! they live, votes for nobody, and others go on without it. Never believes that they are gone
//! before the system says so.

use std::fs::{self, File};

use rustix::process::Signal;

use super::cluster::{Cluster, acting, report};
use super::command::Running;
use super::frost::{Frost, hanging, hangs};
use super::hooked::Hooked;
use super::looks::eventually;
use super::node::Node;
use super::run_stage::Stage;

/// A file system that can be frozen, which all nodes of the cluster see. They are not started yet.
fn icy(cluster: &mut Cluster) -> Option<Frost> {
    let frost = Frost::in_place(cluster.place())?;
    cluster.nodes.iter_mut().for_each(|node| node.prefix.clone_from(&frost.prefix));
    Some(frost)
}

fn node<'a>(cluster: &'a Cluster, name: &str) -> &'a Node {
    cluster.nodes.iter().find(|node| node.name == name).unwrap()
}

/// A stubborn program and its copy, which write to the frost until they hang in it.
struct Stuck {
    frost: Frost,
    stage: Stage,
    master: String,
    front: Running,
    hanging: Vec<i32>,
    /// What they wrote before.
    written: String,
}

impl Stuck {
    fn program() -> Option<Self> {
        let mut cluster = Cluster::founded(3, "never");
        let frost = icy(&mut cluster)?;
        cluster.start();
        let stage = Stage::over(cluster);
        let (master, _) = stage.cluster.settles();
        let [script, file] = [stage.cluster.place().join("acts.sh"), frost.file("deeds")];
        let cmd = ["sh", script.to_str().unwrap(), file.to_str().unwrap(), "stubborn"];
        let (prefix, line) = stage.line(&master, &[], &cmd);
        let log = File::create(stage.cluster.place().join("front")).unwrap();
        let front = Running::start(&prefix, line, log);
        let is_acting = || frost.text("deeds").lines().count() > 4 && stage.living().len() >= 2;
        eventually("both act", || is_acting().then_some(()));
        frost.freeze();
        let hanging = hanging(2, || stage.living().into_iter().collect());
        let written = frost.text("deeds");
        Some(Self { frost, stage, master, front, hanging, written })
    }

    fn log(&self) -> String {
        node(&self.stage.cluster, &self.master).log()
    }

    /// People are told of both, by their numbers and what they are.
    fn is_told(&self) {
        let log = eventually("the log says who lives", || {
            Some(self.log()).filter(|log| log.contains("killing what still lives"))
        });
        for pid in &self.hanging {
            assert!(log.contains(&format!("process {pid} (sh ")), "{pid} is not in {log}");
            assert!(hangs(*pid), "{pid} does not hang any more");
        }
        assert!(log.contains("is not confirmed dead in time"), "{log}");
        eventually("the front says so, too", || {
            let said = fs::read_to_string(self.stage.cluster.place().join("front")).unwrap();
            said.contains("the system does not let it die: process").then_some(())
        });
    }

    /// They die at the first step they take, and write nothing.
    fn thaws(&mut self) {
        self.frost.thaw();
        assert_eq!(self.front.wait(), 75);
        assert!(self.stage.living().is_empty(), "it lives on: {:?}", self.stage.living());
        assert_eq!(self.frost.text("deeds"), self.written, "written after another could act");
    }
}

/// F97: the lease is the limit of what is promised; what hangs cannot act meanwhile.
#[test]
fn a_node_whose_program_cannot_be_killed_votes_for_nobody_before_it_is_dead() {
    let Some(mut stuck) = Stuck::program() else { return };
    let master = stuck.master.clone();
    stuck.stage.cluster.node(&master).signal(Signal::STOP);
    let mut others: Vec<_> =
        stuck.stage.cluster.nodes.iter().map(|node| node.name.clone()).collect();
    others.retain(|name| *name != master);
    let next = stuck.stage.cluster.until("another node acts", |view| {
        others.iter().find(|name| acting(view, name).is_some()).cloned()
    });
    stuck.stage.cluster.node(&master).signal(Signal::CONT);
    stuck.stage.cluster.until("the first one stops and follows nobody", |view| {
        (report(view, &master)?.role == "stopping").then_some(())
    });
    stuck.is_told();
    // Of three, the two that are left need each other's votes.
    stuck.stage.cluster.crash(&next);
    let third = others.iter().find(|name| **name != next).unwrap();
    let refusal = format!("{master}: still stopping what ran as master");
    eventually("the third one is refused", || {
        node(&stuck.stage.cluster, third).log().contains(&refusal).then_some(())
    });
    assert!(stuck.hanging.iter().all(|pid| hangs(*pid)));
    for name in [&master, third] {
        assert_ne!(node(&stuck.stage.cluster, name).ask(&["is-master"]).code, 0, "{name} acts");
    }
    stuck.thaws();
    stuck.stage.cluster.until("one of the two acts", |view| {
        [&master, third].into_iter().find(|name| acting(view, name).is_some()).cloned()
    });
}

/// F97: nothing is released while it lives, so the next one acts when the lease is over.
#[test]
fn a_handover_that_meets_a_program_that_cannot_be_killed_becomes_a_failover() {
    let Some(mut stuck) = Stuck::program() else { return };
    let master = stuck.master.clone();
    stuck.stage.cluster.node(&master).ask(&["step-down", "--for", "1s"]);
    stuck.is_told();
    stuck.stage.cluster.until("another acts", |view| {
        let others = view.iter().filter(|(name, _)| **name != master);
        others.map(|(name, _)| name.clone()).find(|name| acting(view, name).is_some())
    });
    assert!(!stuck.log().contains("everything that ran as master"), "{}", stuck.log());
    stuck.thaws();
    stuck.stage.cluster.settles();
    assert!(stuck.log().contains("everything that ran as master"), "{}", stuck.log());
}

/// F97
#[test]
fn what_a_hook_left_that_cannot_be_killed_is_named_and_undone_again_when_it_is_dead() {
    let mut hooked = Hooked::founded(3, "  retries: 0");
    let Some(frost) = icy(&mut hooked.cluster) else { return };
    let names = ["alpha", "bravo", "charlie"];
    names.iter().for_each(|node| hooked.let_it(node, "master", "freezes"));
    hooked.cluster.start();
    let (master, _) = hooked.cluster.settles();
    eventually("it acts", || frost.text("shared").contains("stray act").then_some(()));
    frost.freeze();
    let hanging = hanging(1, || hooked.living());
    let written = frost.text("shared");
    let seen = hooked.deeds().len();
    names.iter().for_each(|node| hooked.let_it(node, "master", "plain"));
    hooked.gives_up(&master, &["step-down"]);
    let name = format!("process {} (sh ", hanging[0]);
    let log = eventually("the log says who lives", || {
        Some(node(&hooked.cluster, &master).log()).filter(|log| log.contains(&name))
    });
    assert!(log.contains("before it is dead no hook runs"), "{log}");
    // What can be undone was undone at once, and is again when nothing lives that could act.
    hooked.waits_for(seen, &master, "backup", "end");
    let seen = hooked.deeds().len();
    assert!(hangs(hanging[0]), "it does not hang any more");
    frost.thaw();
    hooked.waits_for(seen, &master, "backup", "end");
    assert!(!hooked.living().contains(&hanging[0]));
    assert_eq!(frost.text("shared"), written, "written after its mastership was over");
    hooked.cluster.settles();
}
