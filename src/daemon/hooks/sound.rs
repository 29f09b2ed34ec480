//! Decides whether a program may be started on this node's behalf: nobody but root and this
//! daemon's user may be able to change it, or what its path leads to. Never starts it.
//!
//! The path is walked from the root, through every symbolic link, and each directory, link and
//! the file at the end must belong to root or to us and be writable by nobody else. A directory
//! like /tmp, where only owners may remove and rename, is no danger to what is not theirs.

use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Access, OFlags, access};
use rustix::process::geteuid;

/// As many symbolic links as the system itself follows.
const LINKS_MAX: usize = 40;
/// As much of a first line as the system itself reads.
const FIRST_LINE_MAX: u64 = 256;

const WRITABLE_BY_GROUP: u32 = 0o020;
const WRITABLE_BY_OTHERS: u32 = 0o002;
const STICKY: u32 = 0o1000;

/// Why a program must not, or cannot, be started.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unsound {
    /// What is wrong, with its path.
    pub message: String,
    /// What to do now.
    pub advice: String,
}

impl fmt::Display for Unsound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.advice)
    }
}

impl std::error::Error for Unsound {}

fn unsound(message: String, advice: impl Into<String>) -> Unsound {
    Unsound { message, advice: advice.into() }
}

/// Whether the program at `path` may be started now.
///
/// # Errors
/// Why it may not, and what to do.
pub fn check(path: &Path) -> Result<(), Unsound> {
    if !path.is_absolute() {
        let message = format!("{} is no path from the root", path.display());
        return Err(unsound(message, "write the whole path, beginning with /"));
    }
    let (program, meta) = walk(path)?;
    let shown = program.display();
    if !meta.is_file() {
        let advice = "name a program in node.yaml";
        return Err(unsound(format!("{shown} is no plain file"), advice));
    }
    if access(&program, Access::EXEC_OK).is_err() {
        let message = format!("{shown} may not be executed (mode {:04o})", meta.mode() & 0o7777);
        let advice = format!("chmod a+x {shown}, unless its file system is mounted noexec");
        return Err(unsound(message, advice));
    }
    check_first_line(&program)
}

/// Where `path` leads, if every step to it can be trusted.
fn walk(path: &Path) -> Result<(PathBuf, Metadata), Unsound> {
    let mut steps: Vec<OsString> = steps(path);
    let mut at = PathBuf::from("/");
    let mut meta = look(&at)?;
    let mut links = 0;
    while let Some(step) = steps.pop() {
        if step == ".." {
            at.pop();
            meta = look(&at)?;
            continue;
        }
        at.push(step);
        meta = look(&at)?;
        if meta.is_symlink() {
            links += 1;
            let target = fs::read_link(&at).map_err(|error| cannot_look(&at, &error))?;
            if links > LINKS_MAX {
                let message = format!("{} leads through too many links", path.display());
                return Err(unsound(message, "write the path of the program itself"));
            }
            at.pop();
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            steps.extend(self::steps(&target));
        }
    }
    Ok((at, meta))
}

/// The names of a path, the first one last.
fn steps(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::Prefix(_) | Component::RootDir | Component::CurDir => None,
    });
    names.collect()
}

/// What is at `path`, if nobody else can change it.
fn look(path: &Path) -> Result<Metadata, Unsound> {
    let meta = fs::symlink_metadata(path).map_err(|error| cannot_look(path, &error))?;
    let shown = path.display();
    let me = geteuid().as_raw();
    if meta.uid() != 0 && meta.uid() != me {
        let message = format!("{shown} belongs to user {}, not to root", meta.uid());
        let us = if me == 0 { String::new() } else { format!(" (or to user {me})") };
        return Err(unsound(format!("{message}{us}"), format!("chown -h root {shown}")));
    }
    let mode = meta.mode();
    // The mode of a link means nothing; where only owners may rename, the next step decides.
    if meta.is_symlink() || (meta.is_dir() && mode & STICKY != 0) {
        return Ok(meta);
    }
    let who = if mode & WRITABLE_BY_OTHERS != 0 {
        "everybody"
    } else if mode & WRITABLE_BY_GROUP != 0 && meta.gid() != 0 {
        "its group"
    } else {
        return Ok(meta);
    };
    let mode = mode & 0o7777;
    let message = format!("{shown} can be changed by {who} (mode {mode:04o})");
    Err(unsound(message, format!("chmod go-w {shown}")))
}

fn cannot_look(path: &Path, error: &io::Error) -> Unsound {
    let shown = path.display();
    if error.kind() == io::ErrorKind::NotFound {
        let advice = "put it there, or correct node.yaml";
        return unsound(format!("{shown} does not exist"), advice);
    }
    if error.kind() == io::ErrorKind::NotADirectory {
        return unsound(format!("{shown} lies below a file"), "correct the path in node.yaml");
    }
    unsound(format!("cannot look at {shown}: {error}"), "see that this user may read it")
}

/// A script whose interpreter is missing fails as if the script itself were: say it better.
fn check_first_line(program: &Path) -> Result<(), Unsound> {
    // A program that may be executed and not read is as good as any; nothing is read of it.
    let Ok(line) = first_line(program) else { return Ok(()) };
    let Some(rest) = line.strip_prefix(b"#!") else { return Ok(()) };
    let rest = rest.trim_ascii_start();
    let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
    let interpreter = &rest[..end];
    let shown = program.display();
    if interpreter.ends_with(b"\r") {
        let message = format!("{shown} has the line ends of Windows");
        return Err(unsound(message, format!("sed -i 's/\\r$//' {shown}")));
    }
    let interpreter = PathBuf::from(OsString::from_vec(interpreter.to_vec()));
    if fs::metadata(&interpreter).is_err() {
        let missing = interpreter.as_os_str().as_bytes().escape_ascii().to_string();
        let message = format!("{shown} needs `{missing}`, which is not there");
        return Err(unsound(message, "install it, or correct the first line"));
    }
    Ok(())
}

fn first_line(program: &Path) -> io::Result<Vec<u8>> {
    let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a small flag");
    let file = File::options().read(true).custom_flags(flags).open(program)?;
    let mut line = Vec::new();
    file.take(FIRST_LINE_MAX).read_to_end(&mut line)?;
    let end = line.iter().position(|byte| *byte == b'\n').unwrap_or(line.len());
    line.truncate(end);
    Ok(line)
}
