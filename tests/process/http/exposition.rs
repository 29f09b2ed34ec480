//! A strict reader of the text format of Prometheus, 0.0.4, as far as a scraper depends on it.
//! Never lenient: what a scraper might take is refused if the format's description does not say it.

use std::collections::{BTreeMap, BTreeSet};

/// One sample: its name, its labels as they are written, its value.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: String,
    pub(super) value: f64,
}

/// One family.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Family {
    pub(super) kind: String,
    pub(super) samples: Vec<Sample>,
}

/// All families of a text.
///
/// # Errors
/// The first line that is wrong, and why.
pub(super) fn read(text: &str) -> Result<BTreeMap<String, Family>, String> {
    let mut families: BTreeMap<String, Family> = BTreeMap::new();
    let mut current: Option<String> = None;
    let mut series = BTreeSet::new();
    let text = text.strip_suffix('\n').ok_or("no newline at the end")?;
    let mut lines = text.split('\n');
    while let Some(line) = lines.next() {
        let wrong = |why: &str| Err(format!("{why}: {line:?}"));
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let Some((name, help)) = rest.split_once(' ') else { return wrong("no help") };
            let kind = lines.next().and_then(|next| next.strip_prefix(&format!("# TYPE {name} ")));
            let Some(kind) = kind else { return wrong("no type follows") };
            if !["counter", "gauge", "histogram", "summary"].contains(&kind) || help.is_empty() {
                return wrong("no such type, or no help");
            }
            let family = Family { kind: kind.to_owned(), samples: Vec::new() };
            if !is_name(name) || families.insert(name.to_owned(), family).is_some() {
                return wrong("no name, or told twice");
            }
            current = Some(name.to_owned());
            continue;
        }
        let Some(family) = &current else { return wrong("before any family") };
        let sample = sample(line)?;
        let kind = families[family].kind.clone();
        let part = sample.name.strip_prefix(family.as_str()).unwrap_or("another family");
        let is_part = match kind.as_str() {
            "histogram" => ["_bucket", "_sum", "_count"].contains(&part),
            "summary" => ["_sum", "_count"].contains(&part),
            _ => part.is_empty(),
        };
        if !is_part || (kind == "counter") != (family.ends_with("_total") && part.is_empty()) {
            return wrong("not of this family, or of another type than its name says");
        }
        if !series.insert((sample.name.clone(), sample.labels.clone())) {
            return wrong("told twice");
        }
        if kind != "gauge" && (sample.value < 0.0 || sample.value.is_nan()) {
            return wrong("below zero");
        }
        families.get_mut(family).expect("it is there").samples.push(sample);
    }
    for (name, family) in families.iter().filter(|(_, family)| family.kind == "histogram") {
        check_histogram(name, family)?;
    }
    Ok(families)
}

fn sample(line: &str) -> Result<Sample, String> {
    let wrong = |why: &str| format!("{why}: {line:?}");
    let end = line.find(['{', ' ']).ok_or_else(|| wrong("no value"))?;
    let (name, rest) = line.split_at(end);
    let (labels, value) = match rest.strip_prefix('{') {
        Some(rest) => {
            let end = labels_end(rest).ok_or_else(|| wrong("labels without an end"))?;
            let (labels, rest) = rest.split_at(end);
            (labels, rest.strip_prefix("} ").ok_or_else(|| wrong("no space"))?)
        }
        None => ("", &rest[1..]),
    };
    let number = match value {
        "NaN" => f64::NAN,
        "+Inf" => f64::INFINITY,
        _ if value.bytes().all(|byte| byte.is_ascii_digit() || b".-".contains(&byte)) => {
            value.parse().map_err(|_| wrong("no number"))?
        }
        _ => return Err(wrong("no number")),
    };
    if !is_name(name) {
        return Err(wrong("no name"));
    }
    Ok(Sample { name: name.to_owned(), labels: labels.to_owned(), value: number })
}

/// Where the labels end: `a="b",c="d"`, with `\\`, `\"` and `\n` as the only escapes.
fn labels_end(text: &str) -> Option<usize> {
    let mut at = 0;
    loop {
        let name = text[at..].find("=\"")?;
        if !is_name(&text[at..at + name]) {
            return None;
        }
        at += name + 2;
        loop {
            let found = at + text[at..].find(['"', '\\', '\n'])?;
            at = found + 1;
            match text.as_bytes()[found] {
                b'"' => break,
                b'\\' if [b'\\', b'"', b'n'].contains(text.as_bytes().get(at)?) => at += 1,
                _ => return None,
            }
        }
        match text.as_bytes().get(at)? {
            b',' => at += 1,
            b'}' => return Some(at),
            _ => return None,
        }
    }
}

fn is_name(name: &str) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    begins && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Steps rise, counts too, and the last step has all of them.
fn check_histogram(name: &str, family: &Family) -> Result<(), String> {
    let of = |part: &str| -> Vec<&Sample> {
        family.samples.iter().filter(|sample| sample.name == format!("{name}{part}")).collect()
    };
    let (buckets, counts) = (of("_bucket"), of("_count"));
    let step = |sample: &Sample| -> f64 {
        let bound = sample.labels.trim_start_matches("le=\"").trim_end_matches('"');
        if bound == "+Inf" { f64::INFINITY } else { bound.parse().unwrap_or(f64::NAN) }
    };
    let rises = buckets
        .windows(2)
        .all(|pair| step(pair[0]) < step(pair[1]) && pair[0].value <= pair[1].value);
    let is_whole = counts.len() == 1
        && of("_sum").len() == 1
        && buckets
            .last()
            .is_some_and(|last| step(last) == f64::INFINITY && last.value == counts[0].value);
    if rises && is_whole { Ok(()) } else { Err(format!("{name} is no histogram: {family:?}")) }
}

#[test]
fn what_is_no_exposition_is_refused() {
    let sound =
        "# HELP a_total b\n# TYPE a_total counter\na_total{x=\"\\\\\\\"\\n}\",y=\"\"} 1.5\n";
    assert_eq!(read(sound).unwrap()["a_total"].samples[0].labels, "x=\"\\\\\\\"\\n}\",y=\"\"");
    let gauge = "# HELP a b\n# TYPE a gauge\n";
    for wrong in [
        "a 1\n",
        "# HELP a b\na 1\n",
        "# HELP a \n# TYPE a gauge\na 1\n",
        "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a_total b\n# TYPE a_total gauge\nb_total 1\n",
        "# HELP a_total b\n# TYPE a_total counter\na_total -1\n",
        &format!("{gauge}a 1"),
        &format!("{gauge}a 1\na 2\n"),
        &format!("{gauge}a one\n"),
        &format!("{gauge}a  1\n"),
        &format!("{gauge}a{{x=\"\\t\"}} 1\n"),
        &format!("{gauge}a{{x=\"\"y=\"\"}} 1\n"),
        &format!("{gauge}a{{X=\"\"}} 1\n"),
        &format!("{gauge}\na 1\n"),
        "# HELP h b\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\n\
         h_count 1\n",
        "# HELP h b\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
