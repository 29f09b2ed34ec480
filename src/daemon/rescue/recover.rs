//! Goes on without a majority that is lost for good: a new generation of the cluster, with one
//! voter, made from the best of what is left (R60-R64).
//! Never while a voter of the old generation answers, never by half (the old state is set aside
//! first, so that a crash leaves a node without a state and not with two), and never under a term
//! or an id that the old generation could have.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use crate::daemon::directory::Directory;
use crate::daemon::failure::{self, Failure};
use crate::daemon::init::{Plan, Printout, plan};
use crate::daemon::rescue::backup::{at, options};
use crate::daemon::rescue::census::{self, Found};
use crate::daemon::rescue::rewrite::{self, Generation};
use crate::daemon::rescue::{files, set_aside};
use crate::daemon::serve::charter_of;
use crate::daemon::store::{STATE_FILE, Store};
use crate::daemon::{admin_files, binding, byline, clock, identity, log};
use crate::protocol::durable::{Document, Durable, Identity};
use crate::protocol::membership::{Member, MemberRole};
use crate::protocol::units::{NodeId, Pin, Position, TERM_JUMP_MAX, Term};
use crate::settings::cluster;
use crate::settings::paths::Places;
use crate::wire::backup::Backup;
use crate::wire::marks::{Former, Marks};

/// Refused: nothing was changed.
const REFUSED: u8 = 1;

/// How far above every known term the new one is (R63): no node of the old generation gets there,
/// and whoever comes from there is not refused for being impossibly far ahead (R6).
const TERM_STEP: u64 = TERM_JUMP_MAX / 2;

/// One survivor: what it has, and where that was found.
struct Survivor {
    shown: String,
    has: Backup,
}

/// `quorate recover --generation`.
///
/// # Errors
/// Why not; nothing was changed then.
pub fn recover(
    places: &Places,
    name: Option<&str>,
    paths: &[PathBuf],
) -> Result<Printout, Failure> {
    let plan = plan(&options(places))?;
    let directory = Directory::make(&places.state_dir.path)?;
    let survivors = survivors(&directory, paths)?;
    let best = best(&survivors)?;
    show(&survivors, best)?;
    check_name(&best.has, name)?;
    let keys = identity::keys_in_need(&directory, &plan.settings.id)?;
    let voters = voters(&survivors, &plan.settings.id);
    check_gone(&census::take(&keys, &voters)?)?;
    if let Some(text) = &plan.node_yaml {
        admin_files::create(&places.config.path, text)?;
    }
    begin(directory, &plan, &survivors, best, keys.pin())
}

/// Everything there is to begin from.
fn survivors(directory: &Directory, paths: &[PathBuf]) -> Result<Vec<Survivor>, Failure> {
    let mut found = Vec::new();
    if directory.has(STATE_FILE) {
        let durable = Store::read(directory, charter_of)?;
        let shown = "this node".to_owned();
        found.push(Survivor { shown, has: Backup::of(&durable, String::new()) });
    }
    for path in paths {
        found.push(Survivor { shown: path.display().to_string(), has: files::read(path)? });
    }
    if found.is_empty() {
        let message = "there is no state here, and no FILE is named: name the state files or \
                       backups of the survivors";
        return Err(Failure::new(failure::NO_INPUT, message));
    }
    Ok(found)
}

/// The newest document of the newest generation, this node's own among equals (R61).
fn best(survivors: &[Survivor]) -> Result<&Survivor, Failure> {
    let rank = |one: &Survivor| (one.has.generation, one.has.accepted.position);
    let newest = survivors.iter().map(rank).max().expect("somebody survived");
    let best = survivors.iter().find(|one| rank(one) == newest).expect("it is one of them");
    let stranger = survivors
        .iter()
        .find(|one| one.has.generation == newest.0 && one.has.cluster != best.has.cluster);
    match stranger {
        None => Ok(best),
        Some(stranger) => Err(refused(format!(
            "{} is of cluster {} and {} of cluster {}: leave out what is not of this cluster",
            best.shown, best.has.cluster, stranger.shown, stranger.has.cluster
        ))),
    }
}

/// The table of what each has, for people to compare.
fn show(survivors: &[Survivor], best: &Survivor) -> Result<(), Failure> {
    let mut rows = vec![
        ["", "OF", "CLUSTER", "GEN", "TERM", "TAKEN", "COMMITTED", "REVISION", "FROM"]
            .map(str::to_owned),
    ];
    for one in survivors {
        let Backup { accepted, committed, .. } = &one.has;
        rows.push([
            if std::ptr::eq(one, best) { "best" } else { "" }.to_owned(),
            one.has.node.to_string(),
            accepted.charter.name.to_string(),
            one.has.generation.to_string(),
            one.has.term.to_string(),
            accepted.position.to_string(),
            committed.position.to_string(),
            accepted.revision.to_string(),
            format!("{}{}", one.shown, at(&one.has.made)),
        ]);
    }
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].len()).max())
        .map(|width| width.expect("there is a row"))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    io::stdout()
        .write_all(text.as_bytes())
        .map_err(|error| Failure::of_system(failure::IO, "cannot write to stdout", &error))
}

/// Nobody does this to another cluster than the one meant.
fn check_name(best: &Backup, given: Option<&str>) -> Result<(), Failure> {
    let name = &*best.accepted.charter.name;
    let typed = match given {
        Some(given) => given.to_owned(),
        None if io::stdin().is_terminal() => {
            log::say(&format!(
                "this gives up every other node of cluster {name}, and whatever only they have. \
                 Type the cluster's name to go on:"
            ));
            let mut line = String::new();
            io::stdin()
                .lock()
                .read_line(&mut line)
                .map_err(|error| Failure::of_system(failure::IO, "cannot read the name", &error))?;
            line.trim().to_owned()
        }
        None => {
            return Err(refused(format!("to go on, name the cluster: --cluster {name}")));
        }
    };
    if typed == name {
        return Ok(());
    }
    Err(refused(format!("the cluster's name is {name}, and not `{}`", typed.escape_debug())))
}

/// Every voter of every document, but this node.
fn voters(survivors: &[Survivor], me: &NodeId) -> Vec<Member> {
    let mut voters: Vec<Member> = Vec::new();
    for one in survivors {
        for document in [&one.has.accepted, &one.has.committed] {
            for voter in document.charter.members.voters().filter(|voter| voter.id != *me) {
                let is_known = voters
                    .iter()
                    .any(|known| known.address == voter.address && known.pin == voter.pin);
                if !is_known {
                    voters.push(voter.clone());
                }
            }
        }
    }
    voters
}

fn check_gone(found: &[(NodeId, Found)]) -> Result<(), Failure> {
    let mut alive = Vec::new();
    for (node, found) in found {
        match found {
            Found::Alive(why) => alive.push(format!("{node} ({why})")),
            Found::Silent(why) => log::say(&format!("{node} is silent: {why}")),
        }
    }
    if alive.is_empty() {
        return Ok(());
    }
    Err(refused(format!(
        "a voter of the old generation lives: {}. If they are a majority, the cluster needs no \
         recovery; if not, stop their daemons, name their state files here, and try again",
        alive.join(", ")
    )))
}

fn refused(why: String) -> Failure {
    Failure::new(REFUSED, format!("nothing was changed: {why}"))
}

/// Makes the new generation, with this node as its only voter.
fn begin(
    directory: Directory,
    plan: &Plan,
    survivors: &[Survivor],
    best: &Survivor,
    pin: Pin,
) -> Result<Printout, Failure> {
    let old = &best.has;
    let only = only_member(&directory, plan, &old.accepted, pin)?;
    let new_cluster = identity::new_cluster()?;
    let number = old.generation.saturating_add(1);
    let forced = format!(
        "generation {number}, made by quorate recover on {} at {} from revision {} of cluster {}, \
         generation {}; remove this line when every old node has joined anew or is gone",
        only.id,
        clock::wall_text(),
        old.accepted.revision,
        old.cluster,
        old.generation
    );
    let known = survivors.iter().map(|one| one.has.term.0).max().unwrap_or(0);
    let term = Term(known.saturating_add(TERM_STEP));
    let new = Generation { cluster: new_cluster, number, term, forced: &forced, only: &only };
    let body = rewrite::next(&old.accepted.body, &old.accepted.charter, &new)
        .map_err(|why| refused(format!("the old cluster.yaml cannot be rewritten: {why}")))?;
    let first = first_state(survivors, old, &body, &new)?;
    let binding = binding::here(&directory, only.storage);
    let former = Former {
        cluster: old.cluster,
        generation: old.generation,
        keys: former_keys(&old.accepted, &only),
    };
    let marks = Marks { binding, former: Some(former), ..Marks::default() };
    let mut notes = Vec::new();
    if directory.has(STATE_FILE) {
        let kept = set_aside(&directory)?;
        notes.push(format!("the old state is kept as {}", directory.path().join(kept).display()));
    }
    let store = Store::found(directory, first, marks)?;
    identity::spend_storage(store.directory())?;
    notes.push(format!(
        "{} is the only voter of cluster {}, generation {number}, id {new_cluster}, from term \
         {term} on: start `quorate serve`, then let the others join: on each of them `quorate init \
         --renew`, here `quorate invite`, and there `quorate join TOKEN`",
        only.id, old.accepted.charter.name
    ));
    Ok(Printout { text: String::new(), notes })
}

/// This node's line: that of the old document, as a voter with the present key and a new disk.
fn only_member(
    directory: &Directory,
    plan: &Plan,
    old: &Document,
    pin: Pin,
) -> Result<Member, Failure> {
    let id = plan.settings.id.clone();
    let storage = identity::new_storage(directory)?;
    let (address, priority) = match old.charter.members.find(&id) {
        Some(listed) => (listed.address.clone(), listed.priority),
        None => (plan.address.clone()?.into(), cluster::PRIORITY_DEFAULT),
    };
    Ok(Member {
        id,
        address,
        role: MemberRole::Voter,
        priority,
        pin,
        next_pin: None,
        storage,
        is_in_sync: true,
        standby: None,
    })
}

/// Far above all that is known, and silent for as long as any promise can last (R63).
fn first_state(
    survivors: &[Survivor],
    old: &Backup,
    body: &str,
    new: &Generation<'_>,
) -> Result<Durable, Failure> {
    let Generation { cluster, number: generation, term, only, .. } = *new;
    let position = Position { term, version: old.accepted.position.version.saturating_add(1) };
    let revision = old.accepted.revision.saturating_add(1);
    let mut document = cluster::document(body, "the new cluster.yaml", position, revision)
        .map_err(|problem| refused(problem.to_string()))?;
    document.byline = byline::of(rustix::process::geteuid().as_raw(), &only.id);
    let longest = survivors.iter().map(|one| one.has.promise_high_water).max();
    let identity = Identity { cluster, generation, node: only.id.clone(), storage: only.storage };
    Ok(Durable {
        // Where mastership does not move by itself, only whoever had it stands; that is this one.
        vote: Some(only.id.clone()),
        promise_high_water: longest.unwrap_or(Duration::ZERO),
        ..Durable::founding(identity, document)
    })
}

/// The keys of all old members but this node.
fn former_keys(old: &Document, only: &Member) -> BTreeMap<NodeId, Pin> {
    let others = old.charter.members.all().filter(|member| member.id != only.id);
    others.map(|member| (member.id.clone(), member.pin)).collect()
}
