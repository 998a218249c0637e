//! What the command line asks of people.

use crate::approval::{Ask, Request};
use crate::cli::Login;
use crate::output::Output;
use crate::run::error::RunError;

/// The request, if there is to be one. Roles for single outputs have no place beside it: the server refuses both together.
pub fn request(args: &Login, outputs: &[Output]) -> Result<Option<Request>, RunError> {
    let wanted = &args.request;
    if !wanted.is_wanted() {
        return Ok(None);
    }
    let flag = if wanted.request_id.is_some() { "--request-id" } else { "--request-role" };
    if args.output.renew {
        return Err(RunError::usage(
            format!(
                "`{flag}` and `--renew` exclude each other: people would be asked again for each new certificate"
            ),
            "leave out one of them; `--ttl` says how long the certificates are valid",
        ));
    }
    if outputs.iter().any(|output| output.roles.is_some()) {
        return Err(RunError::usage(
            format!(
                "`{flag}` and roles for the outputs exclude each other: an approved request gives all its roles, and the \
                 bot's own"
            ),
            format!("leave out `--roles` and `roles=`, or `{flag}`"),
        ));
    }
    let ask = if let Some(id) = &wanted.request_id {
        Ask::Known(id.clone())
    } else {
        let (mut roles, mut reviewers) = (wanted.request_role.clone(), wanted.request_reviewer.clone());
        for list in [&mut roles, &mut reviewers] {
            let mut seen = Vec::new();
            list.retain(|name| {
                let is_new = !seen.contains(name);
                seen.push(name.clone());
                is_new
            });
        }
        Ask::New { roles, reason: wanted.request_reason.clone(), reviewers }
    };
    Ok(Some(Request { ask, wait: wanted.request_wait, only_file: wanted.request_nowait }))
}
