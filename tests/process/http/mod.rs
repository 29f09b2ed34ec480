//! What is answered over HTTP, asked as load balancers, browsers and attackers ask.
//! Never speaks through a library: what is sent is what is written here, byte by byte.

mod answers;
mod balancers;
mod exposition;
mod hostile;
mod metrics;
mod page;
mod questions;
mod told;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::Value;

use super::clock::PATIENCE;
use super::cluster::{Cluster, loopback_addresses};
use super::looks::eventually;
use crate::spec::schema::assert_described;

/// Some nodes that answer over HTTP, each at an address of its own; nothing is started yet.
fn founded(count: usize) -> Cluster {
    founded_with(count, |_| String::new())
}

/// The same; `more` is what else each node.yaml says.
fn founded_with(count: usize, more: impl Fn(&str) -> String) -> Cluster {
    let addresses = loopback_addresses(count);
    Cluster::prepared(&addresses, &vec![Vec::new(); count], "never", |nodes| {
        for node in nodes {
            let (host, port) = node.address.rsplit_once(':').unwrap();
            let port: u16 = port.parse().unwrap();
            node.http = format!("{host}:{}", port + 5_000);
            node.more = more(&node.name).replace("HOST", host);
        }
    })
}

/// The node's address for HTTP.
fn door(cluster: &Cluster, name: &str) -> String {
    let node = cluster.nodes.iter().find(|node| node.name == name);
    node.expect("the test names a node of its cluster").http.clone()
}

/// Waits until somebody takes calls there.
fn answers(address: &str) {
    eventually(&format!("{address} answers"), || TcpStream::connect(address).ok());
}

/// What came back.
#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn of(text: &str) -> Option<Self> {
        let (head, body) = text.split_once("\r\n\r\n")?;
        let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
        Some(Self { status, head: head.to_owned(), body: body.to_owned() })
    }

    /// The value of a line of its head.
    fn line(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A connection on which nobody waits for ever.
fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Everything that still comes; nothing if the connection was reset.
fn rest(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("neither an answer nor an end: {error}"),
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What comes back for these bytes; nothing if the connection is just closed.
fn sent(address: &str, bytes: &[u8]) -> Option<Reply> {
    let mut stream = connect(address);
    // It may be refused before all of it was said.
    stream.write_all(bytes).ok();
    stream.shutdown(Shutdown::Write).ok();
    Reply::of(&rest(stream))
}

/// What comes back for a sound request.
fn asked(address: &str, method: &str, path: &str) -> Reply {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let reply = sent(address, request.as_bytes());
    reply.unwrap_or_else(|| panic!("no answer to {method} {path}"))
}

/// What comes back for GET; if it is JSON, it is what the schema describes.
fn get(address: &str, path: &str) -> Reply {
    let reply = asked(address, "GET", path);
    if reply.line("Content-Type") == Some("application/json") {
        assert_described(&["GET", row(path, &reply)], &reply.body);
    }
    reply
}

/// By what the page about JSON calls that answer.
fn row<'a>(path: &'a str, reply: &Reply) -> &'a str {
    match path.split('?').next().unwrap_or(path) {
        page @ ("/status" | "/cluster" | "/history" | "/config") if reply.status == 200 => page,
        "/status" | "/cluster" | "/history" | "/config" => "503",
        _ => "/master",
    }
}
