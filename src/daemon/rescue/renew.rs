//! Makes another disk of one whose votes are lost or cannot be relied on (R52).
//! Never forgets what was there: an old state is kept beside, under a name that nothing reads.

use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::identity;
use crate::daemon::init::{InitOptions, Printout, introduce, plan};
use crate::daemon::papers::export::FILE;
use crate::daemon::store::STATE_FILE;

/// More states that were set aside are no accident.
const OLD_STATES_MAX: u32 = 99;

/// How a node gets into a cluster that runs already.
pub(in crate::daemon) const WAY_BACK: &str = "\
where the cluster runs already, remove any older line of this node there by `quorate node \
remove`, then run `quorate invite` there, `quorate join TOKEN` here and `quorate serve`. Or enter \
this line with `role: observer` in it, in the place of any older line of this node, by `quorate \
edit` on a node that runs; put what `quorate show` prints there into a file here; run `quorate \
init --from FILE` and `quorate serve` here; and once this node follows the master, take `role: \
observer` out again";

/// `quorate init --renew`: what this disk said is lost or cannot be relied on, so it becomes
/// another one, which nobody counts before it is entered into the document (R52).
///
/// # Errors
/// Why not. The state, if there was one, is kept beside under another name.
pub fn renew(options: &InitOptions) -> Result<Printout, Failure> {
    let plan = plan(options)?;
    plan.address.clone()?;
    let directory = Directory::open(&options.places.state_dir.path)?;
    let mut notes = Vec::new();
    if directory.has(STATE_FILE) {
        let kept = set_aside(&directory)?;
        notes.push(format!("the old state is kept as {}", directory.path().join(kept).display()));
    }
    identity::new_storage(&directory)?;
    introduce(&directory, &plan, None, notes)
}

/// Gives the state a name under which nothing looks for it, and the exported document as well: what
/// comes may be older, or another cluster's, and nobody edited that.
pub(in crate::daemon) fn set_aside(directory: &Directory) -> Result<String, Failure> {
    let old = |file: &str, number: u32| format!("{file}.old-{number}");
    let is_free =
        |number: &u32| [STATE_FILE, FILE].iter().all(|file| !directory.has(&old(file, *number)));
    let Some(number) = (1..=OLD_STATES_MAX).find(is_free) else {
        let message = format!(
            "{} old states are kept in {}: remove those that nobody needs",
            OLD_STATES_MAX,
            directory.path().display()
        );
        return Err(Failure::new(failure::CANNOT_CREATE, message));
    };
    let name = old(STATE_FILE, number);
    directory.rename(STATE_FILE, &name)?;
    if directory.has(FILE) {
        directory.rename(FILE, &old(FILE, number))?;
    }
    Ok(name)
}
