//! README and `ci-examples/` say what the binary does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jobpass::cloud::Cloud;
use jobpass::platform::Platform;
use jobpass::rules;
use jobpass::sandbox::Simulated;
use jobpass::teleport::JoinMethod;
use serde_json::Value;

use crate::support::command::{Ran, jobpass};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of a folder of `ci-examples/`, by platform and name.
fn examples() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root().join("ci-examples")).unwrap() {
        let folder = folder.unwrap().path();
        if !folder.is_dir() {
            continue; // the ways to install it
        }
        let platform = folder.file_name().unwrap().to_str().unwrap().to_owned();
        let mut folders = vec![folder];
        while let Some(folder) = folders.pop() {
            for file in std::fs::read_dir(&folder).unwrap() {
                let path = file.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let text = std::fs::read_to_string(&path).unwrap();
                    found.push((platform.clone(), path, text));
                }
            }
        }
    }
    found
}

/// The files of the cluster's side fit each other, and a page says what to do with them.
#[test]
fn each_folder_has_the_cluster_side_and_a_page() {
    let examples = examples();
    // `approval` is about all platforms, and its cluster side is beside that of each.
    let folders: BTreeSet<&str> = examples
        .iter()
        .map(|(folder, _, _)| folder.as_str())
        .filter(|folder| *folder != "approval")
        .collect();
    assert!(folders.len() >= Platform::ALL.len() + Cloud::ALL.len(), "{folders:?}");
    for folder in folders {
        let of = |name: &str| {
            let found = examples
                .iter()
                .find(|(f, path, _)| f == folder && path.ends_with(Path::new(folder).join(name)));
            &found.unwrap_or_else(|| panic!("{folder} has no {name}")).2
        };
        let tokens = rules::parse(of("token.yaml")).unwrap();
        let [token] = &tokens[..] else { panic!("{folder}: {} join tokens", tokens.len()) };
        let findings = rules::lint(token, jobpass::env::now());
        assert!(
            findings.iter().all(|found| found.severity != rules::Severity::Error),
            "{folder}: {findings:?}"
        );
        let yaml = |name: &str| serde_saphyr::from_str::<Value>(of(name)).unwrap();
        let (bot, role) = (yaml("bot.yaml"), yaml("role.yaml"));
        assert_eq!((&bot["kind"], &role["kind"]), (&"bot".into(), &"role".into()), "{folder}");
        assert_eq!(token.bot_name.as_deref(), bot["metadata"]["name"].as_str(), "{folder}");
        assert_eq!(bot["spec"]["roles"][0], role["metadata"]["name"], "{folder}");
        let page = of("README.md");
        for (_, path, _) in examples.iter().filter(|(f, _, _)| f == folder) {
            // What is in a folder of its own goes by that.
            let inside = path.strip_prefix(root().join("ci-examples").join(folder)).unwrap();
            let name = inside.components().next().unwrap().as_os_str().to_str().unwrap();
            let is_named = page.contains(&format!("`{name}`")) || page.contains(&format!("`{name}/"));
            assert!(is_named || name == "README.md", "{folder}/README.md does not name {name}");
        }
    }
}

/// Who comes from Teleport's actions edits `uses:` alone (teleport-actions/auth, auth-k8s and auth-application v2: action.yml).
#[test]
fn the_actions_take_the_inputs_of_teleports() {
    let both = ["anonymous-telemetry", "ca-pins", "certificate-ttl", "disable-env-vars", "proxy", "token"];
    for (folder, more, outputs) in [
        ("", "allow-reissue", ["identity-file", "ssh-config", "destination-dir"]),
        ("auth-k8s", "kubernetes-cluster", ["kubeconfig", "destination-dir", "expires-at"]),
        ("auth-application", "app", ["certificate-file", "key-file", "destination-dir"]),
    ] {
        let path = root().join("ci-examples/github").join(folder).join("action.yml");
        let action: Value = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for name in both.into_iter().chain([more]) {
            assert!(action["inputs"][name].is_object(), "{folder} {name}");
        }
        for name in outputs {
            assert!(action["outputs"][name].is_object(), "{folder} {name}");
        }
        let required: Vec<&String> = action["inputs"]
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, input)| input["required"] == true)
            .map(|(name, _)| name)
            .collect();
        let wanted: &[&str] = if folder.is_empty() { &["proxy", "token"] } else { &["proxy", "token", more] };
        assert_eq!(required, wanted, "{folder}");
        let script =
            std::fs::read_to_string(path.with_file_name(action["runs"]["main"].as_str().unwrap())).unwrap();
        // Each input is read, but for those that have no effect.
        for (name, input) in action["inputs"].as_object().unwrap() {
            let has_effect = !input["description"].as_str().unwrap().starts_with("Has no effect");
            assert_eq!(script.contains(&format!("'{name}'")), has_effect, "{folder} {name}");
        }
        assert!(path.with_file_name(action["runs"]["post"].as_str().unwrap()).is_file());
        assert_eq!(
            (&action["runs"]["using"], &action["runs"]["post-if"]),
            (&"node24".into(), &"always()".into())
        );
    }
}

#[test]
fn each_platform_has_a_pipeline_and_a_token() {
    let examples = examples();
    for platform in Platform::ALL {
        let of: Vec<_> = examples.iter().filter(|(folder, _, _)| folder == platform.id()).collect();
        let token = of.iter().find(|(_, path, _)| path.ends_with("token.yaml")).unwrap();
        let tokens = rules::parse(&token.2).unwrap();
        assert_eq!(tokens.len(), 1);
        assert_eq!(tokens[0].method, rules::method_of(platform), "{platform:?}");
        let words = of.iter().map(|(_, _, text)| text.as_str());
        let command = format!("--proxy teleport.example.com --token {}", tokens[0].name);
        let pipelines: Vec<&str> =
            words.filter(|text| text.contains(&format!("jobpass login {command}"))).collect();
        assert!(!pipelines.is_empty(), "no pipeline of {platform:?} names its own token");
        // The audience that a job asks for is that of its token.
        if tokens[0].method == JoinMethod::GenericOidc && platform.audience_hint("").is_none() {
            let audience = tokens[0].spec["audience"].as_str().unwrap();
            for text in pipelines {
                assert!(text.contains(&format!("{command} --audience {audience}")), "{platform:?}");
            }
        }
    }
}

/// AWS has words on each kind of machine.
#[test]
fn aws_has_all_that_a_machine_needs() {
    let examples = examples();
    let cloud = Cloud::Aws;
    let of = |name: &str| {
        let found = examples.iter().find(|(folder, path, _)| folder == cloud.id() && path.ends_with(name));
        &found.unwrap_or_else(|| panic!("{cloud:?} has no {name}")).2
    };
    let tokens = rules::parse(of("token.yaml")).unwrap();
    let [token] = &tokens[..] else { panic!("{cloud:?}") };
    assert_eq!(token.method, Simulated::machine(cloud).unwrap().method());
    let (name, method) = (&token.name, token.method);
    let words = format!("jobpass login --proxy teleport.example.com --token {name} --join-method {method}");
    let recipes = examples.iter().filter(|(folder, _, text)| folder == cloud.id() && text.contains(&words));
    assert!(recipes.count() > 0, "{cloud:?}: no recipe names its own token");
    assert!(of("README.md").contains(&format!("--simulate {}", cloud.id())));
}

/// A file that runs there, the cluster's side, and a page about both.
#[test]
fn clouds_have_a_job_a_token_and_a_page() {
    let examples = examples();
    for cloud in [Cloud::Gcp, Cloud::Azure] {
        let of = |name: &str| {
            let found =
                examples.iter().find(|(folder, path, _)| folder == cloud.id() && path.ends_with(name));
            found.map_or_else(|| panic!("{cloud:?} has no {name}"), |(_, _, text)| text.as_str())
        };
        let tokens = rules::parse(of("token.yaml")).unwrap();
        assert_eq!((tokens.len(), tokens[0].method), (1, rules::method_of_cloud(cloud)));
        let findings = rules::lint(&tokens[0], jobpass::env::now());
        assert!(findings.iter().all(|found| found.severity != rules::Severity::Error), "{findings:?}");
        let job = of(if cloud == Cloud::Gcp { "cloudbuild.yaml" } else { "cloud-init.yaml" });
        let words = format!(
            "jobpass login --proxy teleport.example.com --token {} --join-method {}",
            tokens[0].name, tokens[0].method
        );
        assert!(job.contains(&words), "the job names its own token: {job}");
        assert!(of("README.md").contains("`token.yaml`"));
    }
}

/// The parts of the Job, the service account and the join token that must agree do.
#[test]
fn the_job_in_kubernetes_fits_its_join_token() {
    let folder = root().join("ci-examples/kubernetes");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&read("job.yaml")).unwrap();
    let [account, job] = &documents[..] else { panic!("{documents:?}") };
    let pod = &job["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["serviceAccountName"], account["metadata"]["name"]);
    let token = rules::parse(&read("token.yaml")).unwrap().remove(0);
    assert_eq!(token.method.name(), "kubernetes");
    let rule = &token.spec["allow"][0]["service_account"];
    let of = |field: &str| account["metadata"][field].as_str().unwrap();
    assert_eq!(rule, &Value::from(format!("{}:{}", of("namespace"), of("name"))));
    assert_eq!(job["metadata"]["namespace"], account["metadata"]["namespace"]);
    // The token is where jobpass looks for it, with what Teleport asks of it.
    let volume = &pod["volumes"][0];
    let source = &volume["projected"]["sources"][0]["serviceAccountToken"];
    let mount = &container["volumeMounts"][0];
    let path = format!("{}/{}", mount["mountPath"].as_str().unwrap(), source["path"].as_str().unwrap());
    assert_eq!(mount["name"], volume["name"]);
    assert_eq!(container["env"][0]["name"], "KUBERNETES_TOKEN_PATH");
    assert_eq!(container["env"][0]["value"], path);
    let life = source["expirationSeconds"].as_u64().unwrap();
    assert!((600..=1_800).contains(&life), "{life}");
    let script = container["args"][0].as_str().unwrap();
    let words = format!("--proxy {} --token {}", source["audience"].as_str().unwrap(), token.name);
    assert!(script.contains(&words), "{script}");
    let dir = script.split("--dir ").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(dir.starts_with(container["volumeMounts"][1]["mountPath"].as_str().unwrap()), "{dir}");
    let findings = rules::lint(&token, jobpass::env::now());
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn all_yaml_is_yaml() {
    let is_yaml = |path: &Path| path.extension().is_some_and(|end| end == "yml" || end == "yaml");
    for (_, path, text) in examples().into_iter().filter(|(_, path, _)| is_yaml(path)) {
        let parsed: Vec<Value> =
            serde_saphyr::from_multiple(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        assert!(!parsed.is_empty() && parsed.iter().all(Value::is_object), "{}", path.display());
    }
    let readme = readme();
    let yaml = fences(&readme, "yaml");
    assert!(!yaml.is_empty());
    for block in yaml {
        serde_saphyr::from_str::<Value>(block).unwrap_or_else(|e| panic!("{e}:\n{block}"));
    }
}

#[test]
fn the_first_example_is_short_and_complete() {
    let readme = readme();
    let block = fences(&readme, "yaml")[0];
    assert!(block.lines().count() <= 12, "{block}");
    let job: Value = serde_saphyr::from_str(block).unwrap();
    assert_eq!(job["permissions"]["id-token"], "write");
    assert!(job["steps"][0]["run"].as_str().unwrap().starts_with("jobpass login "));
}

#[test]
fn every_flag_and_command_that_is_named_is_there() {
    let help = |arguments: &[&str]| {
        Ran::of(&jobpass(Path::new("/"), &[arguments, &["--help"]].concat(), []).output().unwrap())
            .ok()
            .stdout
    };
    let top = help(&[]);
    let commands: Vec<&str> = top
        .lines()
        .skip_while(|l| *l != "Commands:")
        .skip(1)
        .take_while(|l| !l.is_empty())
        .filter(|l| l.starts_with("  ") && !l.starts_with("   "))
        .filter_map(|l| l.split_whitespace().next())
        .filter(|command| *command != "help")
        .collect();
    assert!(commands.contains(&"login"), "{top}");
    let all: String = commands.iter().map(|c| help(&[c])).chain([top.clone()]).collect();
    let known = flags(&all);
    let texts = examples().into_iter().map(|(_, path, text)| (path, text));
    for (path, text) in texts.chain([(root().join("README.md"), readme())]) {
        for flag in flags(&jobpass_only(&without_tbot(&text))) {
            assert!(known.contains(&flag), "{} names {flag}", path.display());
        }
        for (at, _) in text.match_indices("jobpass ") {
            let before = text[..at].chars().next_back();
            let word: String =
                text[at + 8..].chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
            // In code only: what follows a back-tick, a line's begin or a shell's opening.
            if matches!(before, Some('`' | '(' | '\n')) && !word.is_empty() {
                let is_known = word == "help" || commands.contains(&word.as_str());
                assert!(is_known, "{} names the command {word}", path.display());
            }
        }
    }
}

/// The section on tbot, but for the column of tbot's own words.
fn without_tbot(text: &str) -> String {
    let lines = text.lines().map(|line| match of_tbot(text).iter().find(|(row, _, _)| *row == line) {
        Some((_, _, ours)) => ours,
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The rows of the table of tbot's words: the whole row, tbot's column, ours.
fn of_tbot(text: &str) -> Vec<(&str, &str, &str)> {
    let section = text.split("\n## Coming from tbot\n").nth(1).unwrap_or_default();
    let table = section.lines().take_while(|line| !line.starts_with("## "));
    let rows = table.filter_map(|row| {
        let mut cells = row.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ");
        Some((row, cells.next()?, cells.next()?))
    });
    rows.collect()
}

#[test]
fn words_of_tbot_are_answered_as_the_table_says() {
    let readme = readme();
    let mut asked = 0;
    for (_, theirs, _) in of_tbot(&readme) {
        let words: Vec<&str> = theirs.split('`').skip(1).step_by(2).collect();
        for word in words {
            let command: Vec<&str> = word.split(' ').collect();
            let (arguments, is_flag) = match command[..] {
                ["tbot", command, ..] => (vec![command], false),
                [flag] if flag.starts_with('-') => (vec!["login", flag], true),
                _ => continue,
            };
            // A flag that is taken misses its value; another one has an answer of its own.
            let ran = Ran::of(&jobpass(Path::new("/"), &arguments, []).output().unwrap());
            let is_taken = is_flag && ran.stderr.contains("needs a value");
            assert!(is_taken || !ran.stderr.contains("--help`"), "{word}: {}", ran.stderr);
            assert_eq!(ran.code, 2, "{word}: {}", ran.stderr);
            asked += 1;
        }
    }
    assert!(asked >= 15, "{asked}");
}

#[test]
fn links_of_the_readme_lead_to_sections() {
    let readme = readme();
    let slug = |title: &str| -> String {
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    let titles = readme
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| slug(line.trim_start_matches(['#', ' '])));
    let sections: BTreeSet<String> = titles.collect();
    let links: Vec<&str> = readme.split("](#").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() > 10, "{links:?}");
    for link in links {
        assert!(sections.contains(link), "no section #{link}");
    }
}

/// The table of what may be seen names messages as they are printed: each is in a snapshot.
#[test]
fn the_messages_that_the_readme_explains_are_printed() {
    let snapshots: String = std::fs::read_dir(root().join("tests/failures/snapshots"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let readme = readme();
    let table = readme.split("\n| Seen | What to do |\n").nth(1).unwrap();
    let rows =
        table.lines().take_while(|line| line.starts_with('|')).filter_map(|row| row.split(" | ").next());
    let mut seen = 0;
    for row in rows.filter(|row| !row.starts_with("| ssh") && !row.starts_with("| kubectl")) {
        let messages = row.split('`').skip(1).step_by(2).filter(|text| text.contains(' '));
        for part in messages.flat_map(|message| message.split('…')) {
            assert!(snapshots.contains(part), "nothing says {part:?}");
            seen += 1;
        }
    }
    assert!(seen >= 8, "{seen}");
}

#[test]
fn every_path_that_contributing_names_is_there() {
    let text = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let words = text.split('`').skip(1).step_by(2).filter(|word| !word.contains(['\n', ' ', '*', '{']));
    let paths: Vec<&str> = words.filter(|word| word.contains('/') && !word.contains("NAME")).collect();
    assert!(paths.len() > 10, "{paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "{path}");
    }
}

/// What `if:` reads of a pull request is empty on push, where the job must run.
#[test]
fn conditions_on_forks_hold_on_push() {
    let texts = examples().into_iter().map(|(_, _, text)| text).chain([readme()]);
    let all: Vec<String> = texts.collect();
    let conditions = all.iter().flat_map(|text| text.lines().filter(|line| line.contains("head.repo")));
    let mut found = 0;
    for line in conditions {
        let holds = line.contains("github.event_name != 'pull_request' ||")
            || line.contains("!github.event.pull_request.head.repo.fork");
        assert!(holds, "{line}");
        found += 1;
    }
    assert!(found > 0);
}

/// Flags of other programs are on lines that begin with their names.
fn jobpass_only(text: &str) -> String {
    let others = [
        "aws ",
        "az ",
        "cargo ",
        "curl ",
        "docker ",
        "envman ",
        "gcloud ",
        "kubectl ",
        "systemctl ",
        "tctl ",
    ];
    let lines = text.lines().map(|line| {
        let cut = others.iter().filter_map(|other| line.find(other)).min();
        let own = line.find(" -- ").map_or("", |at| &line[at + 4..]);
        cut.map_or(line.to_owned(), |at| format!("{}{own}", &line[..at]))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn flags(text: &str) -> BTreeSet<String> {
    let part = |c: char| c.is_ascii_lowercase() || c == '-';
    text.match_indices("--")
        .filter(|(at, _)| !text[..*at].ends_with(|c: char| part(c) || c.is_ascii_alphanumeric()))
        .map(|(at, _)| text[at..].chars().take_while(|c| part(*c)).collect::<String>())
        .filter(|flag| flag.len() > 3 && !flag.starts_with("---"))
        .collect()
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

fn fences<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let open = format!("```{language}\n");
    text.split(open.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}
