//! Spells HTTP/1: the head of a request as a question, an answer as bytes. One question, one answer
//! and the end: nothing here takes a body, keeps a connection or guesses where a request ends.
//! Never opens a socket, and never knows what is asked for.

/// The longest head of a request, in bytes (H49).
pub const HEAD_BYTES_MAX: usize = 8 << 10;
/// The most lines in it.
pub const HEADERS_MAX: usize = 64;

/// The methods that are answered, for `Allow`.
const ALLOWED: &str = "GET, HEAD, OPTIONS";

/// What is wanted of a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Method {
    /// All of it.
    Get,
    /// All but the body.
    Head,
    /// The same as far as the status goes, as load balancers ask.
    Options,
}

/// A request that can be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request<'a> {
    /// What is wanted.
    pub method: Method,
    /// Of what, without what follows a question mark.
    pub path: &'a str,
    /// By what name whoever asks calls this node, without the port; none in HTTP/1.0 only.
    pub host: Option<&'a str>,
}

/// Why a request is not answered; the connection is closed, since nobody knows what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// It is no HTTP, or not strictly.
    Malformed,
    /// It says that a body follows, or more than one thing about where that ends (H50).
    Body,
    /// It is another version of HTTP.
    Version,
    /// Its head is too long, or has too many lines.
    TooLarge,
    /// It was not all there in time (H48).
    TooSlow,
    /// It asks to do something (H52).
    Method,
    /// It calls this node by a name that is not known to be its own (H54).
    Host,
}

impl Refusal {
    /// The status, and what to do about it.
    fn words(self) -> (u16, &'static str) {
        match self {
            Self::Malformed => (400, "this is no HTTP/1.1 request as RFC 9112 has it"),
            Self::Body => (400, "a request here has no body: it only asks"),
            Self::Version => (505, "only HTTP/1.0 and HTTP/1.1 are spoken here, without TLS"),
            Self::TooLarge => (431, "the head of the request is too long"),
            Self::TooSlow => (408, "the request was not all there in time"),
            Self::Method => (405, "GET, HEAD and OPTIONS are answered here; nothing is changed"),
            Self::Host => (
                403,
                "this node is not known by the name in Host: use its address, or add the name to \
                 `http_hosts` in node.yaml",
            ),
        }
    }

    /// The answer that says so. It tells nothing about the node.
    #[must_use]
    pub fn answer(self) -> Answer {
        let (status, words) = self.words();
        Answer { status, body: format!("{words}\n").into(), ..Answer::text("") }
    }
}

/// Where the head of `bytes` ends, if it does yet. Only what came after the first `known` bytes is
/// looked at, so that a byte at a time costs no more than all at once.
///
/// # Errors
/// What came cannot become a head.
pub fn head_end(bytes: &[u8], known: usize) -> Result<Option<usize>, Refusal> {
    let starts_well = bytes.first().is_none_or(u8::is_ascii_uppercase);
    if !starts_well {
        return Err(Refusal::Malformed);
    }
    for at in known..bytes.len() {
        let line_end = at.checked_sub(1).is_some_and(|before| bytes[before] == b'\r');
        match bytes[at] {
            // A line that ends in other ways is another line to the next reader.
            b'\n' if !line_end => return Err(Refusal::Malformed),
            b'\n' if bytes[..=at].ends_with(b"\r\n\r\n") => return Ok(Some(at + 1)),
            b'\n' => {}
            _ if line_end => return Err(Refusal::Malformed),
            _ => {}
        }
    }
    if bytes.len() >= HEAD_BYTES_MAX { Err(Refusal::TooLarge) } else { Ok(None) }
}

/// The request of a whole head.
///
/// # Errors
/// Why it is not answered.
pub fn request(head: &[u8]) -> Result<Request<'_>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::Malformed),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLarge),
        Err(httparse::Error::Version) => return Err(Refusal::Version),
        Err(_) => return Err(Refusal::Malformed),
    }
    let host = host_of(parsed.headers)?;
    if host.is_none() && parsed.version != Some(0) {
        return Err(Refusal::Malformed);
    }
    let method = match parsed.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        Some("OPTIONS") => Method::Options,
        Some(_) | None => return Err(Refusal::Method),
    };
    let target = parsed.path.unwrap_or_default();
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    Ok(Request { method, path, host })
}

/// The one host that the lines name, if they announce no body.
fn host_of<'a>(headers: &[httparse::Header<'a>]) -> Result<Option<&'a str>, Refusal> {
    let mut host = None;
    let mut lengths = 0;
    for header in headers {
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(Refusal::Body);
        }
        if header.name.eq_ignore_ascii_case("content-length") {
            lengths += 1;
            if lengths > 1 || header.value != b"0" {
                return Err(Refusal::Body);
            }
        }
        if header.name.eq_ignore_ascii_case("host") {
            let name = core::str::from_utf8(header.value).ok().and_then(without_port);
            if host.is_some() || name.is_none() {
                return Err(Refusal::Malformed);
            }
            host = name;
        }
    }
    Ok(host)
}

/// What stands before the port, without the brackets of an IPv6 address.
fn without_port(host: &str) -> Option<&str> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let (name, port) = rest.split_once(']')?;
            (name, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    let is_port = port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let is_named = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b':'));
    (is_port && is_named && !name.is_empty()).then_some(name)
}

/// What is answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// What kind of text the body is.
    pub kind: &'static str,
    /// More lines of the head, each with its end.
    pub lines: String,
    /// The text.
    pub body: alloc::sync::Arc<str>,
}

impl Answer {
    /// A text for people.
    #[must_use]
    pub fn text(body: &str) -> Self {
        Self {
            status: 200,
            kind: "text/plain; charset=utf-8",
            lines: String::new(),
            body: body.into(),
        }
    }

    /// A JSON object.
    #[must_use]
    pub fn json(status: u16, body: impl Into<alloc::sync::Arc<str>>) -> Self {
        Self { status, kind: "application/json", body: body.into(), ..Self::text("") }
    }

    /// The bytes for `method`; without one, those of an answer to what could not be read.
    #[must_use]
    pub fn bytes(&self, method: Option<Method>) -> Vec<u8> {
        let Self { status, kind, lines, body } = self;
        let is_options = method == Some(Method::Options);
        let (length, body) = if is_options { (0, "") } else { (body.len(), &**body) };
        let body = if method == Some(Method::Head) { "" } else { body };
        let mut text = String::with_capacity(512 + body.len());
        let phrase = phrase(*status);
        text.push_str(&format!(
            "HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Referrer-Policy: no-referrer\r\nCross-Origin-Resource-Policy: same-origin\r\n"
        ));
        if is_options || *status == 405 {
            text.push_str(&format!("Allow: {ALLOWED}\r\n"));
        }
        text.push_str(lines);
        text.push_str("\r\n");
        text.push_str(body);
        text.into_bytes()
    }
}

fn phrase(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        431 => "Request Header Fields Too Large",
        505 => "HTTP Version Not Supported",
        _ => "Service Unavailable",
    }
}
