//! quorate as a service of three inits, by the service files that are shipped, and `service` as its
//! hook. Never started by the test itself: each init starts, stops and restarts its own daemon.

use std::fs;
use std::path::Path;

use super::super::checker::check;
use super::super::cluster::acting;
use super::super::command::QUORATE;
use super::super::hooked;
use super::super::network::Network;
use super::super::watch::Watch;
use super::eventually;
use super::inits::{INITS, Machine, WILLING};

const NAMES: [&str; 3] = ["alpha", "bravo", "charlie"];

/// What a node is given to do.
const HOOKS: &str = "acting_log: /var/lib/quorate/acting.log\nhooks:
  master: [/etc/quorate/hooks/service, shop]
  backup: [/etc/quorate/hooks/service, shop, within, \"2000\"]
  no_quorum: [/etc/quorate/hooks/service, shop, within, \"2000\"]\n";

/// Three nodes, one under each init, with a service of that init.
struct Scene {
    machines: Vec<Machine>,
    watch: Watch,
    _network: Network,
}

impl Scene {
    fn new() -> Option<Self> {
        let network = Network::of(NAMES.len())?;
        let with = INITS.into_iter().zip(network.prefixes());
        let machines: Vec<_> = with.map_while(|(init, net)| Machine::of(init, &net)).collect();
        if machines.len() < INITS.len() {
            return None;
        }
        found(&machines, &network.addresses());
        for (machine, init) in machines.iter().zip(INITS) {
            machine.define("shop", WILLING);
            serve(machine, init);
        }
        let sockets = machines.iter().map(|machine| machine.file("run/quorate/quorate.sock"));
        let watch = Watch::over(NAMES.map(str::to_owned).into_iter().zip(sockets));
        Some(Self { machines, watch, _network: network })
    }

    /// Where the service runs: never on two. One that had it before another was seen with it, and
    /// has it still, had it at the same time.
    fn holder(&self) -> Option<usize> {
        let has_it = |index: &usize| self.machines[*index].count("shop") > 0;
        let mut found = (0..NAMES.len()).filter(has_it);
        let (first, second) = (found.next()?, found.next());
        if let Some(second) = second {
            assert!(!has_it(&first), "it runs on {} and {}", NAMES[first], NAMES[second]);
        }
        second.or(Some(first))
    }

    /// Hands mastership over to that node, once it may have it.
    fn moves_to(&self, index: usize) {
        let transfer = format!("quorate transfer {}", NAMES[index]);
        eventually("mastership is where it shall be", || {
            self.holder().is_some_and(|holder| {
                holder == index || self.machines[holder].run(&transfer).code == 0
            })
        });
        self.runs_on(&[index]);
    }

    /// Waits until the service runs on a master of `those`, looking all the time.
    fn runs_on(&self, those: &[usize]) {
        eventually("the service runs there", || {
            self.holder().is_some_and(|holder| those.contains(&holder))
        });
        let holder = self.holder().expect("nothing fails now");
        self.watch.until("the node where it runs is master", |view| {
            acting(view, NAMES[holder]).map(|_| ())
        });
    }
}

/// Makes one cluster of the machines.
fn found(machines: &[Machine], addresses: &[String]) {
    let mut text = String::new();
    for ((machine, name), address) in machines.iter().zip(NAMES).zip(addresses) {
        machine.install("usr/local/bin/quorate", Path::new(QUORATE));
        let init = format!("quorate init --name {name} --advertise {address}");
        if text.is_empty() {
            let choices = format!("timing: {}\nnodes:\n", hooked::TIMING);
            let whole = machine.must(&format!("{init} --cluster shop"));
            text = whole.replace("nodes:\n", &choices);
        } else {
            text.push_str(&machine.must(&init));
        }
        let path = machine.file("etc/quorate/node.yaml");
        let node = fs::read_to_string(&path).unwrap();
        fs::write(&path, node + HOOKS).unwrap();
    }
    for machine in machines {
        machine.write("etc/quorate/cluster.yaml", &text);
        machine.must("quorate init --from /etc/quorate/cluster.yaml");
    }
}

/// Gives the init its daemon by the files that the program has for it, and has it started: then it
/// answers, whether or not there is a majority.
fn serve(machine: &Machine, init: &str) {
    machine.must(&format!("quorate service {init} --root /"));
    match init {
        "openrc" => {
            machine.must("rc-update add quorate default");
            machine.must("rc-update -u");
            machine.must("rc-service quorate checkconfig");
        }
        "runit" => machine.attend("quorate"),
        _ => drop(machine.must("systemctl enable quorate")),
    }
    machine.order("start", "quorate");
    machine.must("quorate status");
}

/// Has the init tell its daemon to read node.yaml again, and sees that it does.
fn reloads(machine: &Machine, init: &str) {
    machine.order("reload", "quorate");
    // systemd has no journal here, and is asked by a test of its own.
    let log = match init {
        "openrc" => "var/log/quorate.log",
        "runit" => "var/log/quorate/current",
        _ => return,
    };
    let log = machine.file(log);
    eventually("node.yaml is read again", || {
        fs::read_to_string(&log).is_ok_and(|log| log.contains("node.yaml read again"))
    });
}

#[test]
fn a_service_follows_its_master_through_machines_with_three_real_inits() {
    let Some(mut scene) = Scene::new() else { return };
    for index in 0..NAMES.len() {
        let machine = &scene.machines[index];
        let others: Vec<_> = (0..NAMES.len()).filter(|other| *other != index).collect();
        scene.moves_to(index);
        reloads(machine, INITS[index]);
        machine.kill("^(/usr/local/bin/)?quorate.serve");
        eventually("what it ran as master is undone", || scene.holder() != Some(index));
        scene
            .watch
            .until("its init has started it again", |view| view[NAMES[index]].as_ref().map(|_| ()));
        scene.moves_to(index);
        machine.order("stop", "quorate");
        assert_eq!(machine.count("shop"), 0, "{}", INITS[index]);
        scene.runs_on(&others);
        machine.order("start", "quorate");
    }
    let wrong = scene.watch.end();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let logs: Vec<_> =
        scene.machines.iter().map(|it| it.file("var/lib/quorate/acting.log")).collect();
    let logs: Vec<_> = logs.iter().map(std::path::PathBuf::as_path).collect();
    if let Some(verdict) = check(&logs) {
        assert_eq!(verdict.code, 0, "{}", verdict.words);
    }
}
