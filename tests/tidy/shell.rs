//! Finds the calls of this program in lines that a person types into a shell.
//! Never runs one, and understands no more of a shell than the documents use.

/// Words that may stand before a program in one simple command, and how many words each takes.
const RUNNERS: [(&str, usize); 10] = [
    ("if", 0),
    ("while", 0),
    ("until", 0),
    ("then", 0),
    ("do", 0),
    ("!", 0),
    ("exec", 0),
    ("sudo", 0),
    ("timeout", 1),
    ("ssh", 1),
];

/// The words of every call of this program in `text`, without its name.
pub(crate) fn calls(text: &str) -> Vec<Vec<String>> {
    let mut calls = Vec::new();
    for command in commands(text) {
        for word in command.iter().filter(|word| word.contains("quorate ")) {
            // A script within quotes, such as that of `sh -c`.
            calls.extend(self::calls(word));
        }
        let command = without_runners(&command);
        if let Some((program, words)) = command.split_first()
            && program.rsplit('/').next() == Some("quorate")
        {
            calls.push(words.to_vec());
        }
    }
    calls
}

/// What is left of a simple command behind what may stand before a program.
fn without_runners(command: &[String]) -> &[String] {
    let mut rest = command;
    while let Some((first, others)) = rest.split_first() {
        let is_assignment = first.split_once('=').is_some_and(|(name, _)| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        });
        let is_cron = first.bytes().all(|byte| byte.is_ascii_digit() || b"*/,-".contains(&byte));
        let takes = match RUNNERS.iter().find(|(word, _)| word == first) {
            Some((_, takes)) => *takes,
            None if is_assignment || is_cron => 0,
            None => return rest,
        };
        rest = others.get(takes..).unwrap_or_default();
    }
    rest
}

/// The simple commands of a script: words, without redirections and comments.
fn commands(text: &str) -> Vec<Vec<String>> {
    let mut reader = Reader { commands: vec![Vec::new()], word: None, is_target: false };
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let step = match c {
            '\\' => {
                let escaped = rest[1..].chars().next().unwrap_or_default();
                // A line that goes on below is one line.
                1 + if escaped == '\n' { 1 } else { reader.push(escaped) }
            }
            '\'' | '"' => {
                let inside = &rest[1..];
                let end = inside.find(c).unwrap_or(inside.len());
                reader.word.get_or_insert_default().push_str(&inside[..end]);
                end + 2
            }
            '#' if reader.word.is_none() => rest.find('\n').unwrap_or(rest.len()),
            ' ' | '\t' => reader.end_word(),
            '>' | '<' if !rest[1..].starts_with('(') => reader.redirect(),
            '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>' => reader.end_command(),
            c => reader.push(c),
        };
        rest = rest.get(step..).unwrap_or_default();
    }
    reader.end_command();
    reader.commands
}

/// What was read so far.
struct Reader {
    commands: Vec<Vec<String>>,
    word: Option<String>,
    /// Whether the next word is where output goes.
    is_target: bool,
}

impl Reader {
    fn push(&mut self, c: char) -> usize {
        self.word.get_or_insert_default().push(c);
        c.len_utf8()
    }

    fn end_word(&mut self) -> usize {
        if let Some(word) = self.word.take()
            && !core::mem::take(&mut self.is_target)
        {
            self.commands.last_mut().expect("there is always one").push(word);
        }
        1
    }

    fn redirect(&mut self) -> usize {
        // The number of a stream is no word.
        self.word.take_if(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        self.end_word();
        self.is_target = true;
        1
    }

    fn end_command(&mut self) -> usize {
        self.end_word();
        self.is_target = false;
        self.commands.push(Vec::new());
        1
    }
}

#[test]
fn calls_are_found_where_a_shell_would_run_them() {
    let found =
        |text: &str| calls(text).iter().map(|words| words.join(" ")).collect::<Vec<_>>().join("; ");
    assert_eq!(found("quorate is-master && exit 0  # quorate x"), "is-master");
    assert_eq!(found("*/5 * * * *  quorate run --no-wait -- job"), "run --no-wait -- job");
    assert_eq!(found("ssh delta quorate init | quorate node add -"), "init; node add -");
    assert_eq!(found("term=$(quorate status --json | jq .term)"), "status --json");
    assert_eq!(found("source <(quorate completions bash)"), "completions bash");
    assert_eq!(found("quorate serve 2>/dev/null >log --socket s"), "serve --socket s");
    assert_eq!(found("flock l sh -c '\n  quorate master && x'"), "master");
    assert_eq!(found("systemctl stop quorate; rc-service quorate stop"), "");
    assert_eq!(found("QUORATE_DIR=x sudo /usr/local/bin/quorate \\\n init"), "init");
}
