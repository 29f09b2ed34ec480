//! What systemd makes of what its daemon tells it, by the unit that the program writes.
//! Never waits for a majority: one node of three runs.

use std::path::Path;

use super::super::command::QUORATE;
use super::eventually;
use super::inits::Machine;

const UNIT: &str = "/etc/systemd/system";

/// Has to find a daemon that answers, and is started by nobody but the daemon's unit.
const AFTER: &str = "[Unit]\nRequires=quorate.service\nAfter=quorate.service\n[Service]\n\
                     Type=oneshot\nRemainAfterExit=yes\nExecStart=/usr/local/bin/quorate status\n";

/// A machine with systemd and one of three nodes, whose daemon is not started.
fn machine() -> Option<Machine> {
    let machine = Machine::alone("systemd")?;
    machine.install("usr/local/bin/quorate", Path::new(QUORATE));
    let init = "quorate init --name alpha --advertise 192.0.2.1:9901 --cluster shop";
    let mut text = machine.must(init);
    for name in ["bravo", "charlie"] {
        let elsewhere = format!("env QUORATE_DIR=/tmp/{name} QUORATE_CONFIG=/tmp/{name}/node.yaml");
        let init = format!("quorate init --name {name} --advertise {name}.example:9901");
        text.push_str(&machine.must(&format!("{elsewhere} {init}")));
    }
    machine.write("etc/quorate/cluster.yaml", &text);
    machine.must("quorate init --from /etc/quorate/cluster.yaml");
    machine.must("quorate service systemd --root /");
    Some(machine)
}

/// Has systemd wait that long for a sign of life; for ever if it is zero.
fn patience(machine: &Machine, seconds: u32) {
    let path = format!("{UNIT}/quorate.service.d/patience.conf");
    machine.write(&path[1..], &format!("[Service]\nWatchdogSec={seconds}\n"));
}

/// What systemd knows of the daemon.
fn shown(machine: &Machine, property: &str) -> String {
    machine.must(&format!("systemctl show --value -p {property} quorate")).trim().to_owned()
}

fn becomes(machine: &Machine, property: &str, value: &str) {
    let what = format!("{property} is {value}");
    eventually(&what, || shown(machine, property) == value);
}

#[test]
fn systemd_takes_a_daemon_for_started_and_reloaded_when_the_daemon_says_so() {
    let Some(machine) = machine() else { return };
    patience(&machine, 0);
    machine.write(&format!("{UNIT}/after.service")[1..], AFTER);
    machine.must("systemctl start after");
    machine.must("systemctl is-active quorate after");
    let status = "follower, no master, term 0, no majority heard";
    becomes(&machine, "StatusText", status);
    machine.must("systemctl reload quorate");
    becomes(&machine, "ActiveState", "active");
    // One that stands still does not read anything, and the reload waits for it.
    let pid = shown(&machine, "MainPID");
    machine.must(&format!("kill -STOP {pid}"));
    machine.must("systemctl reload --no-block quorate");
    eventually("all that systemd does for a reload is done", || {
        shown(&machine, "SubState") == "reload" && shown(&machine, "ControlPID") == "0"
    });
    machine.must(&format!("kill -CONT {pid}"));
    becomes(&machine, "ActiveState", "active");
    // One whose node.yaml is wrong is not asked, and goes on.
    machine.write("etc/quorate/node.yaml", "nonsense: 1\n");
    assert_ne!(machine.run("systemctl reload quorate").code, 0);
    becomes(&machine, "ActiveState", "active");
    assert_eq!(shown(&machine, "MainPID"), pid);
}

#[test]
fn systemd_starts_a_daemon_that_stands_still_again() {
    let Some(machine) = machine() else { return };
    patience(&machine, 2);
    machine.must("systemctl start quorate");
    let pid = shown(&machine, "MainPID");
    machine.must(&format!("kill -STOP {pid}"));
    eventually("another one runs", || !["0", &pid].contains(&shown(&machine, "MainPID").as_str()));
    becomes(&machine, "ActiveState", "active");
    machine.must("quorate status");
    machine.must("systemctl stop quorate");
    assert_eq!(shown(&machine, "Result"), "success");
    assert_ne!(machine.run("quorate status").code, 0);
}
