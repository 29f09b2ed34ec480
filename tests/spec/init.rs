//! How a node comes into being, and what init refuses to do twice.

use std::fs;

use quorate::daemon::directory::Directory;
use quorate::daemon::failure::{self, Failure};
use quorate::daemon::init::{InitOptions, Printout, prepare};
use quorate::daemon::store::Store;
use quorate::protocol::durable::Durable;
use quorate::settings::cluster;

use super::workshop::{Workshop, charter_of};

fn options(workshop: &Workshop) -> InitOptions {
    InitOptions {
        places: workshop.places(),
        name: Some("alpha".to_owned()),
        advertise: Some("10.0.0.1:9901".to_owned()),
        cluster: None,
        from: None,
    }
}

fn init(workshop: &Workshop) -> Result<Printout, Failure> {
    prepare(&options(workshop))
}

fn init_cluster(workshop: &Workshop) -> Result<Printout, Failure> {
    prepare(&InitOptions { cluster: Some("shop".to_owned()), ..options(workshop) })
}

fn init_from(workshop: &Workshop, text: &str) -> Result<Printout, Failure> {
    let file = workshop.path("cluster.yaml");
    fs::write(&file, text).unwrap();
    prepare(&InitOptions { from: Some(file), ..options(workshop) })
}

fn state(workshop: &Workshop) -> Durable {
    Store::read(&Directory::open(&workshop.state_path()).unwrap(), charter_of).unwrap()
}

/// A workshop whose node is founded alone, and its document.
fn founded() -> (Workshop, String) {
    let workshop = Workshop::new();
    let text = init_cluster(&workshop).unwrap().text;
    init_from(&workshop, &text).unwrap();
    (workshop, text)
}

#[test]
fn init_prints_the_same_line_however_often_it_runs() {
    let workshop = Workshop::new();
    let first = init(&workshop).unwrap().text;
    assert!(first.starts_with("  - {id: \"alpha\", address: \"10.0.0.1:9901\""), "{first}");
    assert_eq!(init(&workshop).unwrap().text, first);
}

#[test]
fn init_with_a_cluster_name_prints_a_whole_valid_document() {
    let printout = init_cluster(&Workshop::new()).unwrap();
    let charter = cluster::parse(&printout.text, "cluster.yaml").unwrap();
    assert_eq!(&*charter.name, "shop");
    assert_eq!(charter.members.all().count(), 1);
}

#[test]
fn lines_of_other_hosts_can_be_appended_to_the_document_of_the_first() {
    let [first, second] = [Workshop::new(), Workshop::new()];
    let bravo = InitOptions {
        name: Some("bravo".to_owned()),
        advertise: Some("10.0.0.2:9901".to_owned()),
        ..options(&second)
    };
    let text = init_cluster(&first).unwrap().text + &prepare(&bravo).unwrap().text;
    assert_eq!(cluster::parse(&text, "cluster.yaml").unwrap().members.voters().count(), 2);
    init_from(&first, &text).unwrap();
}

#[test]
fn founding_writes_a_first_state_that_has_never_voted() {
    let (workshop, text) = founded();
    let state = state(&workshop);
    assert_eq!((state.sequence, state.term.0, state.vote), (1, 0, None));
    assert_eq!(&*state.committed.body, text);
    assert_eq!((state.committed.position.version, state.committed.revision), (1, 1));
}

#[test]
fn founding_begins_at_the_term_that_the_document_knows() {
    let workshop = Workshop::new();
    let text = init_cluster(&workshop).unwrap().text;
    let refused = init_from(&workshop, &format!("term: {}\n{text}", u64::MAX)).unwrap_err();
    assert!(refused.message.contains("term"), "{refused}");
    init_from(&workshop, &format!("term: 1048586\n{text}")).unwrap();
    let state = state(&workshop);
    assert_eq!((state.term.0, state.accepted.position.term.0), (1_048_586, 0));
}

#[test]
fn founding_again_from_the_same_bytes_changes_nothing() {
    let (workshop, text) = founded();
    let printout = init_from(&workshop, &text).unwrap();
    assert!(printout.notes.iter().any(|note| note.contains("nothing to do")));
    assert_eq!(state(&workshop).sequence, 1);
}

#[test]
fn founding_again_from_other_bytes_is_refused() {
    let (workshop, text) = founded();
    let failure = init_from(&workshop, &format!("{text}# more\n")).unwrap_err();
    assert_eq!(failure.code, failure::CANNOT_CREATE);
    assert_eq!(&*state(&workshop).committed.body, text);
}

#[test]
fn a_node_with_a_state_prints_its_line_and_starts_no_other_cluster() {
    let (workshop, text) = founded();
    assert!(text.ends_with(&init(&workshop).unwrap().text));
    assert_eq!(init_cluster(&workshop).unwrap_err().code, failure::CANNOT_CREATE);
}

#[test]
fn a_running_node_prints_its_line_and_is_not_founded() {
    let (workshop, text) = founded();
    let _daemon = Directory::open(&workshop.state_path()).unwrap();
    assert!(text.ends_with(&init(&workshop).unwrap().text));
    assert_eq!(init_from(&workshop, &text).unwrap_err().code, failure::TRY_AGAIN);
}

#[test]
fn a_disk_that_lost_its_state_comes_back_only_under_a_new_storage_id() {
    let (workshop, text) = founded();
    fs::remove_file(workshop.state_path().join("state")).unwrap();
    let failure = init_from(&workshop, &text).unwrap_err();
    assert_eq!(failure.code, failure::CONFIG);
    assert!(failure.message.contains("another `storage`"), "{failure}");
    assert!(!text.ends_with(&init(&workshop).unwrap().text));
}

#[test]
fn a_document_without_this_node_is_refused_with_the_line_it_needs() {
    let [ours, theirs] = [Workshop::new(), Workshop::new()];
    let bravo = InitOptions { name: Some("bravo".to_owned()), ..options(&theirs) };
    let bravo = InitOptions { cluster: Some("shop".to_owned()), ..bravo };
    let failure = init_from(&ours, &prepare(&bravo).unwrap().text).unwrap_err();
    assert_eq!(failure.code, failure::CONFIG);
    assert!(failure.message.contains("does not list node alpha"), "{failure}");
    assert!(failure.message.contains(init(&ours).unwrap().text.trim_end()), "{failure}");
}

#[test]
fn a_document_with_another_key_for_this_node_is_refused() {
    let [ours, clone] = [Workshop::new(), Workshop::new()];
    let failure = init_from(&ours, &init_cluster(&clone).unwrap().text).unwrap_err();
    assert!(failure.message.contains("another `key`"), "{failure}");
}

#[test]
fn a_bad_document_founds_nothing() {
    let workshop = Workshop::new();
    let failure = init_from(&workshop, "cluster: shop\nnodez: []\n").unwrap_err();
    assert_eq!(failure.code, failure::BAD_DATA);
    assert!(!workshop.state_path().join("state").exists());
}

#[test]
fn options_that_contradict_node_yaml_are_refused() {
    let workshop = Workshop::new();
    init(&workshop).unwrap();
    let other = InitOptions { name: Some("bravo".to_owned()), ..options(&workshop) };
    let failure = prepare(&other).unwrap_err();
    assert_eq!(failure.code, failure::CONFIG);
    assert!(failure.message.contains("`id: alpha`"), "{failure}");
}

#[test]
fn a_bad_name_or_address_makes_no_file() {
    let workshop = Workshop::new();
    let bad_name = InitOptions { name: Some("not a name".to_owned()), ..options(&workshop) };
    let advertise = Some("no-port\"\nid: x".to_owned());
    let bad_address = InitOptions { advertise, ..options(&workshop) };
    for options in [bad_name, bad_address] {
        assert_eq!(prepare(&options).unwrap_err().code, failure::CONFIG);
        assert_nothing_made(&workshop);
    }
}

#[track_caller]
fn assert_nothing_made(workshop: &Workshop) {
    assert_eq!(fs::read_dir(workshop.path(".")).unwrap().count(), 0);
}

#[test]
fn a_cluster_name_that_no_document_can_have_makes_nothing() {
    let workshop = Workshop::new();
    for name in ["bad/name", "", "a\"b", &"x".repeat(65)] {
        let cluster = Some(name.to_owned());
        let failure = prepare(&InitOptions { cluster, ..options(&workshop) }).unwrap_err();
        assert_eq!(failure.code, failure::CONFIG);
        assert!(failure.message.contains("A-Z a-z 0-9"), "{failure}");
        assert_nothing_made(&workshop);
    }
}

#[test]
fn a_document_that_is_not_there_makes_nothing() {
    let workshop = Workshop::new();
    let from = Some(workshop.path("cluster.yaml"));
    let failure = prepare(&InitOptions { from, ..options(&workshop) }).unwrap_err();
    assert_eq!(failure.code, failure::NO_INPUT);
    assert_nothing_made(&workshop);
}

#[test]
fn a_named_pipe_is_no_document_and_holds_nobody_up() {
    let workshop = Workshop::new();
    let from = workshop.path("pipe");
    let kind = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, &from, kind, 0o600.into(), 0).unwrap();
    let from = Some(from);
    let failure = prepare(&InitOptions { from, ..options(&workshop) }).unwrap_err();
    assert!(failure.message.contains("named pipe"), "{failure}");
}

#[test]
fn a_lost_certificate_leaves_the_node_as_it_was() {
    let (workshop, text) = founded();
    fs::remove_file(workshop.state_path().join("keys/node.crt")).unwrap();
    assert!(text.ends_with(&init(&workshop).unwrap().text));
}

#[test]
fn a_founded_node_never_gets_a_second_key() {
    let (workshop, _) = founded();
    fs::remove_dir_all(workshop.state_path().join("keys")).unwrap();
    let failure = init(&workshop).unwrap_err();
    assert_eq!(failure.code, failure::CONFIG);
    assert!(failure.message.contains("restore keys/ from a backup"), "{failure}");
    assert!(!workshop.state_path().join("keys").exists());
}

#[test]
fn a_node_that_is_reached_by_ipv6_listens_by_ipv6() {
    let workshop = Workshop::new();
    let advertise = Some("[2001:db8::1]:9911".to_owned());
    prepare(&InitOptions { advertise, ..options(&workshop) }).unwrap();
    let node_yaml = fs::read_to_string(workshop.path("node.yaml")).unwrap();
    assert!(node_yaml.contains("listen: \"[::]:9911\""), "{node_yaml}");
}
