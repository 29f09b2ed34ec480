//! How the end of a hook is told.

use quorate::daemon::hooks::outcome::{Ran, remark};
use quorate::keep::guard::orders::End;
use quorate::settings::hooks::HookName;
use quorate::wire::codes;

fn told(end: End, last: Option<&str>) -> Option<(&'static str, String)> {
    let ran = Ran { end, last: last.map(str::to_owned), dropped: 0, took_ms: 120 };
    remark(HookName::Master, &ran).map(|remark| (remark.code, remark.message))
}

#[test]
fn every_end_of_a_hook_has_its_code_and_its_reason() {
    let cases = [
        (End::Code(0), codes::HOOK_OK, "hook master: ok in 120 ms"),
        (End::Code(3), codes::HOOK_FAILED, "hook master failed: exit code 3 (last line: no route)"),
        (
            End::Signal(11),
            codes::HOOK_FAILED,
            "hook master failed: killed by signal 11 (last line: no route)",
        ),
        (
            End::TimedOut,
            codes::HOOK_TIMED_OUT,
            "hook master was killed after 120 ms, its time-out (last line: no route)",
        ),
        (End::NotStarted, codes::HOOK_FAILED, "hook master could not be started: no route"),
    ];
    for (end, code, message) in cases {
        assert_eq!(told(end, Some("no route")), Some((code, message.to_owned())));
    }
}

#[test]
fn a_hook_that_mastership_cut_short_is_no_event() {
    assert_eq!(told(End::Stopped, None), None);
}
