//! How many files the daemon asks the system for.

use quorate::daemon::limits::{FILES_WANTED, soft_limit};
use rustix::process::Rlimit;

#[test]
fn the_limit_is_raised_as_far_as_it_may_and_never_lowered() {
    let raised = |current, maximum| soft_limit(Rlimit { current, maximum });
    assert_eq!(raised(Some(16), Some(1 << 19)), Some(FILES_WANTED));
    assert_eq!(raised(Some(16), Some(100)), Some(100));
    assert_eq!(raised(Some(16), None), Some(FILES_WANTED));
    assert_eq!(raised(Some(9000), Some(9000)), Some(9000));
    assert_eq!(raised(None, None), None);
}
