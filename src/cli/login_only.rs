//! What of `login` is not for `exec`.

/// Flags of `login`, by their ids, that have no meaning for the command of `exec`, which has credentials of its own.
pub const LOGIN_ONLY: [&str; 6] =
    ["dir", "export", "json", "print_command", "request_nowait", "reuse_if_valid_for"];
