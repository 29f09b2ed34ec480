//! Tries every target on its seeds, on inputs that once taught a fuzzer something, and on some
//! thousand mutations of both. Seeded: each run tries the same.
//! Never as deep as `contrib/fuzz`, which goes on where this ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::any::Any;
use super::{TARGETS, Target};

/// How many mutations each target gets.
const ROUNDS: usize = 2_500;
/// No mutation grows beyond this; larger inputs have tests of their own.
const SIZE_MAX: usize = 8 << 10;

#[test]
fn whatever_bytes_come_a_frame_is_whole_or_refused() {
    search("frames");
}

#[test]
fn whatever_bytes_come_a_hello_is_whole_or_refused() {
    search("hello");
}

#[test]
fn whatever_is_pasted_a_token_is_whole_or_refused() {
    search("token");
}

#[test]
fn whatever_bytes_come_a_request_to_join_or_its_answer_is_whole_or_refused() {
    search("join");
}

#[test]
fn whatever_bytes_come_a_message_goes_out_as_it_came_in_or_is_refused() {
    search("messages");
}

#[test]
fn whatever_bytes_come_a_record_makes_sense_or_is_refused() {
    search("record");
}

#[test]
fn whatever_bytes_come_a_request_is_understood_or_refused() {
    search("control");
}

#[test]
fn whatever_is_typed_a_cluster_file_is_a_charter_or_has_a_problem_at_a_real_place() {
    search("cluster_yaml");
}

#[test]
fn whatever_is_typed_a_node_file_is_settings_or_has_a_problem_at_a_real_place() {
    search("node_yaml");
}

#[test]
fn whatever_is_asked_over_http_is_one_request_or_one_refusal() {
    search("http");
}

#[test]
fn whatever_the_document_the_pen_leaves_one_or_asks_a_person() {
    search("pen");
}

#[test]
fn whatever_is_typed_a_word_is_what_it_says_or_refused() {
    search("words");
}

#[test]
fn whatever_is_typed_a_command_line_is_one_call_or_one_complaint() {
    search("command_line");
}

/// Promises: P2, P5, P12
#[test]
fn whatever_members_say_a_node_neither_crashes_nor_goes_back() {
    search("member");
}

#[test]
fn every_target_is_searched_and_kept_inputs_belong_to_one() {
    let source = include_str!("search.rs");
    for Target { name, .. } in TARGETS {
        assert!(source.contains(&format!("search(\"{name}\")")), "{name} is not searched");
    }
    for entry in kept().read_dir().expect("there are kept inputs") {
        let name = entry.expect("a listed entry can be read").file_name();
        assert!(TARGETS.iter().any(|target| name == target.name), "{name:?} is no target");
    }
}

fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec/properties/kept")
}

/// Inputs that `contrib/fuzz` found to reach code nothing else did.
fn kept_for(target: Target) -> Vec<Vec<u8>> {
    let Ok(folder) = kept().join(target.name).read_dir() else { return Vec::new() };
    let mut paths: Vec<_> = folder.map(|entry| entry.expect("it can be read").path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("it can be read")).collect()
}

fn search(name: &str) {
    let target = *TARGETS.iter().find(|target| target.name == name).expect("it is in the table");
    let seeds = (target.seeds)();
    let inputs = [seeds.clone(), kept_for(target)].concat();
    let [mut taken, mut refused] = [0, 0];
    let mut count = |is_taken| if is_taken { taken += 1 } else { refused += 1 };
    for input in &inputs {
        count(tried(target, input));
    }
    let mut any = Any::from_seed(58);
    for round in 0..ROUNDS {
        // One edit of a seed is often still good; several of anything reach further.
        let input = match round % 2 {
            0 => mutated(&seeds, target.words, 1, &mut any),
            _ => {
                let edits = 1 + any.pick(4);
                mutated(&inputs, target.words, edits, &mut any)
            }
        };
        count(tried(target, &input));
    }
    assert!(taken > 5 && refused > 5, "{name}: {taken} taken, {refused} refused");
}

fn tried(target: Target, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| (target.check)(input))).unwrap_or_else(|_| {
        panic!("{} fails, for the reason above, on b\"{}\"", target.name, input.escape_ascii())
    })
}

/// Some edits of one input, as damage, typing and malice make them.
fn mutated(inputs: &[Vec<u8>], words: &[&str], edits: u64, any: &mut Any<'_>) -> Vec<u8> {
    let mut bytes = inputs[any.below(inputs.len())].clone();
    for _ in 0..edits {
        let start = any.below(bytes.len() + 1);
        let end = (start + any.below(12)).min(bytes.len());
        let piece: Vec<u8> = match any.pick(8) {
            0 => Vec::new(),
            1 => bytes[start..end].repeat(2),
            2 => bytes[start..end].iter().map(|byte| byte ^ (1 << any.pick(8))).collect(),
            3 => vec![any.pick(256) as u8],
            4 => spliced(&inputs[any.below(inputs.len())], any),
            5 => {
                bytes.truncate(start);
                continue;
            }
            _ => any.choose(words).unwrap_or_default().as_bytes().to_vec(),
        };
        bytes.splice(start..end, piece);
        bytes.truncate(SIZE_MAX);
    }
    bytes
}

/// A part of another input.
fn spliced(other: &[u8], any: &mut Any<'_>) -> Vec<u8> {
    let start = any.below(other.len() + 1);
    let end = (start + any.below(200)).min(other.len());
    other[start..end].to_vec()
}
