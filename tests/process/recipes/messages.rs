//! `notify` hands each event to whoever sends messages here.
//! Never sends one.

use super::Bench;

/// With stand-ins that keep what they were told.
fn bench() -> Option<Bench> {
    let bench = Bench::with(&["cat"])?;
    for name in ["curl", "logger", "sendmail"] {
        bench.fake(name, "cat > said; [ ! -e down ]");
    }
    Some(bench)
}

#[test]
fn an_event_is_told_by_log_mail_or_webhook() {
    let Some(bench) = bench() else { return };
    let event = "elected master shop";
    assert_eq!(bench.run("notify", &format!("log {event}")).code, 0);
    let calls = bench.calls();
    assert!(calls[0].starts_with("logger -t quorate"), "{calls:?}");
    assert!(calls[0].ends_with("shop: elected on alpha; master: alpha, term 7"), "{calls:?}");
    assert_eq!(bench.run("notify", &format!("mail ops@example.org {event}")).code, 0);
    assert_eq!(bench.calls(), ["sendmail -t"]);
    let mail = std::fs::read_to_string(bench.file("said")).unwrap();
    let head = "To: ops@example.org\nSubject: quorate: shop: elected on alpha";
    assert!(mail.starts_with(head), "{mail}");
    for (to, words) in [
        ("https://hooks.example.org/x", "--url https://hooks.example.org/x"),
        ("/etc/quorate/webhook", "--config /etc/quorate/webhook"),
    ] {
        assert_eq!(bench.run("notify", &format!("webhook {to} {event}")).code, 0);
        let calls = bench.calls();
        assert!(calls[0].starts_with("curl --fail") && calls[0].ends_with(words), "{calls:?}");
    }
}

#[test]
fn only_the_wanted_events_are_told() {
    let Some(bench) = bench().and_then(Bench::read_by_busybox) else { return };
    for (event, is_told) in [("elected", true), ("alarm-stall", true), ("peer-heard", false)] {
        let words = format!("when elected,alarm-* log {event} backup shop");
        assert_eq!(bench.run("notify", &words).code, 0);
        assert_eq!(bench.calls().len(), usize::from(is_told), "{event}");
    }
}

#[test]
fn a_message_that_was_not_taken_is_a_failure() {
    let Some(bench) = bench() else { return };
    std::fs::write(bench.file("down"), "").unwrap();
    for way in ["log", "mail ops@example.org", "webhook https://hooks.example.org/x"] {
        assert_eq!(bench.run("notify", &format!("{way} elected master shop")).code, 1, "{way}");
    }
    bench.run("notify", "pigeon elected master shop").refused(2, &["webhook"]);
}
