//! `spec.generic_oidc`: any issuer, rules on any claim (Teleport
//! `docs/pages/includes/provision-token/generic-oidc-spec.mdx`; 18.11 and newer).

use serde_json::{Map, Value};

use super::cause::{Cause, Context, ServerText};
use super::claim::{is_unset, option, show_claim};
use super::finding::Notes;
use super::message::{SHOWN, between};
use super::method::{Audience, Method, Named, Shape};
use super::verdict::{FieldVerdict, RuleVerdict, Verdict};
use super::version::Since;
use crate::claims::UnverifiedClaims;
use crate::text::safe;

const VALUE: Shape = Shape::Object(&[("value", Shape::Text)]);
const VALUES: Shape = Shape::Object(&[("values", Shape::Texts)]);
const CONDITION: &[Named] =
    &[("attribute", Shape::Text), ("eq", VALUE), ("not_eq", VALUE), ("in", VALUES), ("not_in", VALUES)];

const NO_RULE: &str = "claims matched no allow_any rules";
const NO_RULES: &str = "generic OIDC token has no rules configured";
const MISSING_KEY: &str = "claims missing expected key:";
const WRONG_VALUE: &str = "incorrect value in claim:";

pub(super) const METHOD: Method = Method {
    label: "generic OIDC",
    section: Some("generic_oidc"),
    options: &[
        ("issuer", Shape::Text),
        ("insecure_allow_http_issuer", Shape::Flag),
        ("audience", Shape::Text),
        ("tls_ca", Shape::Text),
        ("static_jwks", Shape::Text),
        ("must_match_fields", Shape::Open),
        (
            "allow_any",
            Shape::Objects(&[("expression", Shape::Text), ("conditions", Shape::Objects(CONDITION))]),
        ),
    ],
    required: &["issuer", "audience"],
    since: Some(Since::new(18, 11, 0)),
    stream_only: true,
    issuer: |spec| option(spec, "issuer").map(str::to_owned),
    audience: Audience::FromToken("audience"),
    ignores_authorized_party: true,
    refusal: |_, _| NO_RULE.to_owned(),
    evaluate: Some(evaluate),
    lint_section,
    // No proposal: which of the claims matter is not known.
    refusals: &[
        ServerText::new(MISSING_KEY, |message, ctx| named(message, ctx, MISSING_KEY)),
        ServerText::new(WRONG_VALUE, |message, ctx| named(message, ctx, WRONG_VALUE)),
        ServerText::new("field must be a … but got", |message, ctx| named(message, ctx, "field must be")),
        ServerText::new("claim contains an integer too large to be safely compared:", |message, ctx| {
            named(message, ctx, "claim contains an integer")
        }),
        ServerText::new("list comparison in … is not supported", |_, _| {
            vec![Cause::new(
                "the token compares a list",
                "`must_match_fields` cannot compare lists, so nobody can join with this token",
                "use `allow_any` with an `expression` for that claim",
            )]
        }),
        ServerText::new("token must have an `exp` claim", |_, _| {
            vec![Cause::new(
                "the identity token never expires",
                "it has no claim `exp`, which the server requires",
                "have the issuer set `exp`",
            )]
        }),
        ServerText::no_rule(NO_RULE),
        ServerText::new(NO_RULES, |_, _| {
            vec![Cause::new(
                "the token has no rules",
                "a `generic_oidc` token admits nobody without them",
                "add `must_match_fields` or `allow_any` to the token",
            )]
        }),
        ServerText::prefix("validating field rules", |message, ctx| {
            named(message, ctx, "validating field rules")
        }),
        ServerText::prefix("validating allow rules", |message, _| {
            let why = between(message, "validating allow rules:", "\n");
            vec![Cause::new(
                "an entry of `allow_any` cannot be evaluated",
                why.unwrap_or_else(|| "the server does not say why".to_owned()),
                "correct that entry: an error or a wrong type ends the evaluation, and later entries are not tried",
            )]
        }),
    ],
    ..Method::BASE
};

/// Numbers from here on are not distinct as doubles, which JSON has; the server refuses to compare them.
const UNSAFE_INTEGER: f64 = 9_007_199_254_740_992.0;

/// First `must_match_fields`, then the entries of `allow_any` in their order until one matches. An entry that cannot be
/// evaluated ends it with a refusal (Teleport `lib/join/genericoidc/validator.go`). For the reader each entry, with the
/// fields before it, is a rule; without entries the fields alone are one.
fn evaluate(spec: &Value, claims: &UnverifiedClaims) -> Verdict {
    let root: Map<String, Value> = claims.iter().map(|(k, v)| (k.to_owned(), v.clone())).collect();
    let mut must = Vec::new();
    if let Some(Value::Object(want)) = spec.get("must_match_fields").filter(|must| has_value(must)) {
        fields(want, &root, "", &mut must);
    }
    let any = spec.get("allow_any").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if must.is_empty() && any.is_empty() {
        return Verdict::new(Vec::new(), Some(NO_RULES.to_owned()), NO_RULE.to_owned());
    }
    let mut found = Verdict::new(Vec::new(), None, format!("validating allow rules: {NO_RULE}"));
    let mut decided = false;
    if let Some(failed) = must.iter().find(|field| !field.matches) {
        found.refusal = format!("validating field rules: {}", failed.note.as_deref().unwrap_or_default());
        decided = true;
    }
    for (index, entry) in any.iter().enumerate() {
        let (own, problem) = alternative(entry, &root);
        let rule = RuleVerdict { fields: must.iter().cloned().chain(own).collect() };
        match problem {
            _ if decided => {}
            Some(problem) => {
                found.blocked = Some(format!("validating allow rules: allow_any[{index}]: {problem}"));
                decided = true;
            }
            None if rule.matches() => decided = true,
            None if rule.undecided() => (found.undecided, decided) = (true, true),
            None => {}
        }
        found.rules.push(rule);
    }
    if any.is_empty() {
        found.rules.push(RuleVerdict { fields: must });
    }
    found
}

/// `must_match_fields`: the same fields, the same values, at any depth. The note is the server's words.
fn fields(want: &Map<String, Value>, got: &Map<String, Value>, prefix: &str, found: &mut Vec<FieldVerdict>) {
    for (name, want) in want {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let value = got.get(name);
        if let (Value::Object(want), Some(Value::Object(got))) = (want, value) {
            fields(want, got, &path, found);
            continue;
        }
        let problem = leaf(want, value, &path).err();
        found.push(FieldVerdict {
            field: format!("must_match_fields.{path}"),
            claim: path,
            want: want.to_string(),
            got: value.map(Value::to_string),
            matches: problem.is_none(),
            decided: true,
            note: problem,
        });
    }
}

fn leaf(want: &Value, got: Option<&Value>, path: &str) -> Result<(), String> {
    let kind = |name: &str| format!("field must be a {name} but got {}: {path}", go_type(got));
    let differs = |want: String, got: &Value| {
        Err(format!("incorrect value in claim: {path} must be {want} but got {}", show_claim(got)))
    };
    match (want, got) {
        (Value::Null, None | Some(Value::Null)) => Ok(()),
        (_, None) => Err(format!("claims missing expected key: {path}")),
        (Value::Null, Some(_)) => {
            Err(format!("incorrect value in claim: {path} must be null or unset but had a value"))
        }
        (Value::String(want), Some(Value::String(got))) if want == got => Ok(()),
        (Value::String(want), Some(got @ Value::String(_))) => differs(format!("{want:?}"), got),
        (Value::String(_), _) => Err(kind("string")),
        (Value::Bool(want), Some(Value::Bool(got))) if want == got => Ok(()),
        (Value::Bool(want), Some(got @ Value::Bool(_))) => differs(want.to_string(), got),
        (Value::Bool(_), _) => Err(kind("boolean")),
        (Value::Number(want), Some(number @ Value::Number(got))) => match (want.as_f64(), got.as_f64()) {
            (Some(a), Some(b)) if is_unsafe(a) || is_unsafe(b) => {
                Err(format!("claim contains an integer too large to be safely compared: {path}"))
            }
            (Some(a), Some(b)) if same(a, b) => Ok(()),
            _ => differs(want.to_string(), number),
        },
        (Value::Number(_), _) => Err(kind("number")),
        (Value::Object(_), _) => Err(kind("nested struct")),
        (Value::Array(_), _) => {
            Err(format!("list comparison in {path} is not supported, token rules cannot be evaluated"))
        }
    }
}

/// One entry of `allow_any`: an expression, which only the server evaluates, or conditions, which must all match; and
/// why it cannot be evaluated, if so. The server looks no further than the first condition that fails.
fn alternative(entry: &Value, root: &Map<String, Value>) -> (Vec<FieldVerdict>, Option<String>) {
    let conditions = entry.get("conditions").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let field = FieldVerdict {
        field: "conditions".to_owned(),
        claim: String::new(),
        want: String::new(),
        got: None,
        matches: false,
        decided: true,
        note: None,
    };
    match (option(entry, "expression"), conditions) {
        (Some(expression), []) => {
            let (field_name, claim) = ("expression".to_owned(), "claims".to_owned());
            let note = Some("not evaluated here".to_owned());
            let want = expression.to_owned();
            (vec![FieldVerdict { field: field_name, claim, want, decided: false, note, ..field }], None)
        }
        (None, [_, ..]) => {
            let mut found = Vec::new();
            let mut problem = None;
            let mut failed = false;
            for (index, written) in conditions.iter().enumerate() {
                let (verdict, error) = condition(index, written, root);
                problem = problem.or(error.filter(|_| !failed));
                failed |= !verdict.matches;
                found.push(verdict);
            }
            (found, problem)
        }
        // The server refuses to create such an entry; it must not look like one that admits everybody.
        (Some(_), [_, ..]) | (None, []) => {
            let problem = "exactly one of `conditions` or `expression` must be set";
            (vec![FieldVerdict { note: Some(problem.to_owned()), ..field }], Some(problem.to_owned()))
        }
    }
}

/// The verdict, and why there can be none.
fn condition(index: usize, condition: &Value, root: &Map<String, Value>) -> (FieldVerdict, Option<String>) {
    let attribute = option(condition, "attribute").unwrap_or_default();
    let got = by_path(root, attribute);
    let operator = ["eq", "not_eq", "in", "not_in"]
        .into_iter()
        .find_map(|name| condition.get(name).filter(|v| !is_unset(v)).map(|v| (name, v)));
    let (want, result) = match operator {
        None => (String::new(), Err("no supported operator specified".to_owned())),
        Some((name, operand)) => {
            let wants: Vec<&str> = match operand.get("values").and_then(Value::as_array) {
                Some(values) => values.iter().filter_map(Value::as_str).collect(),
                None => vec![operand.get("value").and_then(Value::as_str).unwrap_or_default()],
            };
            (format!("{name} {}", wants.join(", ")), got.map_or(Ok(false), |got| compare(name, &wants, got)))
        }
    };
    // An absent claim comes before everything else, operators included.
    let problem = result.as_ref().err().filter(|_| got.is_some());
    let note = match got {
        None => Some("the claim is absent, which fails every condition".to_owned()),
        Some(_) => problem.cloned(),
    };
    let problem = problem.map(|problem| format!("evaluating conditions: conditions[{index}]: {problem}"));
    let field = FieldVerdict {
        field: format!("conditions[{index}]"),
        claim: attribute.to_owned(),
        want,
        got: got.map(show_claim),
        matches: result == Ok(true),
        decided: true,
        note,
    };
    (field, problem)
}

fn compare(operator: &str, wants: &[&str], got: &Value) -> Result<bool, String> {
    let mut found = false;
    for want in wants {
        if scalar(want, got)? {
            found = true;
            break;
        }
    }
    Ok(found != operator.starts_with("not_"))
}

/// The rule's value is always a string; it is read as the claim's own type.
fn scalar(want: &str, got: &Value) -> Result<bool, String> {
    match got {
        Value::String(got) => Ok(got == want),
        Value::Bool(got) => match want {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(*got),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(!*got),
            _ => Err("the claim is a boolean, the rule's value is not".to_owned()),
        },
        Value::Number(got) => match (want.parse::<f64>(), got.as_f64()) {
            (Ok(a), Some(b)) if is_unsafe(a) || is_unsafe(b) => {
                Err("integers of this size cannot be safely compared".to_owned())
            }
            (Ok(a), Some(b)) => Ok(same(a, b)),
            _ => Err("the claim is a number, the rule's value is not".to_owned()),
        },
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err("the claim is not a string, number or boolean".to_owned())
        }
    }
}

fn by_path<'a>(root: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut steps = path.split('.');
    let mut value = root.get(steps.next()?)?;
    for step in steps {
        value = value.get(step)?;
    }
    Some(value)
}

#[allow(clippy::float_cmp)] // the server compares doubles, too
fn same(a: f64, b: f64) -> bool {
    a == b
}

fn is_unsafe(number: f64) -> bool {
    number.fract() == 0.0 && number.abs() >= UNSAFE_INTEGER
}

/// What the server, a Go program, calls the type.
fn go_type(value: Option<&Value>) -> &'static str {
    match value {
        None | Some(Value::Null) => "<nil>",
        Some(Value::Bool(_)) => "bool",
        Some(Value::Number(_)) => "float64",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "[]interface {}",
        Some(Value::Object(_)) => "map[string]interface {}",
    }
}

fn lint_section(notes: &mut Notes, spec: &Value) {
    let any = spec.get("allow_any").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let must = spec.get("must_match_fields").is_some_and(has_value);
    if any.is_empty() && !must {
        notes.error_at("spec.generic_oidc", "has no rule: add one to `must_match_fields` or `allow_any`");
    }
    for (index, entry) in any.iter().enumerate() {
        notes.enter("allow_any", index);
        let [expression, conditions] =
            ["expression", "conditions"].map(|n| entry.get(n).is_some_and(|v| !is_unset(v)));
        if expression == conditions {
            notes.error("", "must have exactly one of `expression` and `conditions`");
        }
    }
    notes.leave();
    let plain = option(spec, "issuer").is_some_and(|issuer| issuer.starts_with("http://"));
    if plain && spec.get("insecure_allow_http_issuer") != Some(&Value::Bool(true)) {
        notes.error("issuer", "must be https, unless `insecure_allow_http_issuer` is set");
    }
}

/// Whether a value is asserted somewhere: absence (`null`) alone is not a rule.
fn has_value(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(has_value),
        Value::Null | Value::Array(_) => false,
        _ => true,
    }
}

/// This method's refusals name the field.
fn named(message: &str, ctx: &Context<'_>, marker: &str) -> Vec<Cause> {
    let words = message.find(marker).and_then(|at| message.get(at..)).unwrap_or(message);
    let words = safe(words.lines().next().unwrap_or_default(), SHOWN);
    let seen = ctx.claims.map_or_else(String::new, |claims| {
        let names: Vec<&str> = claims.iter().map(|(name, _)| name).take(30).collect();
        format!("; the job's claims are {}", safe(&names.join(", "), SHOWN))
    });
    vec![Cause::new(
        "a claim is not what `must_match_fields` wants",
        format!("{words}{seen}"),
        "change that field of the token's `must_match_fields`, type included: `\"7\"` and `7` differ",
    )]
}
