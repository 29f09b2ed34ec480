//! The usual scene: alpha and bravo are real daemons, charlie's part is played; a canary watches.
//! Never says anything hostile itself.

use quorate::protocol::message::{Heartbeat, Message};
use quorate::protocol::units::Term;

use super::super::cluster::{Cluster, acting, report};
use super::canary::Canary;
use super::peer::{Peer, honest};

/// Three founded nodes, two of them running.
pub(super) struct Scene {
    /// Before the cluster, so that it ends before it.
    pub(super) charlie: Peer,
    pub(super) canary: Canary,
    pub(super) cluster: Cluster,
}

impl Scene {
    /// Alpha and bravo settle, then charlie joins them as an honest voter.
    pub(super) fn with_an_honest_charlie() -> Self {
        let cluster = without(3, &["charlie"]);
        let canary = Canary::over(&cluster);
        let charlie = Peer::playing(&cluster, "charlie", honest());
        let scene = Self { charlie, canary, cluster };
        scene.is_heard_by(&["alpha", "bravo"]);
        scene
    }

    /// Waits until these daemons hear charlie.
    pub(super) fn is_heard_by(&self, names: &[&str]) {
        self.cluster.until("charlie is heard", |view| {
            names.iter().all(|name| hears_charlie(view, name)).then_some(())
        });
    }

    /// The master and the other real daemon, by name.
    pub(super) fn master_and_follower(&self) -> (&'static str, &'static str) {
        match self.canary.reign().0 {
            "alpha" => ("alpha", "bravo"),
            _ => ("bravo", "alpha"),
        }
    }

    /// The term of the canary's master.
    pub(super) fn term(&self) -> Term {
        Term(self.canary.reign().1)
    }

    /// Charlie says all of `messages` to both daemons.
    pub(super) fn says_to_both(&self, messages: &[Message]) {
        for message in messages {
            self.charlie.says("alpha", message.clone());
            self.charlie.says("bravo", message.clone());
        }
    }

    /// All heartbeats of `term` that charlie heard so far, oldest first.
    pub(super) fn heartbeats_of(&self, term: u64) -> Vec<Heartbeat> {
        self.charlie.hears_all("a heartbeat", |heard| {
            let of_term = |(_, message): &(_, Message)| match message {
                Message::Heartbeat(beat) if beat.term.0 == term => Some(beat.clone()),
                _ => None,
            };
            let beats: Vec<_> = heard.iter().filter_map(of_term).collect();
            (!beats.is_empty()).then_some(beats)
        })
    }

    /// Waits for several more heartbeats of `term`: charlie has answered each before it counts.
    pub(super) fn hears_more_heartbeats_of(&self, term: u64) {
        let before = self.heartbeats_of(term).len();
        self.charlie.hears_all("more heartbeats", |heard| {
            let of_term =
                |m: &Message| matches!(m, Message::Heartbeat(beat) if beat.term.0 == term);
            let count = heard.iter().filter(|(_, message)| of_term(message)).count();
            (count >= before + 5).then_some(())
        });
    }

    /// From now on charlie says nothing by itself: an answer on a connection of its own would end
    /// the one of a test before it was heard.
    pub(super) fn silences_charlie(&self) {
        self.charlie.follows(Box::new(|_, _, _| Vec::new()));
        self.hears_more_heartbeats_of(self.term().0);
    }

    /// The follower ends; from now on the master has charlie's word or nobody's.
    pub(super) fn leave_the_master_alone_with_charlie(&mut self) -> &'static str {
        let (master, follower) = self.master_and_follower();
        self.cluster.crash(follower);
        master
    }

    /// Waits until that daemon has given mastership up for want of a majority's word.
    pub(super) fn gives_up(&self, master: &str) {
        self.cluster.until("the master gives up", |view| {
            (report(view, master)?.role != "master").then_some(())
        });
    }

    /// Waits until that daemon acts.
    pub(super) fn acts(&self, name: &str) -> u64 {
        self.cluster.until("it acts", |view| Some(acting(view, name)?.term))
    }
}

/// A started cluster of `count` nodes, of which those do not run.
pub(super) fn without(count: usize, absent: &[&str]) -> Cluster {
    let mut cluster = Cluster::founded(count, "never");
    cluster.start_without(absent);
    cluster
}

fn hears_charlie(view: &super::super::watch::View, name: &str) -> bool {
    let peers = report(view, name).map(|report| &report.peers);
    peers.is_some_and(|peers| peers.iter().any(|peer| peer.id == "charlie" && peer.heard))
}
