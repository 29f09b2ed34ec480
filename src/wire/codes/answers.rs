//! The table's sections about what is answered: refusals between nodes, to operators and editors,
//! and the program's exit codes.
//! Never what happens unasked.

use super::{Code, code};

const NOTHING: &str = "Nothing.";
const WAIT: &str = "Nothing: it passes. Try again a little later.";

pub(super) const REFUSALS: &[Code] = &[
    code("refused-stale-term", "The asker is in an older term than this node.", NOTHING),
    code(
        "refused-term-jump",
        "The asker's term is impossibly far ahead.",
        "Look at the asker's disk: its state is damaged or was made up.",
    ),
    code("refused-already-voted", "This node gave its vote in that term to another.", NOTHING),
    code(
        "refused-position-behind",
        "The asker has an older document, which its master could not have lost.",
        "Nothing: it fetches the newer one and stands again.",
    ),
    code(
        "refused-position-conflict",
        "Both have different documents under the same number.",
        "Compare quorate show on all nodes; take the odd one out of service.",
    ),
    code("refused-promised", "A promise to another master still runs.", WAIT),
    code("refused-lease-holder", "The asked node is master itself.", NOTHING),
    code("refused-still-stopping", "What ran as master on that node is still being stopped.", WAIT),
    code(
        "refused-quiet-period",
        "That node started too recently to know what it promised before.",
        WAIT,
    ),
    code(
        "refused-storage-failed",
        "That node's disk failed.",
        "Repair the disk or make room, then restart its daemon.",
    ),
    code(
        "refused-not-a-voter",
        "By that node's document the asker, with this disk, has no vote.",
        "Compare quorate show on both; was the asker's state directory made anew?",
    ),
    code(
        "refused-second-master",
        "Another node is master of that very term.",
        "As for alarm-two-masters.",
    ),
    code("refused-released", "The asker gave that term up before.", NOTHING),
    code(
        super::NO_ANSWER,
        "That voter did not answer in time.",
        "Look whether its daemon runs, and at the network between.",
    ),
];

pub(super) const HANDOVERS: &[Code] = &[
    code(
        "handover-not-master",
        "The node that was asked is not the acting master.",
        "Ask quorate master for who is, and try again.",
    ),
    code(
        "handover-not-electable",
        "The target is no member of the cluster, or one that may not lead.",
        "Look at quorate show for the nodes' names and roles.",
    ),
    code("handover-already-master", "The target is the master already.", NOTHING),
    code(
        "handover-not-fresh",
        "The target did not answer within the last two heartbeats.",
        "Look at quorate status: is it up, and heard in both directions?",
    ),
    code("handover-behind", "The target does not have the committed document yet.", WAIT),
    code(
        "handover-not-ready",
        "The target may not vote yet: just started, its storage failed, or still stopping.",
        "Wait for its quiet period; if it stays so, look at that node's status.",
    ),
    code(
        "handover-held-off",
        "The target was told to step down and holds itself off for a while.",
        "Wait until its time is over, or name another node.",
    ),
    code(
        "handover-unhealthy",
        "The target's health command fails, or its hooks did not clean up.",
        "Look at that node's status for the reason, or name another node.",
    ),
    code(
        "handover-sees-no-majority",
        "The target hears too few voters to lead.",
        "Look at that node's links, or name another node.",
    ),
    code(
        "handover-too-few-voters",
        "Fewer than a majority could vote for the target now.",
        "Look at quorate status for voters that are silent or cannot vote.",
    ),
    code("handover-edit-pending", "An edit of the document waits for its majority.", WAIT),
    code("handover-underway", "A handover runs already.", WAIT),
];

pub(super) const REJECTIONS: &[Code] = &[
    code(
        "rejected-not-master",
        "Only the acting master decides about edits.",
        "Ask the node that quorate master names.",
    ),
    code(
        "rejected-revision-moved",
        "Somebody else edited the document meanwhile.",
        "Look at quorate show, and make your edit in the present one.",
    ),
    code("rejected-edit-pending", "Another edit waits for its majority.", WAIT),
    code(
        "rejected-other-cluster",
        "The cluster's name, id and generation cannot be edited.",
        "Leave these three as they are.",
    ),
    code(
        "rejected-lease-too-short",
        "The present lease is too short for the new timing.",
        "Raise dead_after first, and stop and heartbeat in a second edit.",
    ),
    code(
        "rejected-too-far-apart",
        "The voters' round trips are too long for the new timing: nobody could lead.",
        "Take a longer dead_after and heartbeat.",
    ),
    code(
        "rejected-storage-failed",
        "The master's disk failed.",
        "Repair the disk or make room; the next master takes the edit.",
    ),
    code(
        "rejected-two-at-once",
        "More than one voter would come or go in one edit.",
        "Make one edit for each.",
    ),
    code(
        "rejected-master-must-lead",
        "The master would no longer be a voter that may lead.",
        "quorate transfer first, then edit.",
    ),
    code(
        "rejected-other-key",
        "The key of a voter would change at once while it votes: who has not heard of the new one \
         shuts it out.",
        "Run quorate key rotate on that node; if its key is lost, make it an observer first, then \
         change the key, then make it a voter again.",
    ),
    code(
        "rejected-not-an-observer",
        "A new voter is not an observer with that very disk and key yet.",
        "Add it as an observer first.",
    ),
    code(
        "rejected-not-caught-up",
        "A new voter is not connected and up to date for long enough.",
        WAIT,
    ),
    code(
        "rejected-document-missing",
        "A voter does not have the document that names the new one, or the next key of one.",
        "Look at quorate status for that voter; try again when it is heard.",
    ),
    code(
        "rejected-no-majority",
        "Too few of the new voters could vote now.",
        "Look at quorate status for voters that are silent or cannot vote.",
    ),
];

pub(super) const EXITS: &[Code] = &[
    code("0", "Yes, or done.", NOTHING),
    code("1", "No, or refused; stale.", "Read what it said; do not go on as if it were yes."),
    code("2", "The command line makes no sense.", "quorate COMMAND --help"),
    code("65", "A file is damaged, foreign or too large.", "Read what it said about that file."),
    code("66", "A file to read is not there.", "quorate config origin says which files are used."),
    code("69", "No daemon answers.", "Start it, or name its socket with --socket."),
    code(
        "73",
        "A file, socket or listening address cannot be made, or is there already.",
        "Read which; nothing that was there is overwritten.",
    ),
    code("74", "Reading or writing failed.", "Look at the disk and at the system's log."),
    code(
        "75",
        "Try again: no master, no room, the outcome is unknown, or another process has the \
         directory or lock.",
        "After a handover look at quorate status first; it may have happened.",
    ),
    code(
        "77",
        "Not allowed, or what answers is not to be believed.",
        "Run it as root, as the daemon's user, or as a member of the socket's group.",
    ),
    code("78", "The configuration is wrong.", "quorate config check says what and where."),
    code(
        "107",
        "It would do harm as things are, and was not done.",
        "--force does it all the same.",
    ),
    code("124", "What was waited for did not come in time.", "Look at quorate status."),
    code("125", "quorate run itself failed.", "Its message says what and why."),
    code("126", "CMD of quorate run cannot be executed.", "chmod +x it, or name another."),
    code("127", "CMD of quorate run was not found.", "Give its whole path."),
];
