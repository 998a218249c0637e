//! The scripts in a file of a platform, in the order in which it runs them.

use serde_json::Value;

/// What one shell runs.
#[derive(Debug, Clone)]
pub struct Step {
    pub script: String,
    /// Also after a failure.
    pub is_always: bool,
}

impl Step {
    pub fn new(script: &str) -> Self {
        Self { script: script.to_owned(), is_always: false }
    }
}

/// Those of the file. What always runs comes last, wherever it is written.
pub fn steps(path: &str, text: &str) -> Vec<Step> {
    let (folder, name) = path.split_once('/').unwrap();
    let mut found = Vec::new();
    match name {
        _ if std::path::Path::new(name).extension().is_some_and(|extension| extension == "sh") => {
            found.push(Step::new(text));
        }
        "Jenkinsfile" => found.extend(between(text, "sh '''", "'''")),
        "main.tf" => found.extend(between(text, "<<-EOT", "EOT")),
        "context.tf" => found = hooks(text),
        "settings.kts" => found = of_kotlin(text),
        _ => {
            for document in serde_saphyr::from_multiple::<Value>(text).unwrap() {
                walk(&document, false, &mut found);
            }
        }
    }
    if folder == "buildkite" {
        // When a pipeline is uploaded.
        for step in &mut found {
            step.script = step.script.replace("$$", "$");
        }
    }
    found.sort_by_key(|step| step.is_always);
    found
}

fn between(text: &str, begin: &str, end: &str) -> Vec<Step> {
    text.split(begin).skip(1).map(|rest| Step::new(rest.split(end).next().unwrap())).collect()
}

/// Kotlin: what a string says, and the mode of its step.
fn of_kotlin(text: &str) -> Vec<Step> {
    let step = |block: &str| {
        let line =
            block.lines().find_map(|line| line.trim().strip_prefix("scriptContent = \"")?.strip_suffix('"'));
        let script = line.unwrap().replace("\\\"", "\"").replace("${'$'}", "$");
        Step { script, is_always: block.contains("ExecutionMode.ALWAYS") }
    };
    text.split("script {").skip(1).map(step).collect()
}

/// The hooks of a Spacelift context, in HCL: a list of strings or of a local's name each.
fn hooks(text: &str) -> Vec<Step> {
    let value = |name: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(name)?.trim().strip_prefix('='));
        line.unwrap_or_else(|| panic!("no {name}")).trim().to_owned()
    };
    let login: String = serde_json::from_str(&value("login")).unwrap();
    let step = |name: &str| {
        let list = value(name).replace("local.login", &serde_json::to_string(&login).unwrap());
        let lines: Vec<String> = serde_json::from_str(&list).unwrap();
        Step { script: lines.join("\n"), is_always: name == "after_run" }
    };
    ["before_plan", "after_plan", "before_apply", "after_apply", "after_run"].map(step).to_vec()
}

/// Keys whose value is a script: a text, or a list of lines for one shell.
const SCRIPTS: [&str; 12] = [
    "run",
    "script",
    "command",
    "commands",
    "content",
    "before_plan",
    "after_plan",
    "before_apply",
    "after_apply",
    "after_run",
    "after_script",
    "before_script",
];
/// Keys whose scripts run after a failure as well.
const ALWAYS: [&str; 4] = ["after_script", "after_run", "always", "post_build"];

fn walk(value: &Value, is_always: bool, found: &mut Vec<Step>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, is_always, found)),
        Value::Object(fields) => {
            let condition = ["if", "when", "condition"].iter().filter_map(|key| fields.get(*key)?.as_str());
            let is_always = is_always || condition.into_iter().any(|text| text.starts_with("always"));
            for (key, value) in fields {
                let is_always = is_always || ALWAYS.contains(&key.as_str());
                match script(key, value) {
                    Some(script) => found.push(Step { script, is_always }),
                    None => walk(value, is_always, found),
                }
            }
        }
        _ => {}
    }
}

fn script(key: &str, value: &Value) -> Option<String> {
    let words = value.as_array().map(|items| items.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    match (key, words.as_deref()) {
        // The arguments of a shell.
        ("args", Some([.., script])) | ("command", Some(["sh", "-c", script])) => Some((*script).to_owned()),
        ("command", Some(_)) => None,
        (key, Some(lines)) if SCRIPTS.contains(&key) && !lines.is_empty() => Some(lines.join("\n")),
        (key, None) if SCRIPTS.contains(&key) => value.as_str().map(str::to_owned),
        _ => None,
    }
}
