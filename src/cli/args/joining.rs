//! Reads the words and flags of those commands by which nodes come in.
//! Never reads a token: that it is one is found out where it is used.

use std::path::PathBuf;
use std::time::Duration;

use super::{Command, InviteOptions, JoinFlags, Typed, UsageError};
use crate::protocol::membership::MemberRole;
use crate::protocol::units::{NodeId, Pin};
use crate::settings::suggest::nearest;
use crate::settings::words;
use crate::wire::token::{InviteId, TokenFrom};

/// How long an invitation is good for, unless a flag says otherwise.
const TTL: Duration = Duration::from_secs(60 * 60);
/// No invitation is good for longer.
const TTL_MAX: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long a node tries to join without a master.
const JOINED_WITHIN: Duration = Duration::from_secs(30);

/// `quorate invite`, or what it is asked instead.
pub(super) fn invite(typed: &mut Typed) -> Result<Command, UsageError> {
    let revoked = typed.text("revoke")?;
    let makes = ["ttl", "role", "name", "manual"].into_iter().find(|flag| typed.has(flag));
    match (typed.has("list"), revoked, makes) {
        (true, Some(_), _) => {
            Err(typed.wrong("--list shows and --revoke withdraws: give one of them".to_owned()))
        }
        (true, None, Some(flag)) | (false, Some(_), Some(flag)) => {
            Err(typed.wrong(format!("--{flag} is for a new invitation: leave it out")))
        }
        (true, None, None) => Ok(Command::InviteList(typed.format())),
        (false, _, _) if typed.has("json") => {
            Err(typed.wrong("--json goes with --list: a token is one word".to_owned()))
        }
        (false, Some(text), None) => match InviteId::from_hex(&text) {
            Some(id) => Ok(Command::InviteRevoke(id)),
            None => Err(typed.wrong(format!(
                "--revoke {text}: must be 8 digits of 0-9 a-f, as quorate invite --list shows"
            ))),
        },
        (false, None, _) => Ok(Command::Invite(options(typed)?)),
    }
}

fn options(typed: &mut Typed) -> Result<InviteOptions, UsageError> {
    let ttl = typed.time("ttl", TTL)?;
    if ttl < Duration::from_secs(1) || ttl > TTL_MAX {
        return Err(typed.wrong("--ttl must be 1s to 30d".to_owned()));
    }
    let word = typed.text("role")?;
    let role = word.as_deref().map_or(Some(MemberRole::Voter), words::role).ok_or_else(|| {
        let other = word.as_deref().unwrap_or_default();
        let meant = nearest(other, words::ROLES.map(words::of_role)).map(str::to_owned);
        let wrong = typed.wrong(format!("--role {other}: must be voter, witness or observer"));
        UsageError { meant, ..wrong }
    })?;
    let manual = typed.has("manual");
    if manual && role == MemberRole::Observer {
        let message = "--manual is about voting, and an observer does not vote: leave it out";
        return Err(typed.wrong(message.to_owned()));
    }
    let name = typed.text("name")?;
    let name = name.map(|name| {
        NodeId::new(&name).ok_or_else(|| {
            let rule = "1 to 64 characters of A-Z a-z 0-9 . _ -";
            typed.wrong(format!("--name {name} is no node's name: {rule}"))
        })
    });
    Ok(InviteOptions { ttl, role, name: name.transpose()?, manual })
}

/// `quorate join`.
pub(super) fn join(typed: &mut Typed) -> Result<JoinFlags, UsageError> {
    let file = typed.place("token-file")?;
    let token = match (typed.operands.pop(), file) {
        (Some(_), Some(_)) => {
            let message = "TOKEN and --token-file: give one of them";
            return Err(typed.wrong(message.to_owned()));
        }
        (Some(word), None) if word == "-" => TokenFrom::File(PathBuf::from("-")),
        (Some(word), None) => TokenFrom::Word(word.to_string_lossy().into_owned()),
        (None, Some(file)) => TokenFrom::File(file),
        (None, None) => {
            let message = "TOKEN is missing: what quorate invite printed on a member, or - to \
                           read it from standard input";
            return Err(typed.wrong(message.to_owned()));
        }
    };
    Ok(JoinFlags {
        token,
        name: typed.text("name")?,
        advertise: typed.text("advertise")?,
        patience: typed.time("wait", JOINED_WITHIN)?,
    })
}

/// The key that `quorate approve` is about.
pub(super) fn fingerprint(typed: &mut Typed) -> Result<Pin, UsageError> {
    let Some(word) = typed.operands.pop() else {
        return Err(typed.wrong("KEY is missing: what quorate join printed there".to_owned()));
    };
    let word = word.to_string_lossy();
    let digits = word.strip_prefix("SHA256:").unwrap_or(&word);
    Pin::from_hex(digits).ok_or_else(|| {
        let word = word.escape_debug();
        typed.wrong(format!("`{word}` is no key: write SHA256: and all its 64 digits of 0-9 a-f"))
    })
}
