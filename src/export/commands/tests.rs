use super::*;
use proptest::prelude::*;

fn of(variables: &[(&str, &str)], outputs: &[(&str, &str)]) -> Exports {
    let own =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Exports { variables: own(variables), outputs: own(outputs), ..Exports::default() }
}

fn line(value: &str, dialect: Dialect) -> Option<String> {
    lines(&of(&[("K", value)], &[]), dialect).ok()
}

/// What the agent of Azure Pipelines makes of a log, by learn.microsoft.com, "Logging commands", and the encoding that its
/// task library documents: name, whether it is an output, value.
fn read_by_azure(log: &str) -> Vec<(String, bool, String)> {
    let command = |line: &str| {
        let rest = line.strip_prefix("##vso[task.setvariable ")?;
        let (properties, data) = rest.split_once(']')?;
        let property = |name: &str| {
            let found = properties.split(';').filter_map(|p| p.split_once('=')).find(|(n, _)| *n == name);
            found.map(|(_, value)| value.to_owned())
        };
        let mut value = String::new();
        let mut left = data;
        while let Some(c) = left.chars().next() {
            let known = [("%AZP25", '%'), ("%0D", '\r'), ("%0A", '\n')];
            let found = known.iter().find(|(code, _)| left.starts_with(code));
            let (length, c) = found.map_or((c.len_utf8(), c), |(code, c)| (code.len(), *c));
            value.push(c);
            left = &left[length..];
        }
        Some((property("variable")?, property("isOutput").is_some(), value))
    };
    // The agent reads lines as .NET does: `\r` alone ends one, too.
    log.split(['\n', '\r']).filter_map(command).collect()
}

/// What TeamCity makes of a log, by jetbrains.com/help/teamcity, "Service Messages", "Escaped Values".
fn read_by_teamcity(log: &str) -> Vec<(String, String)> {
    let attribute = |rest: &mut std::iter::Peekable<std::str::Chars<'_>>, name: &str| -> Option<String> {
        for wanted in format!(" {name}='").chars() {
            (rest.next()? == wanted).then_some(())?;
        }
        let mut units: Vec<u16> = Vec::new();
        loop {
            let c = match rest.next()? {
                '\'' => return String::from_utf16(&units).ok(),
                '[' | ']' => return None,
                '|' => match rest.next()? {
                    'n' => '\n',
                    'r' => '\r',
                    '0' => {
                        (rest.next()? == 'x').then_some(())?;
                        let digits: String = (0..4).map_while(|_| rest.next()).collect();
                        units.push(u16::from_str_radix(&digits, 16).ok()?);
                        continue;
                    }
                    c @ ('\'' | '|' | '[' | ']') => c,
                    _ => return None,
                },
                c => c,
            };
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
        }
    };
    let message = |line: &str| {
        let mut rest = line.strip_prefix("##teamcity[setParameter")?.chars().peekable();
        let pair = (attribute(&mut rest, "name")?, attribute(&mut rest, "value")?);
        (rest.collect::<String>() == "]").then_some(pair)
    };
    log.lines().filter_map(message).collect()
}

#[test]
fn values_stay_inside_their_command() {
    for (value, azure, teamcity) in [
        ("/a b/c.d:443", Some("/a b/c.d:443"), Some("/a b/c.d:443")),
        ("100%25", Some("100%AZP2525"), None),
        ("a]b", Some("a]b"), Some("a|]b")),
        ("it's [x] | y", Some("it's [x] | y"), Some("it|'s |[x|] || y")),
        ("é\u{1f600}", Some("é\u{1f600}"), Some("|0x00e9|0xd83d|0xde00")),
        ("", Some(""), Some("")),
        ("a\n##vso[x]y", Some("a%0A##vso[x]y"), Some("a|n##vso|[x|]y")),
        ("a\r", Some("a%0D"), Some("a|r")),
        ("a\u{1b}[0m", None, None),
        ("a\0", None, None),
    ] {
        let azure = azure.map(|value| format!("##vso[task.setvariable variable=K]{value}\n"));
        let teamcity =
            teamcity.map(|value| format!("##teamcity[setParameter name='env.K' value='{value}']\n"));
        assert_eq!(line(value, Dialect::AzurePipelines), azure, "{value:?}");
        assert_eq!(line(value, Dialect::TeamCity), teamcity, "{value:?}");
    }
    for name in ["A]B", "A;B", "A B", "", "A-B"] {
        for dialect in [Dialect::AzurePipelines, Dialect::TeamCity] {
            assert!(lines(&of(&[(name, "v")], &[]), dialect).is_err(), "{name:?}");
        }
    }
    for name in ["a]b", "a;isOutput=x", "", "1"] {
        assert!(lines(&of(&[], &[(name, "v")]), Dialect::AzurePipelines).is_err(), "{name:?}");
    }
    assert!(upload_summary("/a\0").is_none());
    assert_eq!(upload_summary("/a%b").unwrap(), "##vso[task.uploadsummary]/a%AZP25b\n");
}

#[test]
fn outputs_are_there_where_the_platform_has_them() {
    let exports = of(&[("A", "1")], &[("destination-dir", "/d")]);
    let azure = lines(&exports, Dialect::AzurePipelines).unwrap();
    let read = [("A".into(), false, "1".into()), ("destination-dir".into(), true, "/d".into())];
    assert_eq!(read_by_azure(&azure), read);
    assert_eq!(
        read_by_teamcity(&lines(&exports, Dialect::TeamCity).unwrap()),
        [("env.A".into(), "1".into())]
    );
}

proptest! {
    #[test]
    fn values_come_back(values in proptest::collection::vec("(?s)[^\\pC]{0,20}|[|'\\[\\]%0xADZP25;=#\n\r ]{0,16}", 1..4)) {
        let names: Vec<String> = (0..values.len()).map(|i| format!("K_{i}")).collect();
        let pairs: Vec<(&str, &str)> = names.iter().zip(&values).map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let log = lines(&of(&pairs, &[]), Dialect::AzurePipelines).unwrap();
        let want: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), false, (*v).to_owned())).collect();
        prop_assert_eq!(read_by_azure(&log), want);
        if let Ok(log) = lines(&of(&pairs, &[]), Dialect::TeamCity) {
            let want: Vec<_> = pairs.iter().map(|(n, v)| (format!("env.{n}"), (*v).to_owned())).collect();
            prop_assert_eq!(read_by_teamcity(&log), want);
        }
    }
}
