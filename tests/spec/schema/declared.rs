//! Reads what the structs of the program spell as JSON from their declarations: names, types,
//! comments, what serde is told. Formatted code has one field a line, so lines are enough.
//! Never knows JSON Schema.

/// One struct or enum.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    /// Its comment, as one paragraph.
    pub(super) about: String,
    pub(super) shape: Shape,
}

/// What it has.
#[derive(Debug)]
pub(super) enum Shape {
    /// Fields.
    Struct(Vec<Field>),
    /// Variants, spelled as serde does: a word, or an object whose one key is the word.
    Enum(Vec<Variant>),
}

/// One field.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) about: String,
    /// Its type in Rust.
    pub(super) kind: String,
    /// Whether it may be left out.
    pub(super) is_optional: bool,
}

/// One variant.
#[derive(Debug)]
pub(super) struct Variant {
    pub(super) word: String,
    pub(super) about: String,
    pub(super) inside: Inside,
}

/// What is in a variant.
#[derive(Debug)]
pub(super) enum Inside {
    Nothing,
    One(String),
    Fields(Vec<Field>),
}

/// What stands above a declaration or a field.
#[derive(Default)]
struct Above {
    about: Vec<String>,
    serde: String,
}

impl Above {
    /// Takes in a comment or an attribute.
    fn takes(&mut self, line: &str) -> bool {
        if let Some(words) = line.strip_prefix("///") {
            self.about.push(words.trim().to_owned());
        } else if line.starts_with("#[") {
            self.serde += line;
        } else {
            return false;
        }
        true
    }

    /// Where docs link, the schema says the word.
    fn about(&self) -> String {
        self.about.join(" ").replace("[`", "`").replace("`]", "`")
    }

    /// The value of `name = "…"` in an attribute.
    fn said(&self, name: &str) -> Option<&str> {
        self.serde.split_once(&format!("{name} = \""))?.1.split('"').next()
    }

    fn field(&self, line: &str) -> Field {
        let (name, kind) = line.trim_end_matches(',').split_once(": ").expect(line);
        let kind = if self.said("serialize_with") == Some("octal") { "String" } else { kind };
        Field {
            name: self.said("rename").unwrap_or(name.trim_start_matches("pub ")).to_owned(),
            about: self.about(),
            kind: kind.to_owned(),
            is_optional: self.serde.contains("skip_serializing_if"),
        }
    }
}

/// Every declaration of a source.
pub(super) fn declared(source: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    let mut above = Above::default();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        if above.takes(line) {
            continue;
        }
        let above = std::mem::take(&mut above);
        let plain = line.trim_start_matches("pub ");
        let Some(head) = plain.strip_suffix(" {") else { continue };
        let name = |rest: &str| rest.split('<').next().expect("it has a name").to_owned();
        let mut body = || lines.by_ref().take_while(|line| *line != "}").map(str::trim).collect();
        let (name, shape) = if let Some(rest) = head.strip_prefix("struct ") {
            (name(rest), Shape::Struct(fields(body())))
        } else if let Some(rest) = head.strip_prefix("enum ") {
            (name(rest), Shape::Enum(variants(body(), above.said("rename_all"))))
        } else {
            continue;
        };
        found.push(Declared { name, about: above.about(), shape });
    }
    found
}

fn fields(lines: Vec<&str>) -> Vec<Field> {
    let mut above = Above::default();
    let mut found = Vec::new();
    for line in lines {
        if !above.takes(line) {
            found.push(std::mem::take(&mut above).field(line));
        }
    }
    found
}

fn variants(lines: Vec<&str>, case: Option<&str>) -> Vec<Variant> {
    let mut above = Above::default();
    let mut found = Vec::new();
    let mut lines = lines.into_iter();
    while let Some(line) = lines.next() {
        if above.takes(line) {
            continue;
        }
        let line = line.trim_end_matches(',');
        let (name, inside) = match (line.split_once('('), line.strip_suffix(" {")) {
            (Some((name, kind)), _) => (name, Inside::One(kind.trim_end_matches(')').to_owned())),
            (None, Some(name)) => {
                let body = lines.by_ref().take_while(|line| *line != "},").collect();
                (name, Inside::Fields(fields(body)))
            }
            (None, None) => (line, Inside::Nothing),
        };
        let about = std::mem::take(&mut above).about();
        found.push(Variant { word: spelled(name, case), about, inside });
    }
    found
}

/// As serde renames it.
fn spelled(name: &str, case: Option<&str>) -> String {
    let mut word = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_ascii_uppercase() && case == Some("kebab-case") {
            word.push('-');
        }
        word.push(if case.is_some() { letter.to_ascii_lowercase() } else { letter });
    }
    word
}

#[test]
fn declarations_are_read_with_their_comments_and_what_serde_is_told() {
    let source = "/// A cat,\n/// or [`Dog`].\n#[derive(Debug)]\npub struct Cat<'a> {\n    /// Its \
                  name.\n    pub name: &'a str,\n    #[serde(rename = \"old\", \
                  skip_serializing_if = \"x\")]\n    is_old: bool,\n}\n#[serde(rename_all = \
                  \"kebab-case\")]\nenum Mood {\n    /// Fine.\n    VeryGood,\n    \
                  Other(String),\n    Long {\n        /// Why.\n        why: u32,\n    },\n}\n";
    let found = declared(source);
    let [cat, mood] = &found[..] else { panic!("{found:?}") };
    assert_eq!((cat.name.as_str(), cat.about.as_str()), ("Cat", "A cat, or `Dog`."));
    let Shape::Struct(fields) = &cat.shape else { panic!("{cat:?}") };
    assert_eq!((fields[0].name.as_str(), fields[0].kind.as_str()), ("name", "&'a str"));
    assert_eq!(fields[0].about, "Its name.");
    assert!(fields[1].name == "old" && fields[1].is_optional && !fields[0].is_optional);
    let Shape::Enum(variants) = &mood.shape else { panic!("{mood:?}") };
    let words: Vec<_> = variants.iter().map(|variant| variant.word.as_str()).collect();
    assert_eq!(words, ["very-good", "other", "long"]);
    assert!(matches!(&variants[1].inside, Inside::One(kind) if kind == "String"));
    assert!(matches!(&variants[2].inside, Inside::Fields(inside) if inside[0].name == "why"));
}
