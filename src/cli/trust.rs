//! Decides whether what answers at a socket is to be believed: whoever could put a socket there
//! could say `master`. Facts about users and directories in, a verdict out; `facts_of` gathers
//! them. Never connects.
//!
//! Root and the asking user are believed. Another user, such as one made for the daemon, is only
//! where nobody but root and that user can put a socket: on no part of the way may others write.
//! In a place where everybody may write, such as /tmp, the socket's directory must be ours as
//! well: a stranger who made it first could lead us to any other daemon of ours.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

/// A directory on the way to a socket, or what stands where one should.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Step {
    /// Its path.
    pub path: PathBuf,
    /// Whether it is a directory, and not a link to one.
    pub is_directory: bool,
    /// Its owner.
    pub owner: u32,
    /// Its permission bits.
    pub mode: u32,
}

impl Step {
    fn may_be_written_by_all(&self) -> bool {
        self.is_directory && self.mode & 0o002 != 0
    }

    fn may_be_written_beside_its_owner(&self) -> bool {
        self.mode & 0o022 != 0
    }
}

/// Who asks, who answers, and what lies on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The asking user.
    pub us: u32,
    /// The user whose program listens.
    pub answers: u32,
    /// The directories on the way, the socket's own first: as named, then with links resolved.
    pub named: Vec<Step>,
    /// See `named`.
    pub real: Vec<Step>,
}

/// Looks at the way to `socket`, where a program of user `answers` listens.
///
/// # Errors
/// The system does not say.
pub fn facts_of(socket: &Path, answers: u32, us: u32) -> io::Result<Facts> {
    let named = std::path::absolute(socket)?;
    let real = named.parent().unwrap_or(Path::new("/")).canonicalize()?;
    let named = named.ancestors().skip(1).map(step).collect::<io::Result<_>>()?;
    let real = real.ancestors().map(step).collect::<io::Result<_>>()?;
    Ok(Facts { us, answers, named, real })
}

fn step(path: &Path) -> io::Result<Step> {
    let found = path.symlink_metadata()?;
    let is_directory = FileType::from_raw_mode(found.mode()) == FileType::Directory;
    let mode = found.mode() & 0o7777;
    Ok(Step { path: path.to_owned(), is_directory, owner: found.uid(), mode })
}

/// Why the answer is not to be believed; `None` if it is.
#[must_use]
pub fn doubt(facts: &Facts) -> Option<String> {
    match stranger_on_the_way(facts) {
        Some(doubt) => Some(doubt),
        None if [0, facts.us].contains(&facts.answers) => None,
        None => stranger_at_the_end(facts),
    }
}

/// The socket's directory lies where everybody may write, and is not safely ours.
fn stranger_on_the_way(facts: &Facts) -> Option<String> {
    let [own, above, ..] = facts.named.as_slice() else { return None };
    if !above.may_be_written_by_all() {
        return None;
    }
    let path = own.path.display();
    if !own.is_directory {
        return Some(format!("{path} is no directory, and anybody may have put it there"));
    }
    if ![0, facts.us].contains(&own.owner) {
        return Some(format!("{path} belongs to user {}, who may have made it up", own.owner));
    }
    own.may_be_written_beside_its_owner()
        .then(|| format!("others may write into {path} (mode {:04o})", own.mode))
}

/// A program of another user answers, and not only root and that user could have put it there.
fn stranger_at_the_end(facts: &Facts) -> Option<String> {
    let trusted = [0, facts.us, facts.answers];
    let own = [&facts.named, &facts.real].map(|steps| steps.first()).into_iter().flatten();
    let group = own
        .filter(|step| step.is_directory && step.owner != facts.answers)
        .find(|step| step.may_be_written_beside_its_owner());
    let all = facts
        .named
        .iter()
        .chain(&facts.real)
        .find(|step| step.may_be_written_by_all() || !trusted.contains(&step.owner));
    group.or(all).map(|step| {
        format!(
            "it is a program of user {}, and not only root decides what stands in {} (owner {}, \
             mode {:04o})",
            facts.answers,
            step.path.display(),
            step.owner,
            step.mode
        )
    })
}
