//! Reads what comes over the unix socket: first which request or answer it is, then what belongs
//! to that one, field after field. What serde derives for that is compiled for each report as a
//! state machine of its own, and for those in an answer twice: a twentieth of the program.
//! Never knows what a request does.

use serde::de::{self, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Error;

use crate::wire::circumstances::{FreshnessReport, HealthReport, NewcomerReport, OverrideReport};
use crate::wire::control::{
    ChangeReport, ClockReport, CodeReport, DocumentReport, EditReport, ErrorReport, EventReport,
    HandoverReport, HistoryEnd, InviteReport, MasterReport, PeerReport, PositionReport,
    QuorumReport, ReignReport, Request, Response, SaidReport, StatusReport,
};
use crate::wire::facts::{AlarmReport, FactsReport, TimingReport, WritesReport};
use crate::wire::fields::Fields;
use crate::wire::hold::{GrantReport, MomentReport, SpanReport};
use crate::wire::keys::KeyReport;
use crate::wire::ranking::{RankReport, RankingReport};

impl<'de> Deserialize<'de> for Request {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        request(Fields::deserialize(from)?).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Response {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        response(Fields::deserialize(from)?).map_err(de::Error::custom)
    }
}

fn request(mut fields: Fields) -> Result<Request, Error> {
    let word: String = fields.needed("ask")?;
    let request = match word.as_str() {
        "status" => Request::Status {},
        "show" => Request::Show {},
        "revision" => Request::Revision { revision: fields.needed("revision")? },
        "documents" => Request::Documents {},
        "transfer" => Request::Transfer { to: fields.taken("to")?.flatten() },
        "step-down" => Request::StepDown { hold_off_ms: fields.needed("hold_off_ms")? },
        "edit" => {
            Request::Edit { revision: fields.needed("revision")?, body: fields.needed("body")? }
        }
        "set-position" => Request::SetPosition { position: fields.needed("position")? },
        "doctor" => Request::Doctor {},
        "key" => Request::Key {},
        "rotate-key" => Request::RotateKey {},
        "events" => Request::Events { follow: fields.needed("follow")? },
        "history" => Request::History {},
        "hold" => Request::Hold {
            gathers: fields.taken("gathers")?.unwrap_or_default(),
            role: fields.taken("while")?.unwrap_or_default(),
        },
        // A later release may say more with it.
        "kept" => return Ok(Request::Kept),
        "gone" => Request::Gone { term: fields.needed("term")? },
        other => return Err(Error::custom(format_args!("unknown request `{other}`"))),
    };
    fields.end().map(|()| request)
}

fn response(mut fields: Fields) -> Result<Response, Error> {
    let word: String = fields.needed("answer")?;
    Ok(match word.as_str() {
        "status" => Response::Status(fields.rest()?),
        "document" => Response::Document(fields.rest()?),
        "handover" => Response::Handover(fields.rest()?),
        "edit" => Response::Edit(fields.rest()?),
        "taken" => Response::Taken,
        "doctor" => Response::Doctor(fields.rest()?),
        "key" => Response::Key(fields.rest()?),
        "event" => Response::Event(fields.rest()?),
        "end-of-events" => Response::EndOfEvents,
        "end-of-history" => Response::EndOfHistory(fields.rest()?),
        "not-master" => Response::NotMaster,
        "granted" => Response::Granted(fields.rest()?),
        "extended" => Response::Extended(fields.rest()?),
        "stop" => Response::Stop { term: fields.needed("term")?, kill: fields.needed("kill")? },
        "error" => Response::Error(fields.rest()?),
        other => return Err(Error::custom(format_args!("unknown answer `{other}`"))),
    })
}

/// Reads a report: first the fields that it must have, then those that may be missing. One that
/// is left out of both lists does not compile.
macro_rules! by_fields {
    ($($report:ident { $($needed:ident),* ; $($maybe:ident),* })+) => {$(
        impl<'de> Deserialize<'de> for $report {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                fn read(mut fields: Fields) -> Result<$report, Error> {
                    Ok($report {
                        $($needed: fields.needed(stringify!($needed))?,)*
                        $($maybe: fields.taken(stringify!($maybe))?.unwrap_or_default(),)*
                    })
                }
                let fields = Fields::deserialize(from)?;
                read(fields).map_err(de::Error::custom)
            }
        }
    )+};
}

by_fields! {
    ErrorReport { message; retry }
    StatusReport {
        schema, node, storage, version, cluster, cluster_id, generation, role, term, since_ms,
        reason, changes, storage_failed, quorum, accepted, committed, revision, dead_after_ms,
        heartbeat_ms, peers, blockers, core_age_ms, pid, uptime_ms;
        master, acting_left_ms, lease_left_ms, promised_to, promise_left_ms, quiet_left_ms,
        hold_off_left_ms, ranking, objections, health, freshness, watchdog, overrides, newcomers,
        doubts, forced
    }
    MasterReport { id, address, term, known; }
    QuorumReport { ok, have, need; }
    PositionReport { term, version; }
    PeerReport {
        id, address, role, heard, hears, clock_deviant, link;
        hears_us, last_heard_ms, streak_ms, round_trip_us, position, term, vote_ready, follows,
        clock, healthy, freshness, said
    }
    ClockReport { off_ppm, within_ppm; }
    SaidReport { passed_over; release, protocol, address, call, unknown }
    DocumentReport { schema, position, revision, hash, body; author, time }
    HandoverReport { schema, outcome, message; master, term, reason }
    EditReport { schema, outcome, message; revision, position, reason }
    InviteReport { schema, id, role, until, manual, over; name }
    EventReport {
        schema, seq, time, node, term, code, level, message;
        uptime_ms, reason, change, refusals, lost
    }
    ChangeReport { term; from, to }
    HistoryEnd { time, uptime_ms, unreadable; }
    KeyReport { schema, node, key, state, waits_for, why; made, next }
    ReignReport { schema, kind, from, lasted_ms, exact, began; master, term, until, ended }
    CodeReport { schema, code, kind, means, advice; }
    OverrideReport { what; node, by, since, until }
    NewcomerReport { id, becomes, approved, key; }
    HealthReport { command, state, since_ms, against, need; reason }
    FreshnessReport { from, age_ms; value, reason }
    FactsReport {
        status, listens, speaks, understands, timing, writes, alarms, user, has_guard;
        member, address, files_max, locked_max
    }
    TimingReport { heartbeat_us, dead_after_us, stop_us, drift_ppm, stagger_us; }
    WritesReport { count, last_us, median_us, worst_us; under_way_ms }
    AlarmReport { count, last_ms; }
    MomentReport { boot_ns, raw_ns; }
    SpanReport { term, until, kill; }
    GrantReport { span, at, node, master, cluster, cluster_id, version; }
    RankingReport { policy, automatic, nodes; }
    RankReport { id, reason, priority, age_ms; rank, freshness }
}
