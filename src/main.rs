//! Snapshot the environment → parse → run → render → exit code. Nothing else touches process globals.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use jobpass::cli::{Cli, Command};
use jobpass::env::{self, Env};
use jobpass::error::Failed;
use jobpass::log::{Level, Log};
use jobpass::platform::Platform;
use jobpass::report::Failure;
use jobpass::run;
use jobpass::run::error::RunError;

fn main() -> ExitCode {
    let env = Env::snapshot();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version go to stdout and may meet a closed pipe: no fault.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let talk = run::talk(&cli);
    let verbose = talk.verbose || Platform::debug_requested(&env) && !talk.quiet;
    let log = Log::new(move |level, text| match level {
        Level::Data => {
            drop(std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()));
        }
        Level::Command => drop(std::io::stderr().write_all(text.as_bytes())),
        Level::Detail if verbose => drop(writeln!(anstream::stderr(), "  {text}")),
        Level::Note if !talk.quiet => drop(writeln!(anstream::stderr(), "{text}")),
        Level::Warning if !talk.quiet => drop(writeln!(anstream::stderr(), "warning: {text}")),
        _ => {}
    });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&Failed::Internal(error.into()), &env, talk.json),
    };
    let outcome = runtime.block_on(run::run(&cli, &env, &log));
    // A blocking task (name resolution, reading standard input) must not hold up the exit.
    runtime.shutdown_background();
    let mut outcome = match outcome {
        Ok(outcome) => outcome,
        // `ssh` shows this amid its own words.
        Err(error) if matches!(cli.command, Command::SshProxy(_)) => {
            let failure = Failure::new(&error, env::now());
            let _ = anstream::stderr().write_all(failure.line().as_bytes());
            return ExitCode::from(failure.exit as u8);
        }
        Err(error) => return fail(&error, &env, talk.json),
    };
    let mut stdout = std::io::stdout().lock();
    if let Err(source) = stdout.write_all(outcome.stdout.as_bytes()).and_then(|()| stdout.flush()) {
        outcome.take_back();
        return fail(&RunError::Output { what: "the result", source }.into(), &env, false);
    }
    if !talk.quiet && !outcome.line.is_empty() {
        let _ = writeln!(anstream::stderr(), "{}", outcome.line);
    }
    ExitCode::from(outcome.status.unwrap_or(outcome.exit as u8))
}

fn fail(error: &Failed, env: &Env, json: bool) -> ExitCode {
    let now = env::now();
    let failure = Failure::new(error, now);
    let platform = Platform::ALL.into_iter().find(|p| p.marker(env).present);
    let _ = anstream::stderr().write_all(failure.text_on(platform, now).as_bytes());
    if json {
        let _ = std::io::stdout().write_all(failure.json().as_bytes());
    }
    ExitCode::from(failure.exit as u8)
}
