//! Owns the files by which OpenRC, runit and systemd run the daemon: prints them, or writes each to
//! its place. They are those of contrib, taken into the program when it is built.
//! Never starts or enables a service, and never takes an admin's settings back.

use std::fs;
use std::io;
use std::path::Path;

use rustix::fs::Mode;

use crate::cli::args::ServiceOptions;
use crate::cli::commands::Outcome;
use crate::cli::console::{Console, Failure};
use crate::cli::exit::Exit;
use crate::daemon::durably;

/// Where the files say that the program is.
const BINARY: &str = "/usr/local/bin/quorate";

/// What one of the three needs.
#[derive(PartialEq, Eq, Debug)]
pub struct Kit {
    /// Its name.
    pub name: &'static str,
    files: &'static [ServiceFile],
    /// How it takes note of them.
    next: &'static str,
}

/// One file.
#[derive(PartialEq, Eq, Debug)]
struct ServiceFile {
    /// Its place below the root.
    path: &'static str,
    mode: u32,
    text: &'static str,
    owner: Owner,
}

/// Who may change a file where it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owner {
    /// Nobody: the next release brings another.
    Program,
    /// An admin, whose words stay.
    Admin,
}

/// Every kit.
pub const KITS: &[Kit] = &[
    Kit {
        name: "openrc",
        files: &[
            program("etc/init.d/quorate", include_str!("../../contrib/openrc/quorate")),
            settings("etc/conf.d/quorate", include_str!("../../contrib/openrc/quorate.confd")),
        ],
        next: "rc-update add quorate default && rc-service quorate start",
    },
    Kit {
        name: "runit",
        files: &[
            program("etc/sv/quorate/run", include_str!("../../contrib/runit/run")),
            program("etc/sv/quorate/finish", include_str!("../../contrib/runit/finish")),
            program("etc/sv/quorate/check", include_str!("../../contrib/runit/check")),
            program("etc/sv/quorate/log/run", include_str!("../../contrib/runit/log/run")),
            settings("etc/sv/quorate/conf", include_str!("../../contrib/runit/conf")),
        ],
        next: "ln -s /etc/sv/quorate into the service directory: /etc/service or /var/service",
    },
    Kit {
        name: "systemd",
        files: &[ServiceFile {
            mode: 0o644,
            ..program(
                "etc/systemd/system/quorate.service",
                include_str!("../../contrib/systemd/quorate.service"),
            )
        }],
        next: "systemctl daemon-reload && systemctl enable --now quorate",
    },
];

const fn program(path: &'static str, text: &'static str) -> ServiceFile {
    ServiceFile { path, mode: 0o755, text, owner: Owner::Program }
}

const fn settings(path: &'static str, text: &'static str) -> ServiceFile {
    ServiceFile { path, mode: 0o644, text, owner: Owner::Admin }
}

/// `quorate service`.
///
/// # Errors
/// A file could not be written, or none printed.
pub(super) fn service(options: &ServiceOptions, console: &mut Console<'_>) -> Outcome {
    let ServiceOptions { kit, root, binary } = options;
    let text_of = |file: &ServiceFile| match binary {
        Some(binary) => file.text.replace(BINARY, binary),
        None => file.text.to_owned(),
    };
    let Some(root) = root else {
        let shown = kit
            .files
            .iter()
            .map(|file| format!("# /{}, mode {:o}\n{}", file.path, file.mode, text_of(file)));
        return console.print(&shown.collect::<Vec<_>>().join("\n")).map(|()| Exit::Done);
    };
    // What is made on the way is for everybody to read.
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    for file in kit.files {
        let path = root.join(file.path);
        match place(&path, file, &text_of(file)) {
            Ok(Placed::Written) => console.print(&format!("{}\n", path.display()))?,
            Ok(Placed::Kept) => {
                console.tell(&format!("{}: it was changed, and stays", path.display()));
            }
            Err(error) => return Err(cannot_write(&path, &error)),
        }
    }
    if root == Path::new("/") {
        console.tell(&format!("next: {}", kit.next));
    }
    Ok(Exit::Done)
}

/// What became of a file.
enum Placed {
    Written,
    Kept,
}

/// Writes it beside its place first: whoever starts the service meanwhile finds it whole.
fn place(path: &Path, file: &ServiceFile, text: &str) -> io::Result<Placed> {
    if file.owner == Owner::Admin && fs::exists(path)? && fs::read(path)? != text.as_bytes() {
        return Ok(Placed::Kept);
    }
    fs::create_dir_all(durably::folder_of(path))?;
    durably::replace(path, text.as_bytes(), file.mode)?;
    Ok(Placed::Written)
}

fn cannot_write(path: &Path, error: &io::Error) -> Failure {
    let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
    let exit = if is_denied { Exit::Permission } else { Exit::CannotCreate };
    Failure::new(exit, format!("cannot write {}: {error}", path.display()))
}
