//! The head of an HTTP request: one request or one refusal, wherever its bytes were cut.
//! Never opens a socket.

use quorate::wire::http::{HEAD_BYTES_MAX, Method, Refusal, head_end, request};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "http",
    check,
    seeds,
    words: &[
        "GET ",
        "HEAD ",
        "OPTIONS ",
        "POST ",
        "/master",
        "*",
        "?",
        " HTTP/1.1\r\n",
        " HTTP/1.0\r\n",
        " HTTP/2.0\r\n",
        "Host: ",
        "localhost",
        "[::1]",
        ":9902",
        "Content-Length: 0\r\n",
        "Content-Length: 5\r\n",
        "Transfer-Encoding: chunked\r\n",
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r",
        "\0",
        "\t",
        " ",
        "%00",
        "../",
        "\u{fc}",
    ],
};

fn check(bytes: &[u8]) -> bool {
    let whole = head_end(bytes, 0);
    assert_eq!(in_pieces(bytes), whole, "it depends on where the bytes were cut");
    let end = match whole {
        Ok(Some(end)) => end,
        Ok(None) => return false,
        Err(refusal) => return refused(refusal),
    };
    assert!(end <= bytes.len() && bytes[..end].ends_with(b"\r\n\r\n"));
    let head = &bytes[..end];
    let found = match request(head) {
        Ok(found) => found,
        Err(refusal) => return refused(refusal),
    };
    assert_eq!(request(head).as_ref(), Ok(&found));
    assert!(!found.path.contains([' ', '\r', '\n', '\0', '?']), "{found:?}");
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    assert!(found.host.is_none_or(|host| !host.is_empty() && host.chars().all(is_host)));
    let text = String::from_utf8_lossy(head).to_ascii_lowercase();
    assert!(!text.contains("\r\ntransfer-encoding:"), "a body nobody reads: {text}");
    assert!(text.matches("\r\nhost:").count() <= 1, "two names: {text}");
    assert!(text.matches("\r\ncontent-length:").count() <= 1, "two lengths: {text}");
    true
}

/// The same, byte by byte, as it may arrive.
fn in_pieces(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    for count in 1..=bytes.len() {
        match head_end(&bytes[..count], count - 1) {
            Ok(None) => {}
            found => return found,
        }
    }
    Ok(None)
}

fn refused(refusal: Refusal) -> bool {
    let answer = refusal.answer();
    assert!((400..=505).contains(&answer.status) && answer.lines.is_empty());
    let bytes = answer.bytes(None);
    assert!(bytes.starts_with(b"HTTP/1.1 ") && bytes.len() < HEAD_BYTES_MAX);
    assert!(answer.bytes(Some(Method::Head)).ends_with(b"\r\n\r\n"));
    false
}

fn seeds() -> Vec<Vec<u8>> {
    [
        "GET / HTTP/1.1\r\nHost: localhost:9902\r\nUser-Agent: a\r\nAccept: */*\r\n\r\n",
        "OPTIONS /primary HTTP/1.0\r\n\r\n",
        "HEAD /read-only?a=b HTTP/1.1\r\nhost: [::1]\r\ncontent-length: 0\r\n\r\nmore",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ]
    .map(|text| text.as_bytes().to_vec())
    .into()
}
