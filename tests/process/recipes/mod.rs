//! The hooks of contrib/hooks as they are shipped, run with the words and the environment that a
//! daemon gives them. Never a network, an init or a cloud of this machine: each is the test's own.

mod address;
mod cloud;
mod inits;
mod installed;
mod messages;
mod moving;
mod notified;
mod real;
mod served;
mod service;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::command::{Outcome, run};
use super::looks;
use super::network::skip;

/// Where the system's programs are looked for.
const FOLDERS: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A folder of programs: the only ones that a hook finds.
struct Bench {
    place: TempDir,
    /// Goes before the hook: what enters a machine, what reads the script.
    prefix: Vec<String>,
    shell: Vec<String>,
}

impl Bench {
    /// With these programs of the system; none, and a visible line, if one is missing.
    fn with(programs: &[&str]) -> Option<Self> {
        let bench = Self::empty();
        for name in programs {
            let found = FOLDERS.iter().map(|folder| Path::new(folder).join(name));
            let Some(program) = found.into_iter().find(|path| path.exists()) else {
                skip(&format!("there is no {name} here"));
                return None;
            };
            bench.link(name, &program);
        }
        Some(bench)
    }

    /// With busybox's programs of these names, read by its shell.
    fn of_busybox(programs: &[&str]) -> Option<Self> {
        let bench = Self::empty().read_by_busybox()?;
        programs.iter().for_each(|name| bench.link(name, Path::new(&bench.shell[0])));
        Some(bench)
    }

    /// The same, with the hook read by busybox's shell instead of the system's.
    fn read_by_busybox(mut self) -> Option<Self> {
        let busybox = fs::canonicalize(Self::with(&["busybox"])?.program("busybox")).unwrap();
        self.shell = vec![busybox.to_str().unwrap().to_owned(), "sh".to_owned()];
        Some(self)
    }

    fn empty() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("bin")).unwrap();
        Self { place, prefix: Vec::new(), shell: Vec::new() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.file("bin").join(name)
    }

    fn link(&self, name: &str, to: &Path) {
        symlink(fs::canonicalize(to).unwrap(), self.program(name)).unwrap();
    }

    /// A program that stands in for one, in shell; it starts in the bench's folder and writes down
    /// how it was called.
    fn fake(&self, name: &str, body: &str) {
        let place = self.place.path().display();
        let text = format!("#!/bin/sh\ncd {place}\necho \"{name} $*\" >> calls\n{body}\n");
        let program = self.program(name);
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// How the fakes were called since the last look.
    fn calls(&self) -> Vec<String> {
        let text = fs::read_to_string(self.file("calls")).unwrap_or_default();
        fs::write(self.file("calls"), "").unwrap();
        text.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// The line that runs a hook as a daemon would, in its `term`.
    fn line(&self, hook: &Path, words: &str, term: u64) -> Vec<String> {
        let path = format!("PATH={}", self.file("bin").display());
        let term = format!("QUORATE_TERM={term}");
        let rest = ["LANG=C.UTF-8", "HOME=/", "QUORATE_NODE=alpha", "QUORATE_MASTER=alpha"];
        // Found now: inside, PATH has what the bench has.
        let env = FOLDERS.iter().map(|folder| format!("{folder}/env"));
        let env = env.into_iter().find(|path| Path::new(path).exists()).unwrap();
        let mut line = vec![env, "-i".to_owned(), path, term];
        line.extend(rest.map(str::to_owned));
        line.extend(self.shell.iter().cloned());
        line.push(hook.to_str().unwrap().to_owned());
        line.extend(words.split_whitespace().map(str::to_owned));
        line
    }

    fn run(&self, hook: &str, words: &str) -> Outcome {
        run(&self.prefix, self.line(&shipped(hook), words, 7))
    }

    /// The same programs, on another machine.
    fn moved(&self, prefix: &[String]) -> Self {
        let bench = Self { prefix: prefix.to_vec(), shell: self.shell.clone(), ..Self::empty() };
        for entry in fs::read_dir(self.file("bin")).unwrap().flatten() {
            bench.link(entry.file_name().to_str().unwrap(), &entry.path());
        }
        bench
    }
}

fn shipped(hook: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/hooks").join(hook)
}

fn eventually(what: &str, is_so: impl Fn() -> bool) {
    looks::eventually(what, || is_so().then_some(()));
}
