//! How a command line is read.

use std::ffi::OsString;
use std::time::Duration;

use quorate::cli::args::{
    self, Call, Command, DemoOptions, Ending, Format, Goal, InitFlags, MasterField, Patience,
    Preset, Rescue, RunOptions, Scope, Show, Stay, TimingSource, Traces, Trial, Wanted, Watch,
};
use quorate::cli::help;
use quorate::protocol::units::{NodeId, Term};
use quorate::settings::hooks::HookName;
use quorate::wire::hold::While;

fn read(line: &str) -> Result<Call, String> {
    args::parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
}

fn command(line: &str) -> Command {
    read(line).unwrap().command
}

fn complaint(line: &str) -> String {
    read(line).unwrap_err()
}

fn bravo() -> NodeId {
    NodeId::new("bravo").unwrap()
}

const DEMO: DemoOptions =
    DemoOptions { nodes: 3, show: Show::Live, timing: Preset::Lan, traces: Traces::Removed };

fn fence(file: &str, term: Option<Term>, seconds: u64) -> Command {
    let patience = Duration::from_secs(seconds);
    Command::FenceCheck { file: file.into(), term, patience }
}

#[test]
fn all_after_the_first_word_of_a_program_belongs_to_it() {
    let cmd = |line: &str| line.split(' ').map(OsString::from).collect();
    let run = |patience, grace, ending, line: &str| {
        Command::Run(RunOptions { role: While::Master, patience, grace, ending, cmd: cmd(line) })
    };
    let endless = |line: &str| run(Patience::Endless, None, Ending::Leave, line);
    assert_eq!(command("run -- ls --help"), endless("ls --help"));
    assert_eq!(command("run ls -l -- --wait"), endless("ls -l -- --wait"));
    assert_eq!(command("run -- --odd"), endless("--odd"));
    let (five, two) = (Duration::from_secs(5), Duration::from_secs(2));
    let all = run(Patience::Limited(five), Some(two), Ending::Restart, "ls");
    assert_eq!(command("run --wait 5s --grace 2s --restart -- ls"), all);
    let at_once = run(Patience::None, None, Ending::Leave, "ls");
    assert_eq!(command("run --no-wait -- ls"), at_once);
    assert_eq!(command("run --while master -- ls"), endless("ls"));
    let backup = RunOptions {
        role: While::Backup,
        patience: Patience::Endless,
        grace: None,
        ending: Ending::Leave,
        cmd: cmd("ls"),
    };
    assert_eq!(command("run --while backup -- ls"), Command::Run(backup));
    assert!(complaint("run --while slave -- ls").contains("must be master or backup"));
    assert!(complaint("run --restart").contains("CMD is missing"));
    assert!(complaint("run --wait 1s --no-wait ls").contains("one of them"));
}

fn history(count: usize, scope: Scope, format: Format) -> Command {
    Command::History { count, scope, format }
}

#[test]
fn a_history_of_nothing_is_refused() {
    for line in ["history -n 0", "history -n -1", "history -n many"] {
        assert!(complaint(line).contains("a number above 0"), "{line}");
    }
}

#[test]
fn every_command_is_understood() {
    let seconds = Duration::from_secs;
    let table = [
        ("serve", Command::Serve),
        ("status", Command::Status(Watch::Once, Format::Text)),
        ("status --watch", Command::Status(Watch::Repeatedly, Format::Text)),
        ("status --json", Command::Status(Watch::Once, Format::Json)),
        ("is-master", Command::IsMaster),
        ("has-quorum", Command::HasQuorum),
        ("master", Command::Master(MasterField::Name)),
        ("master --address", Command::Master(MasterField::Address)),
        ("wait --for master", Command::Wait(Goal::Master, seconds(30))),
        ("wait --for=quorum --timeout 2m", Command::Wait(Goal::Quorum, seconds(120))),
        ("wait --for role=follower", Command::Wait(Goal::Role("follower"), seconds(30))),
        ("wait --for revision=7", Command::Wait(Goal::Revision(7), seconds(30))),
        ("wait --for node=bravo", Command::Wait(Goal::Node(bravo()), seconds(30))),
        ("wait --for master=bravo", Command::Wait(Goal::MasterIs(bravo()), seconds(30))),
        ("doctor --json", Command::Doctor(Format::Json)),
        ("config timing", Command::ConfigTiming(TimingSource::Presets, Format::Text)),
        (
            "config timing wan",
            Command::ConfigTiming(TimingSource::Preset(Preset::Wan), Format::Text),
        ),
        (
            "config timing - --json",
            Command::ConfigTiming(TimingSource::File("-".into()), Format::Json),
        ),
        ("step-down", Command::StepDown(seconds(60), Format::Text)),
        ("step-down --for 5s", Command::StepDown(seconds(5), Format::Text)),
        ("transfer", Command::Transfer(None, Format::Text)),
        ("transfer bravo --json", Command::Transfer(NodeId::new("bravo"), Format::Json)),
        ("events", Command::Events(Stay::Leave, Format::Text)),
        ("events --follow --json", Command::Events(Stay::Follow, Format::Json)),
        ("events --follow --new", Command::Events(Stay::News, Format::Text)),
        ("history", history(20, Scope::Reigns, Format::Text)),
        ("history -n 5 --json", history(5, Scope::Reigns, Format::Json)),
        ("history --newest=9 --all", history(9, Scope::Events, Format::Text)),
        ("show", Command::Show { revision: None, format: Format::Text }),
        ("explain", Command::Explain(None, Format::Text)),
        ("explain quorum-lost --json", Command::Explain(Some("quorum-lost"), Format::Json)),
        ("explain who --json", Command::ExplainWho(Format::Json)),
        ("explain 75", Command::Explain(Some("75"), Format::Text)),
        ("fence-check token", fence("token", None, 30)),
        ("fence-check /a/b 7 --timeout 5s", fence("/a/b", Some(Term(7)), 5)),
        ("config check", Command::ConfigCheck(None)),
        ("config check -", Command::ConfigCheck(Some("-".into()))),
        ("config check a.yaml", Command::ConfigCheck(Some("a.yaml".into()))),
        ("config origin", Command::ConfigOrigin(Format::Text)),
        ("version", Command::Version),
    ];
    for (line, expected) in table {
        assert_eq!(command(line), expected, "{line}");
    }
}

#[test]
fn the_demo_takes_its_numbers_and_words() {
    assert_eq!(command("demo"), Command::Demo(DEMO));
    let all = DemoOptions { nodes: 5, show: Show::Once, timing: Preset::Wan, traces: Traces::Kept };
    assert_eq!(command("demo --nodes 5 --once --timing wan --keep"), Command::Demo(all));
    assert!(complaint("demo --nodes 10").contains("a number from 1 to 9"));
    assert!(complaint("demo --nodes many").contains("a number from 1 to 9"));
    assert!(complaint("demo --timing lam").contains("did you mean lan?"));
}

#[test]
fn init_takes_a_name_and_where_it_is_reached() {
    let flags = InitFlags {
        name: Some("alpha".into()),
        advertise: Some("a:9901".into()),
        cluster: Some("shop".into()),
        from: None,
        renew: false,
    };
    let line = "init --name alpha --advertise a:9901 --cluster shop";
    assert_eq!(command(line), Command::Init(flags));
    assert!(complaint("init --cluster a --from b").contains("one of them"));
    let renew = InitFlags { renew: true, ..InitFlags::default() };
    assert_eq!(command("init --renew"), Command::Init(renew));
    assert!(complaint("init --renew --from b").contains("--renew makes this disk another one"));
}

#[test]
fn a_recovery_is_asked_for_in_so_many_words() {
    let files = vec!["a".into(), "b".into()];
    let wanted = Rescue::Recover { name: Some("shop".to_owned()), files };
    assert_eq!(command("recover --generation --cluster shop a b"), Command::Rescue(wanted));
    assert!(complaint("recover a").contains("say so by --generation"));
    assert_eq!(command("backup x"), Command::Rescue(Rescue::Backup("x".into())));
    assert_eq!(command("restore x"), Command::Rescue(Rescue::Restore("x".into())));
    assert!(complaint("restore").contains("FILE is missing"));
    assert_eq!(command("confirm-moved"), Command::Rescue(Rescue::ConfirmMoved));
}

#[test]
fn places_may_stand_before_and_after_the_command() {
    for line in ["--socket /a status", "status --socket /a", "status --socket=/a"] {
        assert_eq!(read(line).unwrap().places.socket, Some("/a".into()), "{line}");
    }
    let places = read("--config /c --state-dir /d serve").unwrap().places;
    assert_eq!((places.config, places.state_dir), (Some("/c".into()), Some("/d".into())));
}

#[test]
fn a_socket_path_that_no_system_takes_is_refused() {
    assert!(read(&format!("status --socket /{}", "a".repeat(106))).is_ok());
    let said = complaint(&format!("status --socket /{}", "a".repeat(107)));
    assert!(said.contains("--socket is 108 bytes long"), "{said}");
}

#[test]
fn help_is_given_wherever_it_is_asked_for() {
    for line in ["--help", "-h", "help"] {
        assert_eq!(command(line), Command::Help(None), "{line}");
    }
    for line in ["status --help", "status -h", "help status", "--help status"] {
        assert_eq!(command(line), Command::Help(Some("status")), "{line}");
    }
    assert_eq!(command("wait --help"), Command::Help(Some("wait")));
    assert_eq!(command("help config check"), Command::Help(Some("config check")));
    for line in ["config --help", "config -h", "help config"] {
        assert_eq!(command(line), Command::Help(Some("config")), "{line}");
    }
    for line in ["--version", "-V", "status --version"] {
        assert_eq!(command(line), Command::Version, "{line}");
    }
}

#[test]
fn a_mistyped_word_is_answered_with_the_nearest_one() {
    let table = [
        ("stauts", "unknown command stauts; did you mean status?"),
        ("ismaster", "did you mean is-master?"),
        ("config chekc", "did you mean config check?"),
        ("status --jsno", "unknown flag --jsno; did you mean --json?"),
        ("wait --for mastre", "did you mean master?"),
        ("wait --for role=folower", "did you mean role=follower?"),
        (
            "explain alarm-stal",
            "unknown code alarm-stal; did you mean quorate explain alarm-stall?",
        ),
        ("explain quorum", "did you mean quorate explain quorum-"),
        ("help stat", "did you mean quorate help status?"),
    ];
    for (line, expected) in table {
        let said = complaint(line);
        assert!(said.contains(expected), "{line}: {said}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    let table = [
        ("", "a command is missing"),
        ("xyzzy", "unknown command xyzzy\n"),
        ("status --socket=", "--socket is empty"),
        ("events --new", "--new needs --follow"),
        ("help demo-node", "unknown command demo-node"),
        ("demo-nod", "unknown command demo-nod\n"),
        ("config", "config needs one more word: check or timing or origin"),
        ("status now", "unexpected word now"),
        ("transfer a b", "unexpected word b"),
        ("explain 76", "unknown code 76\n"),
        ("fence-check", "FILE is missing"),
        ("fence-check token seven", "`seven` is no term"),
        ("fence-check token 0", "`0` is no term"),
        ("fence-check token 7 8", "unexpected word 8"),
        ("transfer a/b", "a/b is no node's name"),
        ("status --json --json", "--json is given twice"),
        ("status --json=yes", "--json"),
        ("status -x", "unknown flag -x"),
        ("wait", "--for is missing"),
        ("wait --for", "--for"),
        ("wait --for candidate", "did you mean role=candidate?"),
        ("wait --for revision=x", "x is no whole number"),
        ("wait --for node=a/b", "a/b is no node"),
        ("wait --for master --timeout 30", "30"),
        ("step-down --for soon", "soon"),
    ];
    for (line, expected) in table {
        let said = complaint(line);
        assert!(said.contains(expected), "{line}: {said}");
        assert!(said.ends_with("--help"), "{line}: {said}");
    }
}

#[test]
fn the_table_describes_every_command_and_the_overview_shows_it() {
    let overview = help::overview();
    for topic in help::TOPICS.iter().filter(|topic| topic.shelf != help::Shelf::Internal) {
        assert!(overview.contains(&format!("\n  {:<15} {}\n", topic.name, topic.summary)));
        let asked = command(&format!("{} --help", topic.name));
        assert_eq!(asked, Command::Help(Some(topic.name)));
    }
}

#[test]
fn help_fits_80_columns_and_is_ascii() {
    let pages = help::TOPICS.iter().map(help::page).chain([help::overview()]);
    for line in pages.flat_map(|page| page.lines().map(str::to_owned).collect::<Vec<_>>()) {
        assert!(line.len() <= 80 && line.is_ascii(), "{line}");
    }
}

#[test]
fn a_page_says_how_to_type_it_and_what_it_exits_with() {
    let page = help::page(help::find("wait").unwrap());
    assert!(page.contains("Usage: quorate wait --for GOAL [--timeout TIME]\n"), "{page}");
    assert!(page.contains("\n  124  it did not come in time\n"), "{page}");
    for name in ["serve", "init"] {
        let page = help::explain(name).unwrap();
        for code in [65, 66, 73, 74, 75, 77, 78] {
            assert!(page.contains(&format!("\n  {code}   ")), "{code} in {page}");
        }
    }
    let page = help::page(help::find("transfer").unwrap());
    assert!(page.contains("Usage: quorate transfer [--json] [NODE]\n"), "{page}");
    let page = help::page(help::find("fence-check").unwrap());
    assert!(page.contains("Usage: quorate fence-check [--timeout TIME] FILE [TERM]\n"), "{page}");
}

#[test]
fn a_group_of_commands_has_its_own_page_and_internal_commands_have_none() {
    let page = help::explain("config").unwrap();
    for name in ["config check", "config origin"] {
        assert!(page.contains(name), "{page}");
    }
    assert!(help::shown_names().all(|name| name != "demo-node"));
}

#[test]
fn a_hook_to_try_is_named_and_only_shown_if_so_wanted() {
    let test = |name, trial| Command::HookTest(name, trial);
    assert_eq!(command("hook test master"), test(HookName::Master, Trial::Run));
    assert_eq!(command("hook test backup --force"), test(HookName::Backup, Trial::Force));
    let both = command("hook test --force no_quorum --dry-run");
    assert_eq!(both, test(HookName::NoQuorum, Trial::Show));
    assert!(
        complaint("hook test").contains("NAME is missing: master, backup, no_quorum, event, fence")
    );
    assert!(complaint("hook test no-quorum").contains("quorate hook test no_quorum"));
    assert!(complaint("hook test master backup").contains("unexpected word backup"));
    assert!(complaint("hook").contains("needs one more word: test"));
}

#[test]
fn a_position_is_a_whole_number() {
    assert_eq!(command("set-position 0"), Command::SetPosition(0));
    assert_eq!(command("set-position 18446744073709551615"), Command::SetPosition(u64::MAX));
    for wrong in ["1.5", "+1", "0x10", "18446744073709551616", "ten"] {
        let complaint = complaint(&format!("set-position {wrong}"));
        assert!(complaint.contains(&format!("`{wrong}` is no whole number from 0")), "{complaint}");
    }
    assert!(complaint("set-position").contains("N is missing"));
}

#[test]
fn a_revision_alone_is_the_way_back_and_with_a_file_what_it_was_made_from() {
    let text = |line: &str| match command(line) {
        Command::Apply(options) => Some(options.text),
        _ => None,
    };
    assert_eq!(text("apply --revision 3"), Some(Wanted::Revision(3)));
    let file = |made_from| Some(Wanted::File { path: "f".into(), made_from });
    assert_eq!(text("apply f"), file(None));
    assert_eq!(text("apply f --revision 3"), file(Some(3)));
    assert!(complaint("apply").contains("--revision N to go back"));
    assert!(complaint("apply --revision three").contains("must be a number"));
    assert!(complaint("apply --revision 3 --rebase").contains("needs FILE"));
    assert!(complaint("history --patch").contains("--documents"));
    assert!(complaint("history --all --documents").contains("give one of them"));
}
