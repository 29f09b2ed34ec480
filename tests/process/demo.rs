//! The first thing a new user runs: the demo, without a terminal.
//! Never checks its figures; `contrib/bench` measures.

use super::command::{QUORATE, run};

#[test]
fn the_demo_tells_its_story_to_the_end() {
    let outcome = run(&[], [QUORATE, "demo", "--once"]);
    let story = outcome.printed();
    for word in ["alpha", "kill", "master", "http://127.0.0.13:"] {
        assert!(story.to_lowercase().contains(word), "`{word}` is not in: {story}");
    }
}
