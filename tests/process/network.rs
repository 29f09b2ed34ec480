//! A small network of namespaces: one machine each, a bridge between them, cuts by direction.
//! Never outlives its test: every namespace is held by a process that ends with this one.

use std::io::{self, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::command::{must, run};

/// Whether a test that cannot run is a failure: set where all of them must.
const STRICT: &str = "QUORATE_CI";

/// A process that only holds namespaces open, until its input closes.
#[derive(Debug)]
pub(super) struct Holder {
    child: Child,
    /// Closed when this process ends, however it ends; then the holder ends too.
    _input: ChildStdin,
    /// The program that starts others inside.
    pub(super) prefix: Vec<String>,
}

/// Starts what holds something open until its input closes.
#[expect(clippy::disallowed_methods, reason = "holds namespaces for as long as the test runs")]
pub(super) fn held(line: &[String]) -> io::Result<Child> {
    Command::new(&line[0])
        .args(&line[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

impl Holder {
    /// Holds new namespaces of these kinds, such as `--net`, made from inside `prefix`.
    fn new(prefix: &[String], kinds: &[&str]) -> Result<Self, String> {
        let mut line = prefix.to_vec();
        line.push("unshare".to_owned());
        line.extend(kinds.iter().map(|kind| (*kind).to_owned()));
        // It says one line as soon as it is inside, then waits for the end of its input.
        line.extend(["sh", "-c", "echo inside; exec cat"].map(str::to_owned));
        let mut child = held(&line).map_err(|error| error.to_string())?;
        let input = child.stdin.take().expect("it was asked for");
        let mut said = [0; 7];
        let inside = child.stdout.as_mut().expect("it was asked for");
        if inside.read_exact(&mut said).is_err() {
            drop(input);
            let output = child.wait_with_output().map_err(|error| error.to_string())?;
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
        }
        let mut enter = vec!["nsenter".to_owned(), format!("--target={}", child.id())];
        let is_user = |kind: &&str| kind.starts_with("--user") || kind.starts_with("--map");
        if kinds.iter().any(is_user) || prefix.iter().any(|word| word == "--user") {
            enter.extend(["--user", "--preserve-credentials"].map(str::to_owned));
        }
        let other = kinds.iter().filter(|kind| !is_user(kind));
        enter.extend(other.map(|kind| (*kind).to_owned()));
        Ok(Self { child, _input: input, prefix: enter })
    }

    /// New namespaces of these kinds, as root or as a user who becomes root inside. Where the
    /// machine forbids them, says so in one visible line and gives nothing.
    pub(super) fn try_new(kinds: &[&str]) -> Option<Self> {
        let as_user: Vec<&str> =
            ["--user", "--map-root-user"].iter().chain(kinds).copied().collect();
        let refusal = match Self::new(&[], kinds).or_else(|_| Self::new(&[], &as_user)) {
            Ok(holder) => return Some(holder),
            Err(refusal) => refusal,
        };
        skip(&format!("this machine forbids namespaces ({refusal})"));
        None
    }
}

/// What starts a program in a process namespace of its own, to which the session and the process
/// group it is in do not belong: the system numbers both zero there. Containers do so, too.
pub(super) fn apart() -> Option<Vec<String>> {
    let as_root = words(&["unshare", "--fork", "--kill-child", "--pid", "--mount-proc"]);
    let as_user = [&as_root[..], &words(&["--user", "--map-root-user"])].concat();
    let mut refusal = String::new();
    for prefix in [as_root, as_user] {
        let outcome = run(&prefix, ["true"]);
        if outcome.code == 0 {
            return Some(prefix);
        }
        refusal = outcome.stderr;
    }
    skip(&format!("this machine forbids process namespaces ({})", refusal.trim()));
    None
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Says in one visible line that a test could not run here and why; fails where it must run.
pub(super) fn skip(why: &str) {
    assert!(std::env::var_os(STRICT).is_none(), "{STRICT} is set, and {why}");
    tell_skipped(why);
}

/// The same for what needs more than namespaces: nowhere must that run.
pub(super) fn tell_skipped(why: &str) {
    let line = format!("SKIPPED: {why}\n");
    // Not by the printing macros, whose output a passing test swallows.
    io::stderr().write_all(line.as_bytes()).expect("standard error is open");
}

impl Drop for Holder {
    fn drop(&mut self) {
        // Both only fail if it ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Machines 10.99.0.1, 10.99.0.2, … on one bridge.
#[derive(Debug)]
pub(super) struct Network {
    /// Before the hub, so that they end before it.
    machines: Vec<Holder>,
    _hub: Holder,
}

impl Network {
    /// A network of `count` machines, if this machine allows it.
    pub(super) fn of(count: usize) -> Option<Self> {
        let hub = Holder::try_new(&["--net"])?;
        must(&hub.prefix, "ip link set lo up");
        must(&hub.prefix, "ip link add bridge type bridge");
        must(&hub.prefix, "ip link set bridge up");
        let machines = (0..count).map(|index| machine(&hub, index)).collect();
        Some(Self { machines, _hub: hub })
    }

    /// What starts a program on each machine.
    pub(super) fn prefixes(&self) -> Vec<Vec<String>> {
        self.machines.iter().map(|machine| machine.prefix.clone()).collect()
    }

    /// Where a daemon on each machine is reached.
    pub(super) fn addresses(&self) -> Vec<String> {
        (0..self.machines.len()).map(|index| format!("{}:9901", address(index))).collect()
    }

    /// From now on nothing that `from` sends reaches `to`.
    pub(super) fn cut_one_way(&self, from: usize, to: usize) {
        let rule = format!("nft add rule inet cut input ip saddr {} drop", address(from));
        must(&self.machines[to].prefix, &rule);
    }

    /// From now on the two do not reach each other.
    pub(super) fn cut(&self, one: usize, other: usize) {
        self.cut_one_way(one, other);
        self.cut_one_way(other, one);
    }

    /// From now on `machine` reaches nobody and nobody reaches it.
    pub(super) fn isolate(&self, machine: usize) {
        for other in (0..self.machines.len()).filter(|other| *other != machine) {
            self.cut(machine, other);
        }
    }

    /// From now on no packet of more than `bytes` that `from` sends reaches `to`.
    pub(super) fn narrow(&self, from: usize, to: usize, bytes: u32) {
        let large = format!("ip saddr {} meta length > {bytes} drop", address(from));
        must(&self.machines[to].prefix, &format!("nft add rule inet cut input {large}"));
    }

    /// From now on `to` answers everything that `from` sends by saying that nobody lives here.
    pub(super) fn deny(&self, from: usize, to: usize) {
        let from = address(from);
        let call = format!("ip saddr {from} tcp flags & (syn | ack) == syn counter");
        for rule in [call, format!("ip saddr {from} reject with icmpx type host-unreachable")] {
            must(&self.machines[to].prefix, &format!("nft add rule inet cut input {rule}"));
        }
    }

    /// How often anybody called `to` who is denied there.
    pub(super) fn denied_calls(&self, to: usize) -> u32 {
        let told = run(&self.machines[to].prefix, ["nft", "list", "chain", "inet", "cut", "input"]);
        let text = told.printed();
        let count = text.split("packets ").nth(1).and_then(|rest| rest.split(' ').next());
        count.and_then(|count| count.parse().ok()).expect("a counter was set")
    }

    /// Everybody reaches everybody again.
    pub(super) fn heal(&self) {
        for machine in &self.machines {
            must(&machine.prefix, "nft flush chain inet cut input");
        }
    }
}

/// A machine on the hub's bridge.
fn machine(hub: &Holder, index: usize) -> Holder {
    let machine = Holder::new(&hub.prefix, &["--net"]);
    let machine = machine.expect("where one namespace can be made, more can");
    let process = machine.child.id();
    let add = format!("ip link add port{index} type veth peer name wire netns {process}");
    must(&hub.prefix, &add);
    must(&hub.prefix, &format!("ip link set port{index} master bridge up"));
    must(&machine.prefix, "ip link set lo up");
    must(&machine.prefix, &format!("ip address add {}/24 dev wire", address(index)));
    must(&machine.prefix, "ip link set wire up");
    must(&machine.prefix, "nft add table inet cut");
    let chain = "{ type filter hook input priority 0; }";
    let made = run(&machine.prefix, ["nft", "add", "chain", "inet", "cut", "input", chain]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    machine
}

fn address(index: usize) -> String {
    format!("10.99.0.{}", index + 1)
}
