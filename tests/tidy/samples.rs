//! Holds every sample of node.yaml in the documents to the program's own reader.
//! Never looks whether the programs that it names are there.

use quorate::settings::keys::NODE;
use quorate::settings::node;

use super::pages::{self, Piece};

#[test]
fn every_sample_of_node_yaml_in_the_documents_is_one_that_the_program_takes() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages::all() {
        for piece in pages::pieces(&page.text) {
            let Piece::Block(line, "yaml", lines) = piece else { continue };
            let Some(text) = whole(&lines) else { continue };
            count += 1;
            if let Err(problem) = node::parse(&text, "node.yaml") {
                wrong.push(format!("{}:{line}: {problem}", page.path));
            }
        }
    }
    assert!(count > 8 && wrong.is_empty(), "{count} samples\n{}", wrong.join("\n"));
}

/// The sample as a whole node.yaml, if it is one of it.
fn whole(lines: &[&str]) -> Option<String> {
    let is_key = |line: &&&str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let keys: Vec<&str> =
        lines.iter().filter(is_key).filter_map(|line| line.split(':').next()).collect();
    // Traefik has a key of the same name, with more below it.
    let is_one =
        !keys.is_empty() && keys.iter().all(|key| NODE.has(key)) && !lines.contains(&"http:");
    let id = if keys.contains(&"id") { "" } else { "id: alpha\n" };
    is_one.then(|| format!("{id}{}\n", lines.join("\n")))
}

#[test]
fn a_sample_is_known_by_its_keys() {
    assert_eq!(whole(&["http: off"]).as_deref(), Some("id: alpha\nhttp: off\n"));
    assert_eq!(whole(&["cluster: shop", "nodes: []"]), None);
    assert_eq!(whole(&["http:", "  services: {}"]), None);
}
