//! Variables of programs that run ssh on their own, or read Teleport's `identity` file.

use std::path::Path;

/// A program, by the word of `--export-vars`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consumer {
    /// `GIT_SSH_COMMAND`.
    Git,
    /// `RSYNC_RSH`.
    Rsync,
    /// `ANSIBLE_SSH_ARGS`.
    Ansible,
    /// `TF_TELEPORT_ADDR` and `TF_TELEPORT_IDENTITY_FILE_PATH`.
    Terraform,
}

impl Consumer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Git, Self::Rsync, Self::Ansible, Self::Terraform];

    /// The word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Rsync => "rsync",
            Self::Ansible => "ansible",
            Self::Terraform => "terraform",
        }
    }

    /// Whether its variables have white space, which some places for variables cannot carry.
    pub fn has_words(self) -> bool {
        self != Self::Terraform
    }

    /// Its variables for the files of an ssh output in `dir`, with the proxy's `HOST:PORT`.
    pub(super) fn variables(self, dir: &str, proxy: &str) -> Vec<(&'static str, String)> {
        let file = |name: &str| Path::new(dir).join(name).display().to_string();
        let config = file("ssh_config");
        match self {
            // git(1): "the value is passed to the shell".
            Self::Git => vec![("GIT_SSH_COMMAND", format!("ssh -F {}", posix_word(&config)))],
            Self::Rsync => vec![("RSYNC_RSH", format!("ssh -F {}", rsync_word(&config)))],
            // ssh takes the first value of an option, and these come first: ansible's default would leave a master process
            // behind (`ansible.builtin.ssh`, `ssh_args`).
            Self::Ansible => {
                let value = format!("-C -F {} -o ControlMaster=no -o ControlPath=none", posix_word(&config));
                vec![("ANSIBLE_SSH_ARGS", value)]
            }
            // The provider's reference, "Connection methods".
            Self::Terraform => vec![
                ("TF_TELEPORT_ADDR", proxy.to_owned()),
                ("TF_TELEPORT_IDENTITY_FILE_PATH", file("identity")),
            ],
        }
    }
}

/// A word for a POSIX shell and for Python's `shlex`, which ansible splits with: it keeps the backslash of `"\$"`, so double quotes
/// do not mean the same to both.
fn posix_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A word for rsync, which splits at spaces by rules of its own: no backslashes, and a doubled quote within quotes is one (rsync(1),
/// `--rsh`).
fn rsync_word(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn value(consumer: Consumer, dir: &str, name: &str) -> String {
        let variables = consumer.variables(dir, "p.test:443");
        variables.into_iter().find(|(known, _)| *known == name).unwrap().1
    }

    /// What `sh` makes of a command's words, one a line.
    fn split_by_sh(words: &str) -> String {
        let output = Command::new("sh").arg("-c").arg(format!("printf '%s\\n' {words}")).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What Python's `shlex` makes of it, one a line.
    fn split_by_python(words: &str) -> String {
        let script = "import shlex, sys; print('\\n'.join(shlex.split(sys.argv[1])))";
        let output =
            Command::new("python3").env("PYTHONUTF8", "1").args(["-c", script, words]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What rsync runs in place of a remote shell, one word a line: a stand-in for `ssh` writes them down.
    fn split_by_rsync(words: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let (ssh, seen) = (folder.path().join("ssh"), folder.path().join("seen"));
        let mut file =
            std::fs::OpenOptions::new().write(true).create_new(true).mode(0o700).open(&ssh).unwrap();
        write!(file, "#!/bin/sh\nprintf '%s\\n' ssh \"$1\" \"$2\" >{}\nexit 1\n", seen.display()).unwrap();
        drop(file);
        let mut rsync = Command::new("rsync");
        rsync.env_clear().env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
        rsync.env("RSYNC_RSH", words).args(["host:x", "."]).current_dir(folder.path());
        rsync.stdin(Stdio::null()).output().unwrap();
        std::fs::read_to_string(seen).unwrap()
    }

    #[test]
    fn each_program_has_its_variables() {
        for (consumer, want) in [
            (Consumer::Git, &[("GIT_SSH_COMMAND", "ssh -F '/d/ssh_config'")][..]),
            (Consumer::Rsync, &[("RSYNC_RSH", "ssh -F '/d/ssh_config'")]),
            (
                Consumer::Ansible,
                &[("ANSIBLE_SSH_ARGS", "-C -F '/d/ssh_config' -o ControlMaster=no -o ControlPath=none")],
            ),
            (
                Consumer::Terraform,
                &[("TF_TELEPORT_ADDR", "p.test:443"), ("TF_TELEPORT_IDENTITY_FILE_PATH", "/d/identity")],
            ),
        ] {
            let variables = consumer.variables("/d", "p.test:443");
            let variables: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(variables, want);
            assert_eq!(want.iter().any(|(_, value)| value.contains(' ')), consumer.has_words());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..Default::default() })]

        /// Any folder that ssh can name: no double quotes, backslashes, control characters.
        #[test]
        fn each_program_reads_the_path_as_it_is(name in "[ -!#-\\[\\]-~é]{1,16}") {
            let dir = format!("/{name}");
            let config = Path::new(&dir).join("ssh_config").display().to_string();
            let command = format!("ssh\n-F\n{config}\n");
            prop_assert_eq!(split_by_sh(&value(Consumer::Git, &dir, "GIT_SSH_COMMAND")), &*command);
            prop_assert_eq!(split_by_rsync(&value(Consumer::Rsync, &dir, "RSYNC_RSH")), &*command);
            let args = value(Consumer::Ansible, &dir, "ANSIBLE_SSH_ARGS");
            let wanted = format!("-C\n-F\n{config}\n-o\nControlMaster=no\n-o\nControlPath=none\n");
            prop_assert_eq!(split_by_python(&args), &*wanted);
            prop_assert_eq!(split_by_sh(&args), &*wanted);
        }
    }
}
