//! Whatever is sent to the port for HTTP, those who ask decently are answered (H48-H57).
//! Never measures how fast: that others are answered while somebody misbehaves is the measure.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::super::cluster::{Cluster, acting};
use super::super::looks::eventually;
use super::super::node::Node;
use super::{connect, door, founded, get, rest, sent};

/// One node that leads, and where it answers.
fn alone() -> (Cluster, String) {
    let mut cluster = founded(1);
    cluster.start();
    cluster.until("alpha acts", |view| acting(view, "alpha").map(|_| ()));
    let address = door(&cluster, "alpha");
    (cluster, address)
}

/// That it still acts in the same term and answers.
fn is_unmoved(cluster: &Cluster, address: &str) {
    assert_eq!(get(address, "/master").json()["term"], 1);
    assert_eq!(get(address, "/status").status, 200);
    cluster.until("alpha acts in its first term", |view| {
        (acting(view, "alpha")?.term == 1).then_some(())
    });
}

fn refused(address: &str, request: &[u8], status: u16) {
    let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
    let reply = sent(address, request).unwrap_or_else(|| panic!("closed at {shown:?}"));
    assert_eq!(reply.status, status, "{shown:?}: {reply:?}");
    assert_eq!(reply.line("Connection"), Some("close"));
    if [400, 403, 408, 431, 505].contains(&status) {
        assert!(!reply.head.contains("X-Quorate"), "a stranger is told nothing: {reply:?}");
    }
}

fn files(node: &Node) -> usize {
    let path = format!("/proc/{}/fd", node.pid().as_raw_pid());
    std::fs::read_dir(path).unwrap().count()
}

/// H48
#[test]
fn a_request_that_trickles_or_never_ends_holds_nobody_up_and_is_ended() {
    let (cluster, address) = alone();
    let before = files(&cluster.nodes[0]);
    let slow: Vec<TcpStream> = (0..30)
        .map(|index| {
            let mut stream = connect(&address);
            let begun: &[u8] =
                if index % 2 == 0 { b"GET /master HTTP/1.1\r\nHost: a" } else { b"" };
            stream.write_all(begun).unwrap();
            stream
        })
        .collect();
    let mut trickle = connect(&address);
    is_unmoved(&cluster, &address);
    let head = b"GET /master HTTP/1.1\r\nHost: localhost\r\n".iter();
    let mut bytes = head.chain(b"X-Slow: ".iter()).chain(std::iter::repeat(&b'a'));
    // A byte at a time, and each one in time: the whole is not.
    eventually("the trickle is ended", || {
        let is_ended = trickle.write_all(&[*bytes.next().unwrap()]).is_err();
        is_ended.then_some(())
    });
    for (index, stream) in slow.into_iter().enumerate() {
        let text = rest(stream);
        let wanted = if index % 2 == 0 { "HTTP/1.1 408 " } else { "" };
        assert!(text.starts_with(wanted) && (index % 2 == 0) != text.is_empty(), "{text}");
    }
    eventually("all its files are closed", || {
        (files(&cluster.nodes[0]) <= before + 1).then_some(())
    });
    is_unmoved(&cluster, &address);
}

/// H48: nobody reads the answer either.
#[test]
fn an_answer_that_nobody_reads_holds_nobody_up() {
    let (cluster, address) = alone();
    let mute: Vec<TcpStream> = (0..20)
        .map(|_| {
            let mut stream = connect(&address);
            stream.write_all(b"GET /history HTTP/1.0\r\n\r\n").unwrap();
            stream
        })
        .collect();
    is_unmoved(&cluster, &address);
    drop(mute);
    is_unmoved(&cluster, &address);
}

/// H49
#[test]
fn a_head_that_is_too_long_or_not_strictly_http_is_refused() {
    let (cluster, address) = alone();
    let long = |count: usize| [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; count]].concat();
    refused(&address, &long(1 << 20), 431);
    refused(&address, &long(8 << 10), 431);
    let many: String = (0..10_000).map(|index| format!("X-{index}: 1\r\n")).collect();
    refused(&address, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes(), 431);
    let many = "X: 1\r\n".repeat(65);
    refused(&address, format!("GET / HTTP/1.1\r\n{many}\r\n").as_bytes(), 431);
    for odd in [
        "GET / HTTP/1.1\nHost: localhost\n\n",
        "GET / HTTP/1.1\r\nHost: localhost\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\rX: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\n folded: 1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "get / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /\r\n\r\n",
    ] {
        refused(&address, odd.as_bytes(), 400);
    }
    is_unmoved(&cluster, &address);
}

/// H50
#[test]
fn a_request_with_a_body_or_two_lengths_is_refused_and_what_follows_is_no_request() {
    let (cluster, address) = alone();
    let lines = [
        "Content-Length: 5",
        "Content-Length: 0\r\nContent-Length: 0",
        "Content-Length: 0\r\nContent-Length: 44",
        "Content-Length: +0",
        "Content-Length: 0, 0",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding:\tchunked, identity",
        "transfer-encoding: ",
    ];
    for line in lines {
        let smuggled = "0\r\n\r\nGET /status HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let request =
            format!("GET /master HTTP/1.1\r\nHost: localhost\r\n{line}\r\n\r\n{smuggled}");
        refused(&address, request.as_bytes(), 400);
        let mut stream = connect(&address);
        stream.write_all(request.as_bytes()).unwrap();
        assert_eq!(rest(stream).matches("HTTP/1.1 ").count(), 1, "{line}");
    }
    let sound = b"GET /master HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(sent(&address, sound).unwrap().status, 200);
    is_unmoved(&cluster, &address);
}

/// H51
#[test]
fn a_path_that_climbs_or_hides_finds_nothing() {
    let (cluster, address) = alone();
    for path in [
        "/../../etc/passwd",
        "/%2e%2e%2f%2e%2e%2fetc/passwd",
        "/master%00",
        "/%6daster",
        "//master",
        "/master/",
        "/./master",
        "/status/../master",
        "/MASTER",
        "http://localhost/master",
        "*",
        "master",
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let reply = sent(&address, request.as_bytes()).unwrap();
        assert_eq!(reply.status, 404, "{path}: {reply:?}");
        assert!(!reply.body.contains("root:"), "{reply:?}");
    }
    is_unmoved(&cluster, &address);
}

/// H52
#[test]
fn a_method_that_asks_to_do_something_is_refused_with_those_that_are_allowed() {
    let (cluster, address) = alone();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "QUERY", "GETT"] {
        let request = format!("{method} /master HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let reply = sent(&address, request.as_bytes()).unwrap();
        assert_eq!(reply.status, 405, "{reply:?}");
        assert_eq!(reply.line("Allow"), Some("GET, HEAD, OPTIONS"));
    }
    let connect = b"CONNECT localhost:22 HTTP/1.1\r\nHost: localhost:22\r\n\r\n";
    refused(&address, connect, 405);
    let long = format!("{} / HTTP/1.1\r\nHost: localhost\r\n\r\n", "A".repeat(1 << 10));
    refused(&address, long.as_bytes(), 405);
    is_unmoved(&cluster, &address);
}

/// H53
#[test]
fn other_protocols_and_a_queue_of_requests_get_one_answer_and_the_end() {
    let (cluster, address) = alone();
    refused(&address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505);
    refused(&address, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400);
    refused(&address, b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 400);
    refused(&address, &[0; 64], 400);
    let many = "GET /master HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(10_000);
    let mut stream = connect(&address);
    // It may end before all of them are sent.
    stream.write_all(many.as_bytes()).ok();
    let mut bytes = Vec::new();
    // What is never read resets the connection, sooner or later.
    stream.read_to_end(&mut bytes).ok();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.matches("HTTP/1.1 ").count() <= 1, "{text}");
    let two = "GET /master HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2);
    let mut stream = connect(&address);
    stream.write_all(two.as_bytes()).unwrap();
    let text = rest(stream);
    assert!(text.starts_with("HTTP/1.1 200 ") && text.matches("HTTP/1.1 ").count() == 1, "{text}");
    is_unmoved(&cluster, &address);
}

/// H54
#[test]
fn a_page_of_another_site_reads_nothing_whatever_its_name_was_bent_to() {
    let mut cluster = super::founded_with(1, |_| "http_hosts: [Shop.example.NET]\n".to_owned());
    cluster.start();
    let address = door(&cluster, "alpha");
    cluster.until("alpha acts", |view| acting(view, "alpha").map(|_| ()));
    let asks = |host: &str| {
        let request = format!(
            "GET /status HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.example\r\n\
             Cookie: a=b\r\nAccess-Control-Request-Method: GET\r\n\r\n"
        );
        sent(&address, request.as_bytes()).unwrap()
    };
    for host in
        ["evil.example", "evil.example:9902", "localhost.evil.example", "alpha.evil.example"]
    {
        let reply = asks(host);
        assert_eq!(reply.status, 403, "{host}: {reply:?}");
        assert!(!reply.head.contains("X-Quorate") && !reply.body.contains("alpha"), "{reply:?}");
        assert!(reply.body.contains("`http_hosts` in node.yaml"), "{reply:?}");
    }
    for host in [
        "localhost",
        "LOCALHOST:1",
        "alpha",
        "alpha.",
        "127.0.0.1:80",
        "[::1]:9902",
        "shop.example.net",
    ] {
        let reply = asks(host);
        assert_eq!(reply.status, 200, "{host}: {reply:?}");
        assert!(!reply.head.contains("Access-Control") && !reply.head.contains("Set-Cookie"));
        assert_eq!(reply.line("Cross-Origin-Resource-Policy"), Some("same-origin"));
    }
    for host in ["", "a b", "a@b", "a:b", "a:123456", "[::1", "a/b"] {
        let request = format!("GET /status HTTP/1.1\r\nHost: {host}\r\n\r\n");
        refused(&address, request.as_bytes(), 400);
    }
    let two = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: alpha\r\n\r\n";
    refused(&address, two, 400);
}

/// H55
#[test]
fn without_a_word_in_node_yaml_only_this_machine_is_answered() {
    let mut cluster = founded(1);
    let node = cluster.node("alpha");
    let path = node.home.join("node.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    let line = text.lines().find(|line| line.starts_with("http:")).unwrap().to_owned();
    std::fs::write(&path, text.replace(&line, "")).unwrap();
    node.start();
    eventually("it says where it answers, or that it cannot there", || {
        let log = node.log();
        let answers = log.contains("answering over HTTP at 127.0.0.1:9902");
        (answers || log.contains("no HTTP: cannot answer at 127.0.0.1:9902")).then_some(())
    });
    node.end(rustix::process::Signal::KILL);
    // Where somebody said that it must answer, it does not start without.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken_at = taken.local_addr().unwrap();
    std::fs::write(&path, text.replace(&line, &format!("http: {taken_at}"))).unwrap();
    node.fail_to_start().refused(73, &["cannot answer at", "`http` in node.yaml"]);
}

/// H56
#[test]
fn a_flood_of_questions_and_of_idle_callers_moves_nothing() {
    let mut cluster = founded(3);
    cluster.start();
    let (master, term) = cluster.settles();
    let address = door(&cluster, &master);
    let before = files(cluster.node(&master));
    let askers: Vec<_> = (0..8)
        .map(|asker| {
            let address = address.clone();
            let ask = move || {
                let path = ["/master", "/status", "/history", "/cluster"][asker % 4];
                let answered =
                    |_: &u32| sent(&address, format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes());
                (0..400).filter_map(|index| answered(&index)).filter(|r| r.status == 200).count()
            };
            std::thread::Builder::new().name("asks".to_owned()).spawn(ask).unwrap()
        })
        .collect();
    let answered: Vec<usize> = askers.into_iter().map(|asker| asker.join().unwrap()).collect();
    assert!(answered.iter().all(|count| *count == 400), "{answered:?}");
    // More idle ones than there are places: the oldest go, and whoever asks is served.
    let idle: Vec<TcpStream> = (0..200).map(|_| connect(&address)).collect();
    eventually("somebody is answered", || {
        let reply = sent(&address, b"GET /master HTTP/1.0\r\n\r\n")?;
        (reply.status == 200).then_some(())
    });
    drop(idle);
    eventually("all its files are closed", || {
        (files(cluster.node(&master)) <= before + 1).then_some(())
    });
    assert_eq!(cluster.settles(), (master, term), "nobody noticed");
}
