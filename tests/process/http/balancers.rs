//! Real load balancers of Debian, set up as contrib/doc/load-balancers.md says, through a failover.
//! Never a service of this machine: each runs in the foreground and ends with its test.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use rustix::process::Signal;

use super::super::clock::PATIENCE;
use super::super::cluster::{Cluster, loopback_addresses};
use super::super::command::Running;
use super::super::looks::eventually;
use super::super::network::skip;
use super::{Reply, connect, door, founded_with, rest};

const DOCUMENT: &str = "contrib/doc/load-balancers.md";

/// A program of the system; none, and a visible line, where it is not installed.
fn found(name: &str) -> Option<PathBuf> {
    let folders = ["/usr/local/sbin", "/usr/sbin", "/usr/bin"].iter();
    let program = folders.map(|folder| Path::new(folder).join(name)).find(|path| path.exists());
    if program.is_none() {
        skip(&format!("there is no {name} here: its recipe is not tried"));
    }
    program
}

/// The recipe between these marks of the document, without the words around it.
fn recipe(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let text = fs::read_to_string(path).unwrap();
    let begin = format!("<!-- {name} -->\n```");
    let (_, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("no {begin:?}"));
    let (_, rest) = rest.split_once('\n').unwrap();
    let (recipe, _) = rest.split_once("\n```").unwrap();
    format!("{recipe}\n")
}

/// Starts a balancer that reads that configuration; what it says goes to a file beside it.
fn start(cluster: &Cluster, line: &[&str], configuration: &str) -> (Running, PathBuf) {
    let path = cluster.place().join("balancer.conf");
    fs::write(&path, configuration).unwrap();
    let log = cluster.place().join("balancer.log");
    let words = line.iter().map(|word| word.replace("FILE", path.to_str().unwrap()));
    (Running::start(&[], words, File::create(&log).unwrap()), log)
}

/// Who answers through the balancer, if somebody does. nginx takes a caller that ends its side for
/// one that has left.
fn served_by(address: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("GET /primary HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let reply = Reply::of(&rest(stream))?;
    let node = reply.head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("x-quorate-node").then(|| value.to_owned())
    });
    node.filter(|_| reply.status == 200)
}

/// Through the balancers at `doors` the master is reached, and the next one when it is gone.
fn follow_a_failover(cluster: &mut Cluster, doors: &[String], log: &Path) {
    let (first, _) = cluster.settles();
    let reached = |master: &str| {
        for door in doors {
            eventually(&format!("{door} leads to {master}: {}", log.display()), || {
                (served_by(door)? == master).then_some(())
            });
        }
    };
    reached(&first);
    let others: Vec<&str> =
        ["alpha", "bravo", "charlie"].into_iter().filter(|name| *name != first).collect();
    cluster.crash(&first);
    let next = cluster.until("another acts", |view| {
        let acts = |name: &&&str| super::super::cluster::acting(view, name).is_some();
        others.iter().find(acts).map(|name| (*name).to_owned())
    });
    reached(&next);
    cluster.node(&first).start();
    cluster.settles();
    // A planned one, back.
    let node = cluster.node(&next);
    eventually("it is ready to lead again", || {
        (node.ask(&["transfer", &first]).code == 0).then_some(())
    });
    cluster.settles_on(&first, &others);
    reached(&first);
}

#[test]
fn the_agent_says_up_on_the_master_and_down_with_the_reason_elsewhere() {
    let mut cluster = with_agents(agent_port(&loopback_addresses(1)[0]));
    cluster.start();
    let (master, _) = cluster.settles();
    let agent = |cluster: &Cluster, name: &str| rest(connect(&agent(cluster, name)));
    assert_eq!(agent(&cluster, &master), "up ready\n");
    let follower = cluster.nodes.iter().find(|node| node.name != master).unwrap().name.clone();
    assert_eq!(agent(&cluster, &follower), format!("down #it follows {master}\n"));
    cluster.node(&master).ask(&["transfer", &follower]).printed();
    eventually("it is up", || (agent(&cluster, &follower) == "up ready\n").then_some(()));
    assert!(agent(&cluster, &master).starts_with("down #"));
    // What stands still says nothing, and does not say yes when it goes on.
    cluster.node(&follower).signal(Signal::STOP);
    let mut call = connect(&self::agent(&cluster, &follower));
    cluster.until("another acts", |view| {
        view.values().flatten().find(|one| one.role == "master" && one.node != follower).map(|_| ())
    });
    cluster.node(&follower).signal(Signal::CONT);
    let mut text = String::new();
    call.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("down #"), "{text}");
}

/// A port that no other test has its agents at.
fn agent_port(address: &str) -> u16 {
    address.rsplit_once(':').unwrap().1.parse::<u16>().unwrap() + 7_000
}

/// Three nodes with agents at that port, each of its own address.
fn with_agents(port: u16) -> Cluster {
    founded_with(3, |_| format!("agent: \"HOST:{port}\"\n"))
}

/// Where the node answers an agent-check.
fn agent(cluster: &Cluster, name: &str) -> String {
    let node = cluster.nodes.iter().find(|node| node.name == name).unwrap();
    node.more.trim().trim_start_matches("agent: ").trim_matches('"').to_owned()
}

#[test]
fn haproxy_follows_a_failover_by_checks_and_by_agents() {
    let Some(haproxy) = found("haproxy") else { return };
    let fronts = loopback_addresses(2);
    let port = agent_port(&fronts[0]);
    let mut cluster = with_agents(port);
    cluster.start();
    let mut text = recipe("haproxy");
    for (index, name) in ["alpha", "bravo", "charlie"].iter().enumerate() {
        let http = door(&cluster, name);
        let (host, port) = http.rsplit_once(':').unwrap();
        let shown = format!("10.0.0.{}", index + 1);
        text = text.replace(&format!("{shown}:5432"), &http).replace(&shown, host);
        text = text.replace("port 9902", &format!("port {port}"));
    }
    text = text.replace("agent-port 9903", &format!("agent-port {port}"));
    text = text.replace("mode tcp", "mode http").replace("inter 1s", "inter 100ms");
    text = text.replace("agent-inter 1s", "agent-inter 100ms");
    text = text.replace("bind :5432", &format!("bind {}", fronts[0]));
    text = text.replace("bind :5433", &format!("bind {}", fronts[1]));
    let (mut running, log) =
        start(&cluster, &[haproxy.to_str().unwrap(), "-db", "-f", "FILE"], &text);
    follow_a_failover(&mut cluster, &fronts, &log);
    running.signal(Signal::TERM);
    running.wait();
}

#[test]
fn nginx_follows_a_failover_by_trying_the_next_one() {
    let Some(nginx) = found("nginx") else { return };
    let fronts = loopback_addresses(4);
    let mut cluster = founded_with(3, |_| String::new());
    cluster.start();
    let place = cluster.place().display().to_string();
    let mut text = String::new();
    for (index, name) in ["alpha", "bravo", "charlie"].iter().enumerate() {
        let http = door(&cluster, name);
        let node =
            recipe("nginx-node").replace("listen 8080", &format!("listen {}", fronts[index + 1]));
        // The program behind it is the node's own, which says who it is.
        text += &node.replace("127.0.0.1:8081", &http).replace("127.0.0.1:9902", &http);
    }
    let mut balancer = recipe("nginx").replace("listen 80;", &format!("listen {};", fronts[0]));
    for (index, front) in fronts[1..].iter().enumerate() {
        balancer = balancer.replace(&format!("10.0.0.{}:8080", index + 1), front);
    }
    let configuration = format!(
        "daemon off;\nmaster_process off;\npid {place}/nginx.pid;\nerror_log stderr;\n\
         events {{}}\nhttp {{\naccess_log off;\nclient_body_temp_path {place}/b;\n\
         proxy_temp_path {place}/p;\nfastcgi_temp_path {place}/f;\nuwsgi_temp_path {place}/u;\n\
         scgi_temp_path {place}/s;\n{text}{balancer}}}\n"
    );
    let line = [nginx.to_str().unwrap(), "-c", "FILE", "-e", "stderr"];
    let (mut running, log) = start(&cluster, &line, &configuration);
    follow_a_failover(&mut cluster, &fronts[..1], &log);
    running.signal(Signal::TERM);
    running.wait();
}
