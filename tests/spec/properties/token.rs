//! Tokens: what is taken is what is spelled again, one changed character is noticed, and no error
//! repeats any of it. Never looks whether an invitation is open.

use quorate::protocol::units::{ClusterId, NodeId, Pin};
use quorate::wire::token::{InviteId, SEEDS_MAX, Secret, Seed, TOKEN_MAX, Token, TokenError};

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "token",
    check,
    seeds,
    words: &["qj1_", "qj2_", "qj", "_", "-", "A", "AAAA", "=", "+", "/", "\n", " ", "é", "\0"],
};

fn check(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let token = match Token::parse(text) {
        Ok(token) => token,
        Err(error) => {
            super::assert_speakable(&error.to_string());
            return false;
        }
    };
    let word: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    assert_eq!(token.spell(), word);
    assert!(word.len() <= TOKEN_MAX && (1..=SEEDS_MAX).contains(&token.seeds.len()));
    assert!(token.seeds.iter().all(|seed| !seed.address.contains(|c: char| c.is_control())));
    assert_eq!(InviteId::from_hex(&token.invite.to_string()), Some(token.invite));
    let place = usize::from(bytes[bytes.len() / 2]) % word.len();
    let other = if word.as_bytes()[place] == b'A' { 'B' } else { 'A' };
    let changed: String =
        word.char_indices().map(|(at, c)| if at == place { other } else { c }).collect();
    assert!(Token::parse(&changed).is_err(), "a changed token passes: {changed}");
    assert_eq!(Token::parse(&word[..word.len() - 1]), Err(TokenError::Damaged));
    true
}

/// A token of nobody's.
pub(super) fn token(name: Option<&str>, seeds: usize) -> Token {
    let seed = |number: usize| {
        let byte = u8::try_from(number).expect("a few");
        Seed::new(&Pin([byte; 32]), &format!("10.0.0.{number}:9901"))
    };
    Token {
        cluster: ClusterId([7; 16]),
        invite: InviteId([1, 2, 3, 0xff]),
        secret: Secret([9; 16]),
        name: name.and_then(NodeId::new),
        seeds: (1..=seeds).map(seed).collect(),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let wrapped = token(Some("delta"), 3).spell();
    let wrapped = format!("  {}\n{}\r\n", &wrapped[..60], &wrapped[60..]);
    let all = [
        token(None, 1).spell(),
        token(Some("a"), 2).spell(),
        token(Some(&"n".repeat(64)), SEEDS_MAX).spell(),
        wrapped,
        "qj2_AAAA".to_owned(),
        "qj1_AAAA".to_owned(),
        String::new(),
    ];
    all.map(String::into_bytes).into()
}
