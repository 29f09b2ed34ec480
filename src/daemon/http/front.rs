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

static TEXTS: &[Fixed] = &[Fixed { path: "/", kind: "text/plain; charset=utf-8", text: INDEX }];

/// What there is.
const INDEX: &str = "\
quorate answers here, and changes nothing.

200 or 503, with a reason:
  /master  /leader  /primary  /read-write    it acts as master at this moment
  /backup  /replica  /standby                it follows a master and is of use to readers
  /read-only                                 either of them
  /health  /quorum                           it hears a majority, and its disk is sound
  /liveness                                  its loops turn, with or without a majority
  /readiness                                 it knows who is master
JSON:
  /status  /cluster  /history  /config
Prometheus:
  /metrics
";

/// The text at `path`, if there is one.
pub(super) fn find(path: &str) -> Option<Answer> {
    let found = TEXTS.iter().find(|fixed| fixed.path == path)?;
    Some(Answer { kind: found.kind, lines: POLICY.to_owned(), ..Answer::text(found.text) })
}
