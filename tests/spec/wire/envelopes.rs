//! Frames, hellos and the state record: what surrounds a message.

use super::super::properties::sample::identity;
use super::*;

/// Gives one byte, then would block, then the next.
struct Trickle<'a>(&'a [u8], bool);

impl Read for Trickle<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.1 = !self.1;
        if self.1 && !self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.0.len().min(1);
        into[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn framed(class: Class, payload: &[u8]) -> Vec<u8> {
    [&header(class, payload).unwrap()[..], payload].concat()
}

#[test]
fn frames_are_found_however_the_bytes_arrive() {
    let bytes = [framed(Class::Hello, b"hi"), framed(Class::Message, b"there")].concat();
    let (mut source, mut frames, mut found) =
        (Trickle(&bytes, false), Frames::default(), Vec::new());
    let end = loop {
        match frames.read(&mut source) {
            Ok(Some(frame)) => found.push(frame),
            Ok(None) => {}
            Err(end) => break end,
        }
    };
    assert!(matches!(end, FrameError::Ended), "{end}");
    let hello = Frame { class: Class::Hello, payload: b"hi".to_vec() };
    assert_eq!(found, [hello, Frame { class: Class::Message, payload: b"there".to_vec() }]);
}

#[test]
fn a_stream_that_ends_inside_a_frame_is_cut_short() {
    let bytes = framed(Class::Message, b"there");
    for end in 1..bytes.len() {
        let outcome = Frames::default().read(&mut &bytes[..end]);
        assert!(matches!(outcome, Err(FrameError::CutShort)), "{end}: {outcome:?}");
    }
}

#[test]
fn lengths_out_of_range_are_refused_before_anything_is_reserved() {
    for class in [b'H', b'M', b'D'] {
        for length in [0, u32::MAX, (2 << 20), 1 << 31] {
            let [a, b, c, d] = u32::to_be_bytes(length);
            let outcome = Frames::default().read(&mut &[class, a, b, c, d][..]);
            assert!(
                matches!(outcome, Err(FrameError::Empty | FrameError::TooLong { .. })),
                "{length}: {outcome:?}"
            );
        }
    }
    for class in [Class::Hello, Class::Message, Class::Document] {
        assert!(header(class, &vec![b'x'; class.limit()]).is_ok());
        assert!(header(class, &vec![b'x'; class.limit() + 1]).is_err());
        assert!(header(class, b"").is_err());
    }
    let unknown = Frames::default().read(&mut &b"GET / HTTP/1.1"[..]);
    assert!(matches!(unknown, Err(FrameError::UnknownClass(b'G'))));
}

fn hello() -> Hello {
    Hello::of(&identity(), u64::MAX, 7)
}

#[test]
fn a_hello_comes_back_as_it_went() {
    assert_eq!(Hello::decode(&hello().encode()), Ok(hello()));
    assert!(hello().encode().len() < Class::Hello.limit());
    assert_eq!(hello().fits(&hello(), &id("alpha")), Ok(()));
}

#[test]
fn a_hello_of_another_version_is_told_which_one_is_spoken() {
    for version in [0, 2, 9_999, u64::MAX] {
        let error = Hello::decode(format!(r#"{{"version":{version}}}"#).as_bytes()).unwrap_err();
        let spoken = u32::try_from(version).unwrap_or(u32::MAX);
        let theirs = Versions { oldest: spoken, newest: spoken };
        assert_eq!(error, HelloError::NoCommonVersion(theirs));
        assert!(error.to_string().contains("speaks only version 1"), "{error}");
    }
    let beyond = Hello::decode(br#"{"version":2,"newest":7,"cluster":[]}"#).unwrap_err();
    assert!(beyond.to_string().contains("protocol versions 2 to 7"), "{beyond}");
    assert!(matches!(Hello::decode(b"{}"), Err(HelloError::Malformed(_))));
}

#[test]
fn the_newest_version_that_both_sides_know_is_spoken() {
    let [first, second, third] =
        [(1, 1), (1, 2), (2, 3)].map(|(oldest, newest)| Versions { oldest, newest });
    assert_eq!(first.common(first), Some(1));
    assert_eq!(first.common(second), Some(1));
    assert_eq!(second.common(first), Some(1));
    assert_eq!(second.common(third), Some(2));
    assert_eq!(third.common(third), Some(3));
    assert_eq!(third.common(first), None);
    assert_eq!(first.common(third), None);
}

#[test]
fn a_hello_of_a_release_that_knows_more_versions_is_read_and_known_as_newer() {
    let later = Hello { newest: Some(9), ..hello() };
    let mut bytes = later.encode();
    bytes.truncate(bytes.len() - 1);
    bytes.extend_from_slice(br#","mood":{"calm":[true]}}"#);
    let read = Hello::decode(&bytes).unwrap();
    assert_eq!(read, later);
    assert!(read.is_newer() && !hello().is_newer());
    assert_eq!(SPOKEN.common(read.versions()), Some(SPOKEN.newest));
}

#[test]
fn a_hello_of_the_first_release_which_names_one_version_only_is_read() {
    let Identity { cluster, generation, node, storage } = identity();
    let line = format!(
        r#"{{"version":1,"cluster":"{cluster}","generation":{generation},"node":"{node}","#
    );
    let rest = format!(r#""storage":"{storage}","instance":4711,"sequence":12}}"#);
    let read = Hello::decode((line + &rest).as_bytes()).unwrap();
    assert_eq!((read.versions(), read.is_newer()), (SPOKEN, false));
    assert_eq!((read.release, read.address), (None, None));
}

#[test]
fn words_of_a_hello_that_nobody_could_repeat_are_left_out() {
    for word in ["", "a b", "a\u{1b}[2J", "\u{202e}ab", &"x".repeat(261)] {
        let (release, address) = (Some(word.to_owned()), Some(word.to_owned()));
        let read = Hello::decode(&Hello { release, address, ..hello() }.encode()).unwrap();
        assert_eq!((read.release, read.address), (None, None), "{word:?}");
    }
}

#[test]
fn a_hello_of_another_cluster_generation_or_name_is_refused_with_both_sides_named() {
    let other = Hello { cluster: ClusterId([4; 16]), ..hello() };
    let error = other.fits(&hello(), &id("alpha")).unwrap_err().to_string();
    assert!(error.contains(&"03".repeat(16)) && error.contains(&"04".repeat(16)), "{error}");
    let later = Hello { generation: 2, ..hello() };
    let error = later.fits(&hello(), &id("alpha")).unwrap_err();
    assert_eq!(error, HelloError::OtherGeneration { theirs: 2, ours: 1 });
    let error = hello().fits(&hello(), &id("bravo")).unwrap_err().to_string();
    assert!(error.contains("alpha") && error.contains("bravo"), "{error}");
}

fn durable() -> Durable {
    Durable {
        sequence: 9,
        term: Term(6),
        vote: Some(id("bravo")),
        promise_high_water: Duration::from_millis(4_000),
        ..Durable::founding(identity(), document("cluster: shop\n# é \"quoted\"\n"))
    }
}

fn read_state(bytes: &[u8]) -> Result<Durable, RecordError> {
    record::decode(bytes, &charter_of)
}

#[test]
fn a_state_comes_back_as_it_went() {
    let same_body = durable();
    assert_eq!(read_state(&record::encode(&same_body)), Ok(same_body.clone()));
    let mut other_body = Durable { vote: None, ..same_body };
    other_body.accepted = document("cluster: shop, edited\n");
    other_body.accepted.position.version += 1;
    assert_eq!(read_state(&record::encode(&other_body)), Ok(other_body));
}

#[test]
fn a_state_cut_anywhere_is_refused() {
    let bytes = record::encode(&durable());
    for end in 0..bytes.len() {
        let error = read_state(&bytes[..end]).unwrap_err();
        assert!(matches!(error, RecordError::Truncated | RecordError::Corrupt), "{end}: {error}");
    }
    let longer = [&bytes[..], b"\n"].concat();
    assert_eq!(read_state(&longer), Err(RecordError::Corrupt));
}

#[test]
fn a_state_with_any_bit_flipped_is_refused() {
    let bytes = record::encode(&durable());
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(read_state(&damaged).is_err(), "byte {at} bit {bit}");
        }
    }
}

#[test]
fn a_file_that_is_no_state_and_one_of_a_later_release_are_told_apart() {
    let bytes = record::encode(&durable());
    let later = String::from_utf8(bytes).unwrap().replacen("state 1 ", "state 2 ", 1);
    assert_eq!(read_state(later.as_bytes()), Err(RecordError::NewerVersion(2)));
    for text in ["cluster: shop\nversion: 1\n", "quorate-state x y\n", &"\0".repeat(4_096)] {
        assert_eq!(read_state(text.as_bytes()), Err(RecordError::NotAState), "{text:?}");
    }
}

#[test]
fn a_sound_checksum_over_nonsense_is_malformed() {
    let mut wrong = durable();
    wrong.accepted.position.term = Term(7);
    let outcome = read_state(&record::encode(&wrong));
    assert!(matches!(outcome, Err(RecordError::Malformed(_))), "{outcome:?}");
    let nonsense = format!("quorate-state 1 {}\n{{}}\n", hash_of(b"{}\n"));
    assert!(matches!(read_state(nonsense.as_bytes()), Err(RecordError::Malformed(_))));
}
