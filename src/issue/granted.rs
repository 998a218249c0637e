//! What people approved, in place of roles to impersonate.

use crate::teleport::RequestId;

/// An approved access request.
#[derive(Debug, Clone)]
pub struct Granted {
    /// Its id.
    pub id: RequestId,
    /// What a certificate by it has: its own roles and the bot's.
    pub roles: Vec<String>,
}
