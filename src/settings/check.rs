//! Says what a valid cluster.yaml or node.yaml means: what it survives, what its times amount to,
//! what is allowed and unwise. Never refuses anything that `cluster` and `node` accept.

use std::time::Duration;

use super::cluster;
use super::hooks::{self, HookName, Hooks};
use super::node::NodeSettings;
use super::probe::HealthProbe;
use super::problem::Problem;
use super::{address::Address, duration, percent};
use crate::protocol::membership::{Charter, Failback, Member, Membership};
use crate::protocol::timing::Timing;

/// Reads a cluster.yaml and returns notes, one line each; those that advise against something
/// begin with `warning: `.
///
/// # Errors
/// As [`cluster::parse`].
pub fn config_check(text: &str, file: &str) -> Result<Vec<String>, Problem> {
    let charter = cluster::parse(text, file)?;
    let mut notes = vec![cluster_note(&charter)];
    notes.extend(timing_notes(&charter.timing, charter.members.voters().count()));
    notes.push(failback_note(charter.election.failback));
    notes.extend(warnings(&charter).into_iter().map(|words| format!("warning: {words}")));
    Ok(notes)
}

/// What a node.yaml says, one line each; those that advise against something begin with
/// `warning: `.
#[must_use]
pub fn node_check(settings: &NodeSettings) -> Vec<String> {
    let NodeSettings { id, listen, hooks, health, position, watchdog, .. } = settings;
    let mut notes = vec![format!("node {id}, listens at {listen}")];
    notes.extend(hooks.iter().map(hooks_note));
    notes.extend(health.iter().map(|probe| {
        let HealthProbe { command, interval, timeout, rise, fall } = probe;
        let [interval, timeout] = [interval, timeout].map(|span| duration::show(*span));
        format!(
            "health: {} every {interval}, at most {timeout}; {rise} good in a row make the node \
             healthy, {fall} bad make it unhealthy",
            command[0]
        )
    }));
    notes.extend(position.iter().map(|probe| {
        let [interval, timeout] = [probe.interval, probe.timeout].map(duration::show);
        format!("position: {} every {interval}, at most {timeout}", probe.command[0])
    }));
    notes.extend(watchdog.iter().map(|device| format!("watchdog: {}", device.display())));
    let warnings = hooks.iter().flat_map(hooks::warnings);
    notes.extend(warnings.map(|words| format!("warning: {words}")));
    notes
}

fn hooks_note(hooks: &Hooks) -> String {
    let named = HookName::ALL.into_iter().filter(|name| hooks.command(*name).is_some());
    let named: Vec<_> = named.map(HookName::word).collect();
    let tries = hooks.retries + 1;
    let timeout = duration::show(hooks.timeout);
    format!(
        "hooks: {}; each is given {timeout} and tried {tries} times, then: {}",
        named.join(", "),
        hooks.on_fail.word()
    )
}

/// How many voters may be lost.
fn spare(members: &Membership) -> usize {
    members.voters().count() - members.majority()
}

fn cluster_note(charter: &Charter) -> String {
    let members = &charter.members;
    let voters = members.voters().count();
    let survived = match spare(members) {
        0 => "no loss is".into(),
        spare => format!("the loss of {spare} is"),
    };
    let needed = members.majority();
    format!("cluster {}: {voters} voting, {needed} must agree, {survived} survived", charter.name)
}

fn timing_notes(timing: &Timing, voters: usize) -> [String; 3] {
    let lease = timing.lease_length(timing.dead_after());
    let acting = lease.saturating_sub(timing.stop_budget());
    let beats = acting.as_nanos() / timing.heartbeat().as_nanos();
    let promise = longest(timing.dead_after(), timing.drift_ppm());
    let ranks = timing.stagger() * u32::try_from(voters).unwrap_or(u32::MAX);
    let [heartbeat, dead_after, stop, stagger] =
        [timing.heartbeat(), timing.dead_after(), timing.stop(), timing.stagger()]
            .map(duration::show);
    [
        format!(
            "timing: heartbeat {heartbeat}, dead_after {dead_after}, stop {stop}, drift {}, \
             stagger {stagger}",
            percent::show(timing.drift_ppm()),
        ),
        format!(
            "a lease lasts {} from the sending of a heartbeat; a master that hears nothing begins \
             to stop after {} (stop {stop} + kill {} + margin {} before its end): {} lost \
             heartbeats in a row are survived",
            about(lease),
            about(acting),
            about(timing.kill()),
            about(timing.margin()),
            beats.saturating_sub(1),
        ),
        format!(
            "a lost master is replaced at most {} after its last heartbeat, plus a few round trips \
             and disk writes",
            about(promise + ranks),
        ),
    ]
}

/// `span` on a clock that is `drift_ppm` slow.
fn longest(span: Duration, drift_ppm: u64) -> Duration {
    span + Duration::from_secs_f64(span.as_secs_f64() * ratio(drift_ppm))
}

fn ratio(ppm: u64) -> f64 {
    f64::from(u32::try_from(ppm).unwrap_or(u32::MAX)) / 1e6
}

/// Two decimals of a second, or whole milliseconds: enough for people.
fn about(span: Duration) -> String {
    if span < Duration::from_secs(1) {
        return format!("{}ms", span.as_millis());
    }
    format!("{:.2}s", span.as_secs_f64())
}

fn failback_note(failback: Failback) -> String {
    match failback {
        Failback::Never => "failback: never; the master stays until it is lost or moved".into(),
        Failback::After(span) => format!(
            "failback: a node with a lower id gets the mastership handed over once it has been up \
             for {}",
            duration::show(span)
        ),
    }
}

fn warnings(charter: &Charter) -> Vec<String> {
    let members = &charter.members;
    let voters = members.voters().count();
    let mut warnings = Vec::new();
    match voters {
        1 => warnings.push(
            "one node votes: nothing replaces it when it is lost; with three, the loss of one is \
             survived"
                .into(),
        ),
        2 => warnings.push(
            "2 nodes vote: the loss of either stops the cluster; with three, the loss of one is \
             survived"
                .into(),
        ),
        even if even.is_multiple_of(2) => warnings.push(format!(
            "{even} nodes vote, an even number: the loss of {} is survived, as with {}; add one \
             or remove one",
            spare(members),
            even - 1,
        )),
        _ => {}
    }
    if voters > 1 && members.all().filter(|member| member.may_lead()).count() < 2 {
        warnings.push("only one node may lead: nothing replaces it when it is lost".into());
    }
    if charter.election.failback == Failback::After(Duration::ZERO) {
        warnings.push(
            "failback is 0: a node that keeps restarting takes the mastership each time; \
                       2m is the default"
                .into(),
        );
    }
    let local = members.all().filter(|member| is_loopback(member)).count();
    if local > 0 && local < members.all().count() {
        warnings.push(
            "some addresses are loopback addresses, which only their own machine can \
                       reach"
                .into(),
        );
    }
    warnings
}

fn is_loopback(member: &Member) -> bool {
    Address::parse(&member.address).is_ok_and(|address| {
        address.host == "localhost"
            || address.host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    })
}
