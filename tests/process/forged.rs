//! Packets that pretend to come from a member's machine: resets, and word that nobody lives there.
//! Never touches what a daemon sends or gets otherwise.

use super::cluster::{Cluster, report};
use super::command::run;
use super::looks::eventually;
use super::network::Network;

/// Run at a member's machine: throws that many resets at the other side of its sessions with the
/// address given, by numbers drawn at random, as somebody would who does not see what they say.
const RESETS: &str = r#"
import random, socket, struct, sys
there, count = sys.argv[1], int(sys.argv[2])
def ip(text):
    return socket.inet_ntoa(struct.pack("<I", int(text, 16)))
def total(data):
    words = struct.unpack("!%dH" % (len(data) // 2), data)
    number = sum(words)
    while number >> 16:
        number = (number & 0xFFFF) + (number >> 16)
    return ~number & 0xFFFF
sessions = []
for line in open("/proc/net/tcp").read().splitlines()[1:]:
    local, remote, state = line.split()[1:4]
    here, port = local.split(":")
    other, door = remote.split(":")
    if state == "01" and ip(other) == there:
        sessions.append((ip(here), int(port, 16), int(door, 16)))
assert sessions, "no session with " + there
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
draw = random.Random(1)
for number in range(count):
    here, port, door = sessions[number % len(sessions)]
    ends = socket.inet_aton(here) + socket.inet_aton(there)
    reset = struct.pack("!HHLLBBHHH", port, door, draw.getrandbits(32), 0, 5 << 4, 4, 0, 0, 0)
    check = total(ends + struct.pack("!BBH", 0, 6, len(reset)) + reset)
    reset = reset[:16] + struct.pack("!H", check) + reset[18:]
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(reset), 0, 0, 64, 6, 0) + ends
    raw.sendto(head + reset, (there, 0))
print("%d resets for %d sessions" % (count, len(sessions)))
"#;

/// Three daemons on machines of their own; gives the master's place and term, too.
fn apart() -> Option<(Network, Cluster, usize, u64)> {
    let network = Network::of(3)?;
    let mut cluster = Cluster::at(&network.addresses(), &network.prefixes(), "never");
    cluster.start();
    let (master, term) = cluster.settles();
    let place = cluster.nodes.iter().position(|node| node.name == master)?;
    Some((network, cluster, place, term))
}

/// H30
#[test]
fn resets_by_somebody_who_does_not_see_the_sessions_end_none_of_them() {
    let Some((network, cluster, master, term)) = apart() else { return };
    let follower = (master + 1) % 3;
    let there = network.addresses()[master].split(':').next().unwrap().to_owned();
    let line = ["python3", "-c", RESETS, &there, "20000"];
    let thrown = run(&network.prefixes()[follower], line);
    assert_eq!(thrown.code, 0, "{}", thrown.stderr);
    let name = cluster.nodes[master].name.clone();
    assert_eq!(cluster.settles(), (name, term));
    for node in &cluster.nodes {
        let log = node.log();
        assert!(!log.contains("lost the connection"), "{log}");
    }
}

/// H30
#[test]
fn a_machine_that_is_said_not_to_be_there_is_called_less_and_less_often_and_found_again() {
    let Some((network, cluster, master, term)) = apart() else { return };
    let caller = (master + 1) % 3;
    let names: Vec<_> = cluster.nodes.iter().map(|node| node.name.clone()).collect();
    network.deny(caller, master);
    eventually("it says that nobody is there", || {
        let words = format!("cannot reach {}: ", names[master]);
        cluster.nodes[caller].log().contains(&words).then_some(())
    });
    let before = network.denied_calls(master);
    cluster.outlives(&names[caller], 5_000);
    let calls = network.denied_calls(master) - before;
    assert!((1..40).contains(&calls), "{calls} calls in five seconds");
    network.heal();
    cluster.until("it is heard again", |view| {
        let peers = &report(view, &names[master])?.peers;
        peers.iter().find(|peer| peer.id == names[caller]).filter(|peer| peer.heard).map(|_| ())
    });
    assert_eq!(cluster.settles(), (names[master].clone(), term));
}
