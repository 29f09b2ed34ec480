//! What a newcomer asks and what it is answered: whole or refused, and small enough for its frame.
//! Never lets anybody in.

use quorate::protocol::units::{ClusterId, NodeId, StorageId};
use quorate::wire::codec::hash_of;
use quorate::wire::frame::Class;
use quorate::wire::join::{JoinAnswer, JoinRequest};
use quorate::wire::proof::Proof;

use super::Target;
use super::sample::charter;

pub(super) const TARGET: Target = Target {
    name: "join",
    check,
    seeds,
    words: &[
        "cluster",
        "invite",
        "node",
        "address",
        "storage",
        "proof",
        "key",
        "signature",
        "rest",
        "welcome",
        "later",
        "no",
        "why",
        "document",
        "position",
        "revision",
        "hash",
        "term",
        "version",
        "{",
        "}",
        "\"",
        ":",
        ",",
        "\n",
        "null",
        "00000000",
    ],
};

fn check(bytes: &[u8]) -> bool {
    let request = JoinRequest::decode(bytes);
    let is_request = match &request {
        Ok(request) => {
            let again = request.encode();
            assert!(again.len() <= Class::Join.limit(), "{} bytes", again.len());
            assert_eq!(JoinRequest::decode(&again).as_ref(), Ok(request));
            assert!(request.invite().is_some());
            // Whatever was made up: it shows nothing.
            assert!(!request.proof.shows(&hash_of(b"secret"), &[0; 32]));
            true
        }
        Err(error) => {
            super::assert_speakable(&error.to_string());
            false
        }
    };
    let charter_of = |_: &str| Ok(charter());
    let is_answer = match JoinAnswer::decode(bytes, &charter_of) {
        Ok(answer) => {
            let again = JoinAnswer::decode(&answer.encode(), &charter_of);
            // Words of somebody else's are made harmless once more.
            let is_welcome = matches!(answer, JoinAnswer::Welcome(_));
            assert!(again.is_ok() && (!is_welcome || again == Ok(answer)));
            true
        }
        Err(error) => {
            super::assert_speakable(&error.to_string());
            false
        }
    };
    is_request || is_answer
}

fn seeds() -> Vec<Vec<u8>> {
    let token = super::token::token(None, 1);
    let request = JoinRequest::new(
        (ClusterId([7; 16]), token.invite),
        NodeId::new("delta").expect("a name"),
        "10.0.0.4:9901".to_owned(),
        StorageId([4; 16]),
        Proof::of(&token, &[3; 32]),
    );
    let body = b"cluster: shop\n";
    let welcome = format!(
        concat!(
            r#"{{"welcome":{{"document":{{"position":{{"term":1,"version":2}},"#,
            r#""revision":3,"hash":"{}"}}}}}}"#
        ),
        hash_of(body)
    );
    vec![
        request.encode(),
        JoinAnswer::Later("an edit waits".to_owned()).encode(),
        JoinAnswer::No(String::new()).encode(),
        [welcome.as_bytes(), b"\n", body].concat(),
    ]
}
