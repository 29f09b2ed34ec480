//! HTTP as it is spelled: which heads are requests, how an answer looks.
//! Never opens a socket.

use quorate::wire::http::{
    Answer, HEAD_BYTES_MAX, HEADERS_MAX, Method, Refusal, Request, head_end, request,
};

fn read(text: &str) -> Result<Request<'_>, Refusal> {
    match head_end(text.as_bytes(), 0)? {
        Some(end) => request(&text.as_bytes()[..end]),
        None => panic!("{text:?} is no whole head"),
    }
}

#[test]
fn a_request_is_its_method_its_path_and_its_host() {
    let text =
        "HEAD /read-only?a=/b?c HTTP/1.1\r\nAccept: */*\r\nhOsT: Shop.example:80\r\n\r\nmore";
    let wanted = Request { method: Method::Head, path: "/read-only", host: Some("Shop.example") };
    assert_eq!(read(text), Ok(wanted));
    let wanted = Request { method: Method::Options, path: "*", host: None };
    assert_eq!(read("OPTIONS * HTTP/1.0\r\n\r\n"), Ok(wanted));
    for (host, name) in [
        ("[2001:db8::1]:9902", "2001:db8::1"),
        ("[::1]", "::1"),
        ("10.0.0.1", "10.0.0.1"),
        ("a.:", "a."),
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert_eq!(read(&text).unwrap().host, Some(name), "{host}");
    }
}

#[test]
fn a_head_is_found_wherever_the_pieces_are_cut() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for cut in 1..head.len() {
        assert_eq!(head_end(&head[..cut], 0), Ok(None), "{cut}");
        assert_eq!(head_end(head, cut), Ok(Some(head.len())), "{cut}");
    }
}

/// H49
#[test]
fn a_head_that_grows_too_long_is_refused_when_it_does() {
    let mut head = b"GET / HTTP/1.1\r\nX: ".to_vec();
    head.resize(HEAD_BYTES_MAX - 1, b'a');
    assert_eq!(head_end(&head, 0), Ok(None));
    head.push(b'a');
    assert_eq!(head_end(&head, HEAD_BYTES_MAX - 1), Err(Refusal::TooLarge));
    let lines =
        |count: usize| format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: 1\r\n".repeat(count - 1));
    assert!(read(&lines(HEADERS_MAX)).is_ok());
    assert_eq!(read(&lines(HEADERS_MAX + 1)), Err(Refusal::TooLarge));
}

#[test]
fn a_line_that_ends_in_another_way_is_refused_at_once() {
    for start in ["GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nA: b\n", "GET / HTTP/1.1\rA", "\r", "\n"] {
        assert_eq!(head_end(start.as_bytes(), 0), Err(Refusal::Malformed), "{start:?}");
    }
}

#[test]
fn an_answer_has_its_length_and_keeps_its_body_from_those_who_did_not_want_it() {
    let answer = Answer::json(503, "{\"é\":1}\n");
    let text = |method| String::from_utf8(answer.bytes(method)).unwrap();
    let full = text(Some(Method::Get));
    assert!(full.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{full}");
    assert!(
        full.ends_with("\r\n\r\n{\"é\":1}\n") && full.contains("Content-Length: 9\r\n"),
        "{full}"
    );
    let head = text(Some(Method::Head));
    assert!(head.ends_with("\r\n\r\n") && head.contains("Content-Length: 9\r\n"), "{head}");
    let options = text(Some(Method::Options));
    assert!(
        options.ends_with("\r\n\r\n") && options.contains("Content-Length: 0\r\n"),
        "{options}"
    );
    assert_eq!(text(None), full);
}
