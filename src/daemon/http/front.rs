//! Owns what is served as it is: fixed texts inside the binary, each with its path.
//! Never reads a file. Whatever a text needs is in it, or is asked of this node: its policy lets a
//! browser fetch nothing from elsewhere.

use crate::wire::http::Answer;

/// What a browser may do with such a text: nothing but what is in it, and ask this node.
const POLICY: &str = "Content-Security-Policy: default-src 'self' 'unsafe-inline'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n";

/// One text.
struct Fixed {
    path: &'static str,
    kind: &'static str,
    text: &'static str,
}

static TEXTS: &[Fixed] =
    &[Fixed { path: "/", kind: "text/html; charset=utf-8", text: include_str!("page.html") }];

/// The text at `path`, if there is one.
pub(super) fn find(path: &str) -> Option<Answer> {
    let found = TEXTS.iter().find(|fixed| fixed.path == path)?;
    Some(Answer { kind: found.kind, lines: POLICY.to_owned(), ..Answer::text(found.text) })
}
