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
            return Err(format!("`{kind}`: this version issues `ssh` outputs only"));
        }
        "" => return Err("say what to issue: `ssh`".into()),
        other => return Err(format!("`{other}` is no kind of output: `ssh` is")),
    }
    let mut spec = OutputSpec::default();
    for part in parts {
        let Some((key, value)) = part.split_once('=').filter(|(_, v)| !v.is_empty()) else {
            return Err(format!("`{part}` is not KEY=VALUE"));
        };
        let again = match key {
            "name" => spec.name.replace(value::name(value)?).is_some(),
            "dir" => spec.dir.replace(value.into()).is_some(),
            "cluster" => spec.cluster.replace(value.to_owned()).is_some(),
            "roles" => {
                let roles: Vec<String> = value.split('+').map(str::to_owned).collect();
                if roles.iter().any(String::is_empty) {
                    return Err("`roles=` holds an empty name: separate roles by one `+`".into());
                }
                spec.roles.replace(roles).is_some()
            }
            _ => return Err(format!("`{key}` is unknown: an ssh output has roles, name, dir, cluster")),
        };
        if again {
            return Err(format!("`{key}` is given twice"));
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
            ("", "say what to issue"),
            ("sssh", "no kind of output"),
            ("ssh=x", "takes no value"),
            ("kube=prod", "`ssh` outputs only"),
            ("ssh,", "not KEY=VALUE"),
            ("ssh,name", "not KEY=VALUE"),
            ("ssh,name=", "not KEY=VALUE"),
            ("ssh,name=../x", "a name has letters"),
            ("ssh,name=a,name=b", "given twice"),
            ("ssh,roles=a++b", "empty name"),
            ("ssh,user=x", "unknown"),
        ] {
            assert!(parse(text).unwrap_err().contains(want), "{text}: {:?}", parse(text));
        }
    }
}
