//! `--output ssh,roles=a+b,name=N,dir=D,cluster=LEAF`.

use std::path::PathBuf;

use super::value;

/// One `--output` as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputSpec {
    /// `name=`.
    pub name: Option<String>,
    /// `roles=`, separated by `+`.
    pub roles: Option<Vec<String>>,
    /// `dir=`.
    pub dir: Option<PathBuf>,
    /// `cluster=`.
    pub cluster: Option<String>,
}

/// Reads one. Values cannot hold a comma.
pub fn parse(text: &str) -> Result<OutputSpec, String> {
    let mut parts = text.split(',');
    let kind = parts.next().unwrap_or_default();
    match kind.split_once('=').map_or(kind, |(kind, _)| kind) {
        "ssh" | "identity" if !kind.contains('=') => {}
        "ssh" | "identity" => return Err("`ssh` takes no value: write `ssh,name=N`".into()),
        "kube" | "database" | "app" => {
            return Err("this version issues `ssh` outputs only".into());
        }
        "" => return Err(value::EMPTY.into()),
        _ => return Err("its kind is unknown: expected `ssh`".into()),
    }
    let mut spec = OutputSpec::default();
    for part in parts {
        let Some((key, value)) = part.split_once('=').filter(|(_, v)| !v.is_empty()) else {
            return Err("expected `KEY=VALUE` after each comma".into());
        };
        let again = match key {
            "name" => spec.name.replace(value::name(value).map_err(|e| format!("`name=`: {e}"))?).is_some(),
            "dir" => spec.dir.replace(value::folder(value)?).is_some(),
            "cluster" => spec.cluster.replace(value.to_owned()).is_some(),
            "roles" => {
                let roles: Vec<String> = value.split('+').map(str::to_owned).collect();
                if roles.iter().any(String::is_empty) {
                    return Err("a role in `roles=` is empty: separate roles by one `+`".into());
                }
                spec.roles.replace(roles).is_some()
            }
            _ => return Err("it has an unknown key: expected `roles`, `name`, `dir` or `cluster`".into()),
        };
        if again {
            return Err(format!("`{key}=` is given twice"));
        }
    }
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_part() {
        let spec = parse("ssh,roles=a+b,name=deploy,dir=/x y,cluster=leaf.example").unwrap();
        assert_eq!(spec.roles.unwrap(), ["a", "b"]);
        assert_eq!(spec.name.unwrap(), "deploy");
        assert_eq!(spec.dir.unwrap(), PathBuf::from("/x y"));
        assert_eq!(spec.cluster.unwrap(), "leaf.example");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (text, want) in [
            ("", "empty"),
            ("sssh", "kind is unknown"),
            ("ssh=x", "takes no value"),
            ("kube=prod", "`ssh` outputs only"),
            ("ssh,", "expected `KEY=VALUE`"),
            ("ssh,name", "expected `KEY=VALUE`"),
            ("ssh,name=", "expected `KEY=VALUE`"),
            ("ssh,name=../x", "expected letters"),
            ("ssh,name=a,name=b", "given twice"),
            ("ssh,roles=a++b", "is empty"),
            ("ssh,user=x", "unknown key"),
        ] {
            assert!(parse(text).unwrap_err().contains(want), "{text}: {:?}", parse(text));
        }
    }
}
