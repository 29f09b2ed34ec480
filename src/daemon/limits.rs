//! Owns the limits the system sets this process: raises the one on open files as far as it may.
//! Never asks for more than the administrator allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::daemon::failure::{self, Failure};

/// Below that many, peers and local programs take each other's files away.
pub const FILES_MIN: u64 = 64;
/// A peer takes three: the session it opened, ours, and our bell for it. Two thousand observers and
/// all callers and local programs together take less than that.
pub const FILES_WANTED: u64 = 8192;

/// Makes room for every connection this daemon may have.
///
/// # Errors
/// Not even the least is allowed.
pub fn raise_open_files() -> Result<(), Failure> {
    let limit = getrlimit(Resource::Nofile);
    let raised = soft_limit(limit);
    // If the system does not raise it, the limit there is decides.
    let is_raised = raised != limit.current
        && setrlimit(Resource::Nofile, Rlimit { current: raised, ..limit }).is_ok();
    match if is_raised { raised } else { limit.current } {
        Some(files) if files < FILES_MIN => Err(Failure::new(
            failure::CONFIG,
            format!(
                "this process may open {files} files, and quorate needs {FILES_MIN}: raise the \
                 limit with `ulimit -n` or `LimitNOFILE=`"
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

/// The limit to set: what is wanted if the hard one allows it, and never less than there is.
/// None is no limit.
#[must_use]
pub fn soft_limit(limit: Rlimit) -> Option<u64> {
    let wanted = limit.maximum.map_or(FILES_WANTED, |maximum| maximum.min(FILES_WANTED));
    limit.current.map(|current| current.max(wanted))
}
