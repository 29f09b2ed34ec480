//! The table's sections about what happens: events, alarms, and the reasons they name.
//! Never what is answered to a request.

use super::{Code, code};

const NOTHING: &str = "Nothing.";

pub(super) const EVENTS: &[Code] = &[
    code(
        "standing",
        "This node hears of no master and asks the other voters for their votes.",
        "Nothing, unless it repeats: then read the reasons of election-failed.",
    ),
    code(
        "election-failed",
        "Too few voters said yes. `refusals` says who refused and why, and who did not answer.",
        "If it goes on for longer than dead_after, explain those codes; look at quorate status.",
    ),
    code(
        "won",
        "This node has the votes of a majority, and does not act before its lease is sure.",
        NOTHING,
    ),
    code("elected", "This node acts as master from now on. `term` is its fencing token.", NOTHING),
    code(
        "demoted",
        "This node stops acting as master; `reason` says why.",
        "Explain the reason if it was not asked for.",
    ),
    code(
        "stop-confirmed",
        "Nothing that ran for this node's mastership runs any more; it may vote for others again.",
        NOTHING,
    ),
    code(
        "master-changed",
        "This node believes in another master than before, or in none; `reason` says how it knows.",
        "If there is none for longer than dead_after, look at quorate status on several nodes.",
    ),
    code("hook-ok", "A hook of node.yaml did its work.", NOTHING),
    code(
        "hook-failed",
        "A hook ended with another code than 0, was killed, or could not be started.",
        "Read the lines `hook NAME:` in this node's log. It is tried again, as `retries` says.",
    ),
    code(
        "hook-timed-out",
        "A hook took longer than `timeout`, and was killed with all it had started.",
        "Make it quicker, or raise `timeout` under `hooks` in node.yaml.",
    ),
    code(
        "hook-gave-up",
        "A hook failed once more than `retries` allows; what `on_fail` says is done now.",
        "Run it by hand on this node, as quorate hook test shows, and mend what is wrong.",
    ),
    code(
        "hook-undone-late",
        "Mastership had to be over before the backup hook had undone it; what ran was killed.",
        "Make backup quicker, or raise `stop` in cluster.yaml. It runs again until it succeeds.",
    ),
    code(
        "guard-lost",
        "The process that runs hooks was killed or stood still: this node is master no longer.",
        "Look in the system's log for who killed it. Another one was started, which runs backup.",
    ),
    code(
        "hand-edit-committed",
        "Somebody edited cluster.yaml in this node's state directory, and the cluster took it.",
        NOTHING,
    ),
    code(
        "hand-edit-rejected",
        "Somebody edited cluster.yaml in this node's state directory, and the master refused it.",
        "The text is in cluster.yaml.rejected there. `reason` says why: explain that, and edit it \
         again.",
    ),
    code(
        "hand-edit-invalid",
        "Somebody edited cluster.yaml in this node's state directory, and it is not valid.",
        "Mend the line that is named and save again. Until then the committed document holds.",
    ),
    code(
        "hand-edit-set-aside",
        "Somebody edited cluster.yaml in this node's state directory, and others came first.",
        "The text is in cluster.yaml.mine there: make the change again in what is there now.",
    ),
    code("quorum-gained", "This node hears enough voters to elect and to be elected.", NOTHING),
    code(
        "quorum-lost",
        "This node hears too few voters: from here nobody can be elected, and a master stops.",
        "Look at quorate status: which peers are silent, and is it they or the network?",
    ),
    code("peer-heard", "A peer is heard again.", NOTHING),
    code(
        "peer-silent",
        "Nothing came from a peer for dead_after.",
        "If that node should be up, look at its daemon, and at the network between.",
    ),
    code("peer-both-ways", "A peer that did not hear this node hears it again.", NOTHING),
    code(
        "peer-one-way",
        "A peer is heard, and says that it does not hear this node: the link is cut one way. If \
         this node is master, that peer does not renew its lease.",
        "Look at firewalls and routes from this node to it; quorate status shows both directions.",
    ),
    code(
        "document-committed",
        "A majority has this cluster.yaml on disk; it is in force.",
        NOTHING,
    ),
    code(
        "handover-begun",
        "This node gives its mastership to another one, which can take it at once.",
        NOTHING,
    ),
    code(
        super::HEALTH_CHANGED,
        "The health command of node.yaml said often enough that this node is healthy, or is not.",
        "Run that command by hand on this node if it is not; quorate status shows its last words.",
    ),
    code(
        super::OVERRIDE_OVER,
        "A standby or maintenance was set for a while, and that is over: the master removes it.",
        "Nothing; if it says that it cannot be removed, do so with quorate edit.",
    ),
    code(
        super::NODE_JOINED,
        "This node let another one into the cluster, by an invitation. It is an observer; the \
         message says where it came from and which key it has.",
        "If nobody of yours did that, remove the node: quorate edit, and take its line out.",
    ),
    code(
        super::NODE_PROMOTED,
        "A node that joined is up to date, and became the voter or witness it was invited as.",
        NOTHING,
    ),
    code(
        super::KEY_CHANGED,
        "This node has another key, and no other node believes the old one any more.",
        "Nothing, if quorate key rotate was asked for; tokens that name the old key are refused: \
         make new ones with quorate invite.",
    ),
    code(
        super::WATCHDOG_UNUSABLE,
        "The hardware watchdog of node.yaml cannot be armed, so this node does not act as master.",
        "The message says why. See that nothing else has the device, systemd's RuntimeWatchdogSec \
         for one, and that the daemon may write to it; quorate config check looks at it too.",
    ),
    code(
        super::ADDRESS_DIFFERS,
        "A member with the right key says that it listens elsewhere than cluster.yaml says. It is \
         called at both addresses until they are the same.",
        "If it moved, nothing: the master writes the new address into cluster.yaml once it is \
         reached there and not at the old one. If not, mend `advertise` in its node.yaml and \
         restart its daemon.",
    ),
    code(
        super::NODE_MOVED,
        "A member was reached at another address than cluster.yaml said, by the right key, and the \
         master wrote that address down.",
        "Nothing; if it says that it cannot be written, do so with quorate edit.",
    ),
    code(
        super::PEER_INCOMPATIBLE,
        "A member speaks no version of the protocol between nodes that this release speaks too.",
        "Run releases that share a version on all nodes: contrib/doc/upgrade.md.",
    ),
    code(
        super::TWO_INSTANCES_OVER,
        "One of two processes that used one node's key is gone; the other one counts again.",
        "See that the one that is left is the right one, and why there were two.",
    ),
    code(
        super::EVENTS_LOST,
        "`lost` events are missing here: a follower read too slowly, or for the history, which is \
         on disk, they could not be written.",
        "Ask quorate status for how things are now; read a stream without long pauses, and make \
         room on the disk.",
    ),
    code(
        super::DAEMON_STARTED,
        "This node's daemon serves from now on. If there is no daemon-stopped before it, the one \
         before was killed or crashed, or the machine went down.",
        "If nobody meant it, look at the system's log for what ended the one before.",
    ),
    code(super::DAEMON_STOPPED, "This node's daemon was told to end, and does.", NOTHING),
    code(
        super::STORAGE_STALLED,
        "A write to this node's disk takes far too long. A master hands over if it can.",
        "Look at that disk and at the system's log for errors and load.",
    ),
];

pub(super) const ALARMS: &[Code] = &[
    code(
        super::ALARM_ROLLED_BACK,
        "A node's disk holds less than others have seen on it: an older snapshot, image or backup \
         was put back. It forgot votes, and counts for nothing.",
        "Run quorate init --renew on that node, and enter the line it prints; see \
         contrib/doc/disaster.md.",
    ),
    code(
        super::ALARM_TWO_INSTANCES,
        "Two processes use one node's key: its machine or its directory was cloned, and both run. \
         Neither counts until one is gone.",
        "Stop the copy and do not start it again with that state; the message has both addresses.",
    ),
    code(
        super::ALARM_RECOVERED_ELSEWHERE,
        "Somebody ran quorate recover on a node of this cluster, which goes on as another cluster \
         without this node.",
        "Decide which of the two is right, at once: both may have a master. See \
         contrib/doc/disaster.md.",
    ),
    code(
        "alarm-storage-failed",
        "This node could not write its state. It neither votes nor acknowledges any more.",
        "Repair the disk or make room, then restart its daemon.",
    ),
    code(
        "alarm-two-masters",
        "Two nodes claim one term, which no sound node does: a state directory was copied, \
         restored, or lost its votes.",
        "Stop both nodes. Find the one whose state is not its own, and do not start it again so.",
    ),
    code(
        "alarm-term-jump",
        "A peer's term is impossibly far ahead; it is not believed.",
        "Look at that node's disk: its state is damaged or was made up.",
    ),
    code(
        "alarm-position-conflict",
        "Two nodes have different documents under the same number: one is damaged or was restored.",
        "Compare quorate show on all nodes; take the odd one out of service.",
    ),
    code(
        "alarm-voter-ignored",
        "A voter with a later term keeps refusing; the master goes on while its lease holds.",
        "Look whether that voter hears the others: it may be cut off in one direction.",
    ),
    code(
        "alarm-clock-rate",
        "A voter's clock runs at another speed than this one's; further off, it will not count.",
        "Check time keeping and the hypervisor of both machines.",
    ),
    code(
        "alarm-stall",
        "The daemon did not run although it was due: the machine is overloaded, or was paused.",
        "Look for load, swapping and snapshots at that time; raise dead_after if they must be.",
    ),
    code(
        "alarm-wall-clock-jump",
        "The time of day was set, or the machine was suspended. Leases do not depend on it.",
        "Check time synchronisation if nobody set the clock.",
    ),
    code(
        "alarm-clocks-disagree",
        "The two clocks of this machine that should run alike do not: neither is to be trusted.",
        "Look at the kernel's clock source and at the hypervisor.",
    ),
    code(
        "alarm-stop-overdue",
        "What ran as master is not confirmed dead although its time is over.",
        "Look for its processes on this node, and end them.",
    ),
];

pub(super) const ENDS: &[Code] = &[
    code(
        "ended-lease-ran-out",
        "Too few voters answered in time, so the lease was not renewed.",
        "Look for what kept the voters away: network, load, stopped daemons.",
    ),
    code(
        "ended-higher-term",
        "A voter is in a later term, so a majority may be elsewhere.",
        "Nothing, unless it repeats: then look at that voter's links.",
    ),
    code("ended-transfer", "An operator asked for a transfer.", NOTHING),
    code("ended-failback", "The preferred node is back and served its cooldown.", NOTHING),
    code("ended-step-down", "An operator asked this node to step down.", NOTHING),
    code("ended-leaving", "This node's daemon was told to end.", NOTHING),
    code(
        "ended-storage-failed",
        "This node's disk failed, and who cannot write may not lead.",
        "Repair the disk or make room, then restart its daemon.",
    ),
    code(
        "ended-stalled-storage",
        "A write to this node's disk stood still, and another node was ready.",
        "Look at that disk and at the system's log; it does not stand again for a minute.",
    ),
    code(
        "ended-unhealthy",
        "The health command of node.yaml failed, and another node was ready.",
        "Run that command by hand on this node; quorate status shows its last words.",
    ),
    code(
        "ended-standby",
        "The cluster.yaml has this node on standby, and another node was ready.",
        "Nothing if that was meant; quorate show says who set `standby` and until when.",
    ),
    code(
        "ended-hook-failed",
        "The master hook failed and `on_fail` is step-down.",
        "Look for the lines `hook master:` in this node's log, and mend what the hook starts.",
    ),
    code(
        "ended-guard-lost",
        "The guard, which ends what runs as master when time is over, was killed.",
        "Look in the system's log for who killed it; restart the daemon if it does not by itself.",
    ),
    code(
        "ended-never-activated",
        "It was elected, but could not get its lease or its document through in time.",
        "Look at round trips and disk times of the voters; raise dead_after if they must be so.",
    ),
    code(
        "ended-by-itself",
        "What ran as master ended, and with it the mastership.",
        "Look at why it ended, in its own log.",
    ),
    code("ended-superseded", "A master of a later term is there.", NOTHING),
];

pub(super) const CHANGES: &[Code] = &[
    code("elected-here", "This node was elected.", NOTHING),
    code("announced", "The master said so itself.", NOTHING),
    code(
        "told-by-peer",
        "A peer follows that master; this node does not hear it itself.",
        "Look at the link between this node and the master.",
    ),
    code(
        "promise-expired",
        "The master fell silent, and the promise to it ran out.",
        "Look at that node if it should be up.",
    ),
    code(super::RELEASED, "The master gave its mastership up.", NOTHING),
    code(
        "no-longer-told",
        "The peer that told of the master fell silent or follows nobody any more.",
        NOTHING,
    ),
];
