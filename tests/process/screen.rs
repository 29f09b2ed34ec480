//! `status --watch` in a terminal: what a person sees, how little is written for it, and the
//! terminal afterwards.
//! Never believes the program: a small terminal, written here, keeps what its bytes do to a screen.

use std::fs;

use super::cluster::Cluster;
use super::command::{QUORATE, run};

/// A terminal in which the rest of the line runs, by its first word: `WIDTHxHEIGHT` gives it that
/// size, `<TEXT` waits until TEXT is on the screen, `+TEXT` until TEXT is written after the mark,
/// `mark` sets the mark, `>TEXT` types TEXT. At the end it prints the screen as it was after the
/// last act but one, a line of `=`, and what was written after the mark.
const TERMINAL: &str = r#"
import fcntl, os, pty, re, select, struct, sys, termios, time
end = time.monotonic() + 60
acts = sys.argv[1].split(",")
width, height = map(int, acts.pop(0).split("x"))
pid, tty = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    os.execvp(sys.argv[2], sys.argv[2:])
rows, at, came, held, wrong, last = [[" "] * width for _ in range(height)], [0, 0], "", b"", [], ""
PIECE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])|(.)", re.S)
WHOLE = re.compile(rb"(?s).*(?:\x1b\[[?0-9;]*[A-Za-z]|[\x00-\x1a\x1c-\x5a\x5c-\x7f])")
def blank(first, end):
    for row in range(first, min(end, height)):
        rows[row] = [" "] * width
is_new = False
def take(text):
    global is_new
    for order, letter, plain in PIECE.findall(text):
        if letter == "H":
            at[:] = [int(part) - 1 for part in (order or "1;1").split(";")]
        elif letter == "J":
            is_new = False
            blank(0 if order == "2" else at[0], height)
        elif letter == "K":
            blank(at[0], at[0] + 1)
        elif plain and at[0] < height and at[1] < width:
            rows[at[0]][at[1]] = plain
            at[1] += 1
        elif plain and not is_new:
            # What was drawn before the new size was heard of does not count.
            wrong.append((at[:], plain))
def shown():
    return "\n".join("".join(row).rstrip() for row in rows).rstrip()
def read():
    global came, held
    left = end - time.monotonic()
    if left < 0 or not select.select([tty], [], [], left)[0]:
        os.close(tty)
        sys.exit("in vain; this was on the screen:\n" + shown())
    held += os.read(tty, 4096)
    whole = WHOLE.match(held)
    if whole:
        text, held = whole.group().decode(), held[whole.end():]
        came += text
        take(text)
for act in acts:
    last = shown()
    if act[0] == "<":
        while act[1:] not in shown():
            read()
    elif act[0] == "+":
        while act[1:] not in came:
            read()
    elif act == "mark":
        came = ""
    elif act[0] == ">":
        os.write(tty, act[1:].encode())
    else:
        width, height = map(int, act.split("x"))
        rows, is_new = [[" "] * width for _ in range(height)], True
        fcntl.ioctl(tty, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
try:
    while True:
        read()
except OSError:
    pass
_, status = os.waitpid(pid, 0)
sys.stdout.write(last + "\n====\n" + came)
if wrong:
    sys.exit(f"written beside the screen: {wrong[:5]}")
sys.exit(os.waitstatus_to_exitcode(status) % 256)
"#;

const ENTERED: &str = "\u{1b}[?1049h\u{1b}[?25l";
const LEFT: &str = "\u{1b}[?25h\u{1b}[?1049l";

/// Watches alpha in a terminal of that environment while those acts go on: the screen, and what was
/// written.
fn watched(cluster: &mut Cluster, environment: &[&str], acts: &str) -> (String, String) {
    let script = cluster.place().join("terminal.py");
    fs::write(&script, TERMINAL).unwrap();
    let socket = cluster.node("alpha").socket();
    let start = ["env", "-u", "LC_ALL", "-u", "LC_CTYPE", "-u", "NO_COLOR", "TERM=xterm"];
    let terminal = ["python3", script.to_str().unwrap(), acts];
    let program = [QUORATE, "--socket", socket.to_str().unwrap(), "status", "--watch"];
    let line = [&start, environment, &terminal, &program].concat();
    let printed = run(&[], line).printed();
    let (screen, came) = printed.split_once("\n====\n").expect("it says both");
    (screen.to_owned(), came.to_owned())
}

#[test]
fn a_status_that_is_watched_is_drawn_calmly_at_any_size_and_leaves_the_terminal_as_it_was() {
    let mut cluster = Cluster::of(3);
    cluster.settles_on("alpha", &["bravo", "charlie"]);
    let unicode = ["LANG=C.UTF-8"];
    let (screen, came) = watched(&mut cluster, &unicode, "80x24,<charlie,<q or ^C,>q");
    assert!(came.starts_with(ENTERED) && came.ends_with(LEFT), "{came:?}");
    assert!(screen.contains("\u{25cf} alpha is master of shop"), "{screen}");
    assert!(came.contains("\u{1b}[32m"), "it has colours: {came:?}");
    assert_eq!(came.matches("\u{1b}[2J").count(), 1, "{came:?}");
    // What did not change is not written again, though other lines are.
    let acts = "80x24,<charlie,<q or ^C,mark,+up ,>q";
    let (_, came) = watched(&mut cluster, &unicode, acts);
    assert!(!came.contains("revision 1 at") && !came.contains("q or ^C"), "{came:?}");
    // Made smaller, it is drawn anew and fits; the terminal here complains about what does not.
    let acts = "80x24,<charlie,<q or ^C,40x16,<charlie,<q or ^C,>q";
    let (screen, _) = watched(&mut cluster, &unicode, acts);
    assert!(screen.contains("alpha is master") && screen.contains("both ways"), "{screen}");
    let acts = "80x24,<charlie,40x8,<is master,<q or ^C,>q";
    let (screen, _) = watched(&mut cluster, &unicode, acts);
    assert_eq!(screen.lines().count(), 8, "{screen}");
    // Whatever somebody else wrote onto the screen goes with ^L.
    let acts = "80x24,<charlie,<q or ^C,mark,>\u{c},+revision 1 at,>q";
    watched(&mut cluster, &unicode, acts);
    let plain = ["LC_ALL=C", "NO_COLOR=1"];
    let (screen, came) = watched(&mut cluster, &plain, "80x24,<charlie,<q or ^C,>q");
    assert!(screen.contains("* alpha is master of shop") && screen.is_ascii(), "{screen}");
    let order = |piece: &str| piece.chars().find(char::is_ascii_alphabetic);
    assert!(!came.split("\u{1b}[").skip(1).any(|piece| order(piece) == Some('m')), "{came:?}");
}
