//! The known name that a misspelt one is nearest to.

/// The nearest of `known` by edit distance, if it is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name: Vec<char> =
        name.chars().take(64).map(|c| if c == '-' { '_' } else { c.to_ascii_lowercase() }).collect();
    known
        .into_iter()
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|&(distance, candidate)| distance <= (candidate.len() / 3).max(1))
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's, one row at a time.
fn distance(name: &[char], candidate: &str) -> usize {
    let mut row: Vec<usize> = (0..=name.len()).collect();
    for (i, want) in candidate.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for ((got, above), corner) in name.iter().zip(row.iter().skip(1)).zip(row.iter()) {
            left = (corner + usize::from(*got != want)).min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["repository", "repository_owner", "ref", "ref_type", "sub"];
        for (name, want) in [
            ("repositry", Some("repository")),
            ("repository-owner", Some("repository_owner")),
            ("refs", Some("ref")),
            ("Sub", Some("sub")),
            ("job_workflow_ref", None),
            ("", None),
        ] {
            assert_eq!(nearest(name, known), want, "{name}");
        }
    }
}
