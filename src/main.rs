//! Snapshot the environment → parse → run → render → exit code. Nothing else touches process globals.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use jobpass::cli::Cli;
use jobpass::env::Env;
use jobpass::log::{Level, Log};
use jobpass::report::failure::{Failure, RunError};
use jobpass::run;

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
    let log = Log::new(move |level, text| match level {
        Level::Data => {
            drop(std::io::stdout().write_all(text.as_bytes()).and_then(|()| std::io::stdout().flush()));
        }
        Level::Command => drop(std::io::stderr().write_all(text.as_bytes())),
        Level::Detail if talk.verbose => drop(writeln!(anstream::stderr(), "  {text}")),
        Level::Note if !talk.quiet => drop(writeln!(anstream::stderr(), "{text}")),
        Level::Warning if !talk.quiet => drop(writeln!(anstream::stderr(), "warning: {text}")),
        _ => {}
    });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::from(error), talk.json),
    };
    let outcome = runtime.block_on(run::run(&cli, &env, &log));
    // A blocking task (name resolution, reading standard input) must not hold up the exit.
    runtime.shutdown_background();
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return fail(&error, talk.json),
    };
    let mut stdout = std::io::stdout().lock();
    if let Err(source) = stdout.write_all(outcome.stdout.as_bytes()).and_then(|()| stdout.flush()) {
        let error = RunError::Output { what: "the result", source };
        return fail(&error.into(), false);
    }
    if !talk.quiet && !outcome.line.is_empty() {
        let _ = writeln!(anstream::stderr(), "{}", outcome.line);
    }
    ExitCode::from(outcome.exit as u8)
}

fn fail(error: &anyhow::Error, json: bool) -> ExitCode {
    let failure = Failure::of(error);
    let _ = anstream::stderr().write_all(failure.text().as_bytes());
    if json {
        let _ = std::io::stdout().write_all(failure.json().as_bytes());
    }
    ExitCode::from(failure.exit as u8)
}
