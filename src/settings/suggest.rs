//! Finds the word a person meant. Never corrects it; people do.

/// The one of `known` that is nearest to `word`, if it is near enough to have been meant, or the
/// one that begins with it.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = plain(word);
    let limit = (word.chars().count() / 3).clamp(1, 3);
    let begins = |other: &str| word.len() >= 3 && plain(other).starts_with(&word);
    let distances = known.into_iter().map(|other| (distance(&word, &plain(other)), other));
    distances.filter(|(far, other)| *far <= limit || begins(other)).min().map(|(_, other)| other)
}

fn plain(word: &str) -> String {
    word.to_lowercase().replace('-', "_")
}

/// `, did you mean ...?` or nothing, to end a message with.
pub(super) fn did_you_mean(word: &str, known: &[&str]) -> String {
    nearest(word, known.iter().copied())
        .map_or(String::new(), |other| format!(", did you mean `{other}`?"))
}

/// How many letters must be added, dropped, replaced or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|word| word.chars().take(64).collect::<Vec<_>>());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let replaced = rows[i][j] + usize::from(letter != other);
            let mut best = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == b[j - 1] && a[i - 1] == *other {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
