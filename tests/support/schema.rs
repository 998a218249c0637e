//! `tests/report.schema.json`, and whether a JSON text is as it says. The part of JSON Schema that it uses: a library for all of it would be
//! 36 crates more, and any other word is an error here.

use serde_json::Value;

/// Checks what jobpass printed with `--json`: the report of a login, or an error. Other commands have their own forms.
#[track_caller]
pub fn check_output(stdout: &str) {
    let Ok(json) = serde_json::from_str::<Value>(stdout) else { return };
    if json.get("jobpass").is_some() {
        check("report", &json);
    } else if json.get("wiped").is_some() {
        check("logout", &json);
    } else if json.get("access_request").is_some() {
        check("filed", &json);
    } else if json.get("error").is_some() {
        check("failure", &json);
    }
}

/// Checks a `jobpass.json`. Some tests write one of their own, with hardly anything in it.
#[track_caller]
pub fn check_manifest(text: &str) {
    let json: Value = serde_json::from_str(text).unwrap_or_default();
    if json.get("server_version").is_some() {
        check("report", &json);
    }
}

#[track_caller]
fn check(name: &str, json: &Value) {
    let schema: Value = serde_json::from_str(include_str!("../report.schema.json")).unwrap();
    let found = problems(&schema, &schema["$defs"][name], json, "");
    assert!(found.is_empty(), "{found:#?} in {json:#}");
}

/// What is wrong at a place and below it.
fn problems(root: &Value, schema: &Value, json: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |what: String| found.push(format!("{place}: {what}"));
    let mut below = Vec::new();
    for (word, wanted) in schema.as_object().unwrap() {
        match word.as_str() {
            "$ref" => {
                let target = root.pointer(wanted.as_str().unwrap().strip_prefix('#').unwrap()).unwrap();
                below.extend(problems(root, target, json, place));
            }
            "type" => {
                let all = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                if !all.iter().any(|kind| is(kind.as_str().unwrap(), json)) {
                    wrong(format!("is no {wanted}"));
                }
            }
            "enum" if !wanted.as_array().unwrap().contains(json) => wrong(format!("is none of {wanted}")),
            "pattern" => {
                let pattern = regex::Regex::new(wanted.as_str().unwrap()).unwrap();
                if json.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    wrong(format!("does not match {wanted}"));
                }
            }
            "minItems" => {
                let least = wanted.as_u64().unwrap();
                if json.as_array().is_some_and(|all| (all.len() as u64) < least) {
                    wrong(format!("has fewer than {wanted} items"));
                }
            }
            "items" => {
                for (index, item) in json.as_array().into_iter().flatten().enumerate() {
                    below.extend(problems(root, wanted, item, &format!("{place}/{index}")));
                }
            }
            "required" => {
                let names = wanted.as_array().unwrap().iter().map(|name| name.as_str().unwrap());
                for name in names.filter(|name| json.is_object() && json.get(name).is_none()) {
                    wrong(format!("has no `{name}`"));
                }
            }
            "properties" | "additionalProperties" => {
                for (name, value) in json.as_object().into_iter().flatten() {
                    let known = schema["properties"].get(name);
                    let schema = if word == "properties" { known } else { known.is_none().then_some(wanted) };
                    match schema {
                        Some(Value::Bool(false)) => wrong(format!("has `{name}`, which is not known")),
                        Some(schema) => {
                            below.extend(problems(root, schema, value, &format!("{place}/{name}")));
                        }
                        None => {}
                    }
                }
            }
            "description" | "enum" => {}
            word => panic!("the schema has `{word}`, which is not read here"),
        }
    }
    found.extend(below);
    found
}

fn is(kind: &str, json: &Value) -> bool {
    match kind {
        "array" => json.is_array(),
        "boolean" => json.is_boolean(),
        "integer" => json.is_u64(),
        "null" => json.is_null(),
        "object" => json.is_object(),
        "string" => json.is_string(),
        kind => panic!("the schema has the type {kind}"),
    }
}

#[test]
fn each_word_of_the_schema_can_fail() {
    let schema: Value = serde_json::from_str(include_str!("../report.schema.json")).unwrap();
    let route = serde_json::json!({"app": "x", "target_port": 3, "valid_until": "2026-11-21T05:54:59Z"});
    let output = serde_json::json!({
        "name": "x", "kind": "app", "cluster": "c", "roles": ["r"], "routes": [route], "logins": [],
        "valid_until": "2026-11-21T05:54:59Z", "dir": "/d", "files": ["/d/key"], "variables": {"A": "b"},
    });
    let of = |json: &Value| problems(&schema, &schema["$defs"]["output"], json, "");
    assert_eq!(of(&output), [""; 0]);
    for (pointer, bad, wanted) in [
        ("/name", Value::from(3), "/name: is no \"string\""),
        ("/kind", Value::from("web"), "/kind: is none of"),
        ("/files", serde_json::json!([]), "/files: has fewer than 1"),
        ("/files/0", Value::from("key"), "/files/0: does not match"),
        ("/variables/A", Value::Null, "/variables/A: is no"),
        ("/routes/0/target_port", Value::from("3"), "/routes/0/target_port: is no"),
        ("/routes/0", serde_json::json!({}), "/routes/0: has no `valid_until`"),
        ("/routes/0", serde_json::json!({"x": 1}), "/routes/0: has `x`"),
    ] {
        let mut json = output.clone();
        *json.pointer_mut(pointer).unwrap() = bad;
        let found = of(&json);
        assert!(found.iter().any(|problem| problem.starts_with(wanted)), "{pointer}: {found:?}");
    }
}
