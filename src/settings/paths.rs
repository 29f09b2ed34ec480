//! Decides where the configuration, the state and the socket are, and says why there.
//! Never looks whether anything is there, and asks the environment only through its argument.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What the command line says about places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--socket`.
    pub socket: Option<PathBuf>,
}

/// A path and who named it: a flag, a variable or a default.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// The path.
    pub path: PathBuf,
    /// Such as `--config`, `$QUORATE_DIR` or `default for root`.
    pub origin: String,
}

/// Where everything is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Places {
    /// node.yaml.
    pub config: Place,
    /// The directory of the state file, the keys and the exported cluster.yaml.
    pub state_dir: Place,
    /// The daemon's socket for local programs.
    pub socket: Place,
}

impl Places {
    /// Flags first, then the environment, then defaults. `variable` looks up the environment; an
    /// empty value counts as none. `euid` is the effective user id.
    #[must_use]
    pub fn resolve(flags: &Flags, variable: impl Fn(&str) -> Option<OsString>, euid: u32) -> Self {
        let environment = Environment { variable, euid };
        let choice = |flag: &Option<PathBuf>, name| {
            flag.clone().map(|path| Place { path, origin: format!("--{name}") })
        };
        Self {
            config: choice(&flags.config, "config").unwrap_or_else(|| environment.config()),
            state_dir: choice(&flags.state_dir, "state-dir")
                .unwrap_or_else(|| environment.state_dir()),
            socket: choice(&flags.socket, "socket").unwrap_or_else(|| environment.socket()),
        }
    }
}

struct Environment<F> {
    variable: F,
    euid: u32,
}

impl<F: Fn(&str) -> Option<OsString>> Environment<F> {
    fn config(&self) -> Place {
        self.named("QUORATE_CONFIG")
            .or_else(|| self.for_root("/etc/quorate/node.yaml"))
            .or_else(|| self.in_base("XDG_CONFIG_HOME", "quorate/node.yaml"))
            .or_else(|| self.in_base("HOME", ".config/quorate/node.yaml"))
            .unwrap_or_else(|| homeless("/etc/quorate/node.yaml"))
    }

    fn state_dir(&self) -> Place {
        self.named("QUORATE_DIR")
            .or_else(|| self.first_entry("STATE_DIRECTORY"))
            .or_else(|| self.for_root("/var/lib/quorate"))
            .or_else(|| self.in_base("XDG_STATE_HOME", "quorate"))
            .or_else(|| self.in_base("HOME", ".local/state/quorate"))
            .unwrap_or_else(|| homeless("/var/lib/quorate"))
    }

    fn socket(&self) -> Place {
        let in_runtime = |place: Place| Place { path: place.path.join("quorate.sock"), ..place };
        self.named("QUORATE_SOCKET")
            .or_else(|| self.first_entry("RUNTIME_DIRECTORY").map(in_runtime))
            .or_else(|| self.for_root("/run/quorate/quorate.sock"))
            .or_else(|| self.in_base("XDG_RUNTIME_DIR", "quorate/quorate.sock"))
            .unwrap_or_else(|| Place {
                path: format!("/tmp/quorate-{}/quorate.sock", self.euid).into(),
                origin: "default without $XDG_RUNTIME_DIR".into(),
            })
    }

    fn value(&self, name: &str) -> Option<OsString> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn named(&self, name: &str) -> Option<Place> {
        let path = self.value(name)?.into();
        Some(Place { path, origin: format!("${name}") })
    }

    /// systemd separates several directories with colons; the first is ours.
    fn first_entry(&self, name: &str) -> Option<Place> {
        let value = self.value(name)?.into_string().ok()?;
        let path = value.split(':').find(|entry| !entry.is_empty())?.into();
        Some(Place { path, origin: format!("${name}") })
    }

    fn for_root(&self, path: &str) -> Option<Place> {
        (self.euid == 0).then(|| Place { path: path.into(), origin: "default for root".into() })
    }

    /// The XDG rules ignore a base that is not absolute.
    fn in_base(&self, name: &str, below: &str) -> Option<Place> {
        let base = self.value(name)?;
        let path = Path::new(&base).is_absolute().then(|| Path::new(&base).join(below))?;
        Some(Place { path, origin: format!("default below ${name}") })
    }
}

/// A service user may have no home; root's places may still be open to it.
fn homeless(path: &str) -> Place {
    Place { path: path.into(), origin: "default without $HOME".into() }
}
