//! Which join tokens of a file are judged: the named one, or those for such a job.

use crate::claims::UnverifiedClaims;
use crate::error::StageError as _;
use crate::rules::message::SHOWN;
use crate::rules::{Document, ProvisionToken, RulesError, looks_like, nearest, rule_claims};
use crate::run::error::RunError;
use crate::teleport::JoinMethod;
use crate::text::safe;

/// Names in one line.
const MAX_NAMES: usize = 10;

/// The join tokens to judge.
pub(super) struct Selection {
    /// One at least.
    pub(super) tokens: Vec<ProvisionToken>,
    /// Which others were not judged and why, one sentence each.
    pub(super) notes: Vec<String>,
}

/// The join token of that name. `file` is for errors.
pub(super) fn by_name(documents: Vec<Document>, name: &str, file: &str) -> Result<Selection, RunError> {
    let others = documents.len() - 1;
    let known: Vec<String> = documents
        .iter()
        .filter(|d| !d.name_is_secret && !d.name.is_empty())
        .map(|d| d.name.clone())
        .collect();
    let Some(found) = documents.into_iter().find(|document| document.name == name) else {
        let hint = match nearest(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `--token {}`?", safe(meant, SHOWN)),
            None if known.is_empty() => "save the join token with `tctl get token/NAME > FILE`".to_owned(),
            None => format!("pass `--token` with one of {}", names(&known)),
        };
        return Err(usage(format!("`{file}` has no join token `{}`", safe(name, SHOWN)), hint));
    };
    if let Some(method) = found.other_method {
        let message = format!("the named join token in `{file}` has {}", not_judged(method));
        return Err(usage(message, "name a join token with another join method".to_owned()));
    }
    let tokens = vec![found.token.map_err(|error| unreadable(&error, file))?];
    let notes = match others {
        0 => Vec::new(),
        1 => vec!["1 other join token in the file was not judged".to_owned()],
        _ => vec![format!("{others} other join tokens in the file were not judged")],
    };
    Ok(Selection { tokens, notes })
}

/// The join tokens that a job with these claims may use, by `method` if that is given; all that can be judged, if none
/// is for such a job. `file` is for errors.
pub(super) fn by_method(
    documents: Vec<Document>,
    method: Option<JoinMethod>,
    claims: &UnverifiedClaims,
    file: &str,
) -> Result<Selection, RunError> {
    let mut notes = Vec::new();
    let (others, documents): (Vec<Document>, Vec<Document>) =
        documents.into_iter().partition(|document| document.other_method.is_some());
    let mut methods: Vec<&str> = others.iter().filter_map(|document| document.other_method).collect();
    methods.sort_unstable();
    methods.dedup();
    for method in methods {
        let of_method = || others.iter().filter(|document| document.other_method == Some(method));
        let named: Vec<String> = of_method()
            .filter(|document| !document.name_is_secret)
            .map(|document| document.name.clone())
            .collect();
        let which = if named.is_empty() { of_method().count().to_string() } else { names(&named) };
        notes.push(format!("skipped {which} with {}", not_judged(method)));
    }
    if documents.is_empty() {
        let message = format!("`{file}` has no join token that can be judged: {}", notes.join("; "));
        return Err(usage(message, "save another join token with `tctl get token/NAME > FILE`".to_owned()));
    }
    let tokens: Result<Vec<ProvisionToken>, RulesError> =
        documents.into_iter().map(|document| document.token).collect();
    let tokens = tokens.map_err(|error| unreadable(&error, file))?;
    let Some(ours) = method.or_else(|| looks_like(claims)) else { return Ok(Selection { tokens, notes }) };
    let may_use = |token: &ProvisionToken| token.method == ours || rule_claims(token.method).is_empty();
    if !tokens.iter().any(may_use) {
        return Ok(Selection { tokens, notes });
    }
    let (tokens, foreign): (Vec<ProvisionToken>, Vec<ProvisionToken>) = tokens.into_iter().partition(may_use);
    if !foreign.is_empty() {
        let foreign: Vec<String> = foreign.into_iter().map(|token| token.name).collect();
        notes.push(format!("skipped {}: this is a `{ours}` job", names(&foreign)));
    }
    Ok(Selection { tokens, notes })
}

fn not_judged(method: &str) -> String {
    format!("the join method `{method}`, which does not start from a job's identity")
}

fn names(names: &[String]) -> String {
    let shown: Vec<String> =
        names.iter().take(MAX_NAMES).map(|name| format!("`{}`", safe(name, SHOWN))).collect();
    let more = names.len().saturating_sub(MAX_NAMES);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", shown.join(", "))
}

/// A file that cannot be read as join tokens.
pub(super) fn unreadable(error: &RulesError, file: &str) -> RunError {
    usage(format!("`{file}`: {error}"), error.hints().join("\n"))
}

fn usage(message: String, hint: String) -> RunError {
    RunError::Usage { message, hint: Some(hint) }
}
