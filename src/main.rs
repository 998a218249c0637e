//! Snapshot the environment → parse → run → render → exit code. Nothing else touches process globals.

use std::ffi::OsString;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use jobpass::cli::Command;
use jobpass::cli::color::paint;
use jobpass::cli::parse::{self, OutputForm, Stop};
use jobpass::env::{self, Env};
use jobpass::error::{Exit, Failed};
use jobpass::log::{Level, Log};
use jobpass::platform::{Platform, Severity};
use jobpass::report::Failure;
use jobpass::run;
use jobpass::run::error::RunError;
use jobpass::run::exec::watchdog::{self, Step};
use jobpass::text::safe_lines;

fn main() -> ExitCode {
    let env = Env::snapshot();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(step) = Step::of(&arguments) {
        return watch(step, &env);
    }
    let form = OutputForm::new(&arguments, &env);
    let cli = match parse::parse(arguments, &env) {
        Ok(cli) => cli,
        Err(Stop::Shown { text, exit }) => {
            let stdout = form.color.is_on(&env, std::io::stdout().is_terminal());
            let text = if stdout { text.ansi().to_string() } else { text.to_string() };
            // Help may meet a closed pipe: no fault.
            drop(match exit {
                Exit::Done => std::io::stdout().write_all(text.as_bytes()),
                _ => std::io::stderr().write_all(text.as_bytes()),
            });
            return leave(exit as u8, form);
        }
        Err(Stop::Usage(error)) => return fail(&error.into(), &env, form),
        Err(Stop::Config(error)) => return fail(&error.into(), &env, form),
    };
    let messages = cli.command.messages();
    let verbose = messages.verbose || Platform::debug_requested(&env) && !messages.quiet;
    let (platform, color) = (Platform::marked(&env), is_colored(form, &env));
    let log = Log::new(move |level, text| match level {
        Level::Data => {
            drop(std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()));
        }
        Level::Detail if verbose => print(&format!("  {}\n", shown(text)), false),
        Level::Note if !messages.quiet => print(&format!("{}\n", shown(text)), color),
        Level::Notice if !messages.quiet => {
            let text = shown(text);
            let annotation = platform.and_then(|p| p.annotate(Severity::Notice, "jobpass", &text));
            print(&format!("{}{text}\n", annotation.map(|a| a + "\n").unwrap_or_default()), color);
        }
        Level::Warning if !messages.quiet => {
            let text = shown(text);
            let annotation = platform.and_then(|p| p.annotate(Severity::Warning, "jobpass", &text));
            print(&format!("{}warning: {text}\n", annotation.map(|a| a + "\n").unwrap_or_default()), color);
        }
        _ => {}
    });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failed::Internal(error.into()), &env, form),
    };
    let outcome = runtime.block_on(run::run(&cli, &env, &log));
    // A blocking task (name resolution, reading standard input) must not hold up the exit.
    runtime.shutdown_background();
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        // `ssh` and `kubectl` show this amid their own words.
        Err(error)
            if matches!(
                cli.command,
                Command::SshProxy(_) | Command::KubeCredential(_) | Command::Renew(_)
            ) =>
        {
            let failure = Failure::new(&error, env::now());
            print(&failure.line(), false);
            return ExitCode::from(failure.exit as u8);
        }
        Err(error) => return fail(&error, &env, form),
    };
    let written = std::io::stdout().write_all(outcome.stdout.as_bytes());
    if let Err(source) = written.and_then(|()| std::io::stdout().flush()) {
        outcome.take_back();
        let error = RunError::Output { what: "the result", source };
        return fail(&error.into(), &env, OutputForm { json: false, ..form });
    }
    if !messages.quiet && !outcome.line.is_empty() {
        print(&format!("{}\n", shown(&outcome.line)), false);
    }
    let now = env::now();
    for failure in &outcome.failures {
        print(&failure.text_on(platform, now, env.columns), color);
    }
    if outcome.exit != Exit::Done {
        return leave(outcome.status.unwrap_or(outcome.exit as u8), form);
    }
    ExitCode::from(outcome.status.unwrap_or_default())
}

/// What `jobpass exec` starts beside itself; no command for people.
fn watch(step: Step, env: &Env) -> ExitCode {
    let done = match (step, tokio::runtime::Builder::new_current_thread().enable_all().build()) {
        (Step::Detach, _) => watchdog::detach(&env.exe).map(|()| None).map_err(Failed::from),
        (Step::Watch, Ok(runtime)) => runtime.block_on(watchdog::watch()),
        (Step::Watch, Err(error)) => Err(error.into()),
    };
    match done {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(line)) => {
            print(&format!("jobpass: {line}\n"), false);
            ExitCode::SUCCESS
        }
        Err(error) => {
            let failure = Failure::new(&error, env::now());
            print(&failure.line(), false);
            ExitCode::from(failure.exit as u8)
        }
    }
}

fn fail(error: &Failed, env: &Env, form: OutputForm) -> ExitCode {
    let now = env::now();
    let failure = Failure::new(error, now);
    print(&failure.text_on(Platform::marked(env), now, env.columns), is_colored(form, env));
    if form.json && form.shell.is_none() {
        let _ = std::io::stdout().write_all(failure.json().as_bytes());
    }
    leave(failure.exit as u8, form)
}

/// A shell that evaluates standard output learns of a failure, too.
fn leave(exit: u8, form: OutputForm) -> ExitCode {
    if let Some(shell) = form.shell.filter(|_| exit != 0) {
        let _ = std::io::stdout().write_all(shell.failure(exit).as_bytes());
    }
    ExitCode::from(exit)
}

fn is_colored(form: OutputForm, env: &Env) -> bool {
    form.color.is_on(env, std::io::stderr().is_terminal())
}

/// To standard error, byte for byte: the sections of GitLab's log begin with escapes that are no colors.
fn print(text: &str, color: bool) {
    let text = if color { paint(text) } else { text.to_owned() };
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Whatever a line quotes, it stays a line, and no log reads it as a command.
fn shown(text: &str) -> String {
    safe_lines(text).collect::<Vec<_>>().join("\n")
}
