//! Understands how a node comes into being, and what is done about its disk later.
//! Never opens a file; the daemon does.

use std::path::PathBuf;

use super::{InitFlags, Rescue, Typed, UsageError};

/// `quorate init`.
pub(super) fn init(typed: &mut Typed) -> Result<InitFlags, UsageError> {
    let flags = InitFlags {
        name: typed.text("name")?,
        advertise: typed.text("advertise")?,
        cluster: typed.text("cluster")?,
        from: typed.place("from")?,
        renew: typed.has("renew"),
    };
    if flags.renew && (flags.cluster.is_some() || flags.from.is_some()) {
        let alone = "--renew makes this disk another one: give it without --cluster and --from";
        return Err(typed.wrong(alone.to_owned()));
    }
    if flags.cluster.is_some() && flags.from.is_some() {
        let both = "--cluster prints a new cluster.yaml, --from takes one: give one of them";
        return Err(typed.wrong(both.to_owned()));
    }
    Ok(flags)
}

/// What is done about lost disks and lost majorities, by the command's name.
pub(super) fn rescue(name: &str, typed: &mut Typed) -> Result<Rescue, UsageError> {
    Ok(match name {
        "backup" => Rescue::Backup(file(typed)?),
        "restore" => Rescue::Restore(file(typed)?),
        "recover" => recover(typed)?,
        _ => Rescue::ConfirmMoved,
    })
}

/// The one file of a backup.
fn file(typed: &mut Typed) -> Result<PathBuf, UsageError> {
    let word = typed.operands.pop().filter(|word| !word.is_empty());
    word.map(PathBuf::from).ok_or_else(|| typed.wrong("FILE is missing: name a backup".to_owned()))
}

fn recover(typed: &mut Typed) -> Result<Rescue, UsageError> {
    if !typed.has("generation") {
        let wrong = "recover begins a new generation of the cluster, which cannot be undone: say \
                     so by --generation";
        return Err(typed.wrong(wrong.to_owned()));
    }
    let files = std::mem::take(&mut typed.operands).into_iter().map(PathBuf::from).collect();
    Ok(Rescue::Recover { name: typed.text("cluster")?, files })
}
