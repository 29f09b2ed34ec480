//! What facts are about, as far as oracles differ by it: each oracle judges few topics, so that
//! most facts need few of them. Never judges; `oracles` does.

use crate::protocol::effects::Order;
use crate::protocol::message::Message;
use crate::sim::history::Fact;

/// How many topics there are.
pub(crate) const TOPICS: usize = 17;

/// What one fact is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Topic {
    /// Nothing that any oracle judges.
    Other,
    Time,
    Accepted,
    Wrote,
    Started,
    Began,
    Told,
    Answered,
    Append,
    AppendAck,
    Heartbeat,
    HeartbeatAck,
    PreVote,
    PreVoteReply,
    Vote,
    VoteReply,
    Release,
}

impl Topic {
    /// What this fact is about.
    pub(crate) fn of(fact: &Fact<'_>) -> Self {
        match fact {
            Fact::TimePassed => Self::Time,
            Fact::Accepted { .. } => Self::Accepted,
            Fact::Wrote { .. } => Self::Wrote,
            Fact::Said { message, .. } => Self::said(message),
            Fact::Ordered { order: Order::Start { .. }, .. } => Self::Started,
            Fact::Began { .. } => Self::Began,
            Fact::Told { .. } => Self::Told,
            Fact::Answered { .. } => Self::Answered,
            Fact::Heard { .. }
            | Fact::Asked { .. }
            | Fact::Ordered { .. }
            | Fact::Died { .. }
            | Fact::Started { .. }
            | Fact::Crashed { .. }
            | Fact::DiskFailed => Self::Other,
        }
    }

    fn said(message: &Message) -> Self {
        match message {
            Message::Append(_) | Message::Offer(_) => Self::Append,
            Message::AppendAck(_) => Self::AppendAck,
            Message::Heartbeat(_) => Self::Heartbeat,
            Message::HeartbeatAck(_) => Self::HeartbeatAck,
            Message::PreVote(_) => Self::PreVote,
            Message::PreVoteReply(_) => Self::PreVoteReply,
            Message::Vote(_) => Self::Vote,
            Message::VoteReply(_) => Self::VoteReply,
            Message::Release(_) | Message::TimeoutNow(_) => Self::Release,
            Message::Beat(_)
            | Message::Fetch(_)
            | Message::Handover(_)
            | Message::HandoverReply(_)
            | Message::Edit(_)
            | Message::EditReply(_) => Self::Other,
        }
    }
}
