//! The page for people: what is sent, and what a real browser makes of it.
//! Never looks at colours or places; people do.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::super::cluster::Cluster;
use super::super::command::run;
use super::super::looks::eventually;
use super::super::network::tell_skipped;
use super::{asked, door, founded, get};

/// What it may cost inside the binary.
const PAGE_BYTES_MAX: usize = 20 << 10;

/// How long the browser lets the page's own clock run before it prints what became of it.
const BUDGET: &str = "--virtual-time-budget=3000";

fn led() -> (Cluster, String) {
    let mut cluster = founded(3);
    cluster.start();
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let address = door(&cluster, "bravo");
    (cluster, address)
}

/// Whatever stands in `text` between `from` and the next `to`.
fn between<'a>(text: &'a str, from: &'a str, to: char) -> impl Iterator<Item = &'a str> {
    text.split(from).skip(1).filter_map(move |rest| rest.split(to).next())
}

#[test]
fn the_page_is_whole_in_itself_and_small() {
    let (_cluster, bravo) = led();
    let page = get(&bravo, "/");
    assert_eq!(page.status, 200);
    assert_eq!(page.line("Content-Type"), Some("text/html; charset=utf-8"));
    let policy = page.line("Content-Security-Policy").unwrap();
    assert!(policy.starts_with("default-src 'self'"), "{policy}");
    assert!(!policy.contains('*') && !policy.contains("http"), "{policy}");
    for foreign in ["http:", "https:", "src=", "@import", "url(", "<link", "\"//"] {
        assert!(!page.body.contains(foreign), "{foreign}");
    }
    assert!(page.body.len() <= PAGE_BYTES_MAX, "{} bytes", page.body.len());
    let head = asked(&bravo, "HEAD", "/");
    assert_eq!((head.status, &*head.body), (200, ""));
    assert_eq!(head.line("Content-Length"), Some(&*page.body.len().to_string()));
}

#[test]
fn what_nodes_say_becomes_text_in_elements_that_are_there() {
    let (_cluster, bravo) = led();
    let page = get(&bravo, "/").body;
    let (markup, script) = page.split_once("<script>").unwrap();
    for way in ["innerHTML", "outerHTML =", "insertAdjacent", "document.write", "eval", "Function"]
    {
        assert!(!script.contains(way), "{way} makes markup or code of what a node says");
    }
    let there: Vec<&str> = between(markup, " id=\"", '"').collect();
    let ids: BTreeSet<&str> = there.iter().copied().collect();
    assert_eq!(ids.len(), there.len(), "an id is there once");
    let ways = ["$('", "put('", "refresh('"];
    let used: BTreeSet<&str> = ways.iter().flat_map(|way| between(script, way, '\'')).collect();
    assert!(used.len() > 10 && used.is_subset(&ids), "{:?}", used.difference(&ids));
    let named: BTreeSet<&str> = between(markup, "labelledby=\"", '"').collect();
    assert!(named.is_subset(&ids), "{named:?}");
}

/// The browser, if one is here.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let files = names.iter().flat_map(|name| places.iter().map(move |place| place.join(name)));
    let found = files.into_iter().find(|file| file.is_file());
    if found.is_none() {
        tell_skipped("there is no chromium here: no browser opens the page");
    }
    found
}

/// What the page at `address` has become after three seconds of its own time.
fn seen(browser: &Path, address: &str, profile: &Path) -> String {
    let profile = format!("--user-data-dir={}", profile.display());
    let url = format!("http://{address}/");
    let browser = browser.to_str().unwrap();
    // Nothing but the page is opened; root may not have a sandbox, nor may most containers.
    let line = ["timeout", "60", browser, "--headless", "--no-sandbox", "--disable-gpu"];
    let more = ["--disable-dev-shm-usage", &profile, BUDGET, "--dump-dom", &url];
    run(&[], line.into_iter().chain(more)).stdout
}

/// The text of the element with this id, which has no element within.
fn text<'a>(page: &'a str, id: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!(" id=\"{id}\""))?;
    rest.split_once('>')?.1.split('<').next()
}

#[test]
fn a_browser_shows_the_master_and_the_next_one_after_it_was_killed() {
    let Some(browser) = browser() else { return };
    let (mut cluster, bravo) = led();
    let charlie = door(&cluster, "charlie");
    let profile = cluster.place().join("browser");
    let shows = |address: &str, master: &str, words: &[&str]| {
        eventually(&format!("the page at {address} shows {master}, and {words:?}"), || {
            let page = seen(&browser, address, &profile);
            let is_so = text(&page, "master") == Some(master)
                && page.contains(&format!("<title>{master} · shop</title>"))
                && words.iter().all(|word| page.contains(word));
            is_so.then_some(page)
        })
    };
    let whole = ["3 of 3 voters are heard, 2 are needed", "3 of 3 links work both ways."];
    let page = shows(&bravo, "alpha", &whole);
    assert_eq!(page.matches("data-name=\"Node\"").count(), 3, "a line for each node");
    assert_eq!(text(&page, "gone"), Some(""), "nothing is wrong");
    assert!(text(&page, "why").is_some_and(|why| why.starts_with("Why: ")), "{page}");

    cluster.crash("alpha");
    cluster.settles_on("bravo", &["charlie"]);
    let broken = ["2 of 3 voters are heard, 2 are needed", "Nobody is known to hear alpha."];
    for address in [&bravo, &charlie] {
        shows(address, "bravo", &broken);
    }
}
