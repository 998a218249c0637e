//! Access requests (`api/proto/teleport/legacy/types/types.proto`; recorded with 15).

use prost::Message;

use super::{Empty, Metadata, Timestamp};

/// `types.AccessRequestV3`. The server gives it a name of its own.
#[derive(Clone, PartialEq, Message)]
pub struct AccessRequest {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(string, tag = "3")]
    pub version: String,
    #[prost(message, optional, tag = "4")]
    pub metadata: Option<Metadata>,
    #[prost(message, optional, tag = "5")]
    pub spec: Option<AccessRequestSpec>,
}
/// Timestamps that say nothing are Go's zero, year 1.
#[derive(Clone, PartialEq, Message)]
pub struct AccessRequestSpec {
    #[prost(string, tag = "1")]
    pub user: String,
    #[prost(string, repeated, tag = "2")]
    pub roles: Vec<String>,
    #[prost(enumeration = "RequestState", tag = "3")]
    pub state: i32,
    #[prost(message, optional, tag = "4")]
    pub created: Option<Timestamp>,
    /// When what it gives ends.
    #[prost(message, optional, tag = "5")]
    pub expires: Option<Timestamp>,
    #[prost(string, tag = "6")]
    pub request_reason: String,
    #[prost(string, tag = "7")]
    pub resolve_reason: String,
    /// Not read; sent empty, as Teleport's own client does.
    #[prost(message, optional, tag = "8")]
    pub resolve_annotations: Option<Empty>,
    #[prost(message, optional, tag = "9")]
    pub system_annotations: Option<Empty>,
    #[prost(string, repeated, tag = "13")]
    pub suggested_reviewers: Vec<String>,
    #[prost(message, optional, tag = "17")]
    pub max_duration: Option<Timestamp>,
    #[prost(message, optional, tag = "18")]
    pub session_ttl: Option<Timestamp>,
    /// When what it gives begins.
    #[prost(message, optional, tag = "21")]
    pub assume_start_time: Option<Timestamp>,
}

/// `types.RequestState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RequestState {
    None = 0,
    Pending = 1,
    Approved = 2,
    Denied = 3,
    Promoted = 4,
}
/// `types.AccessRequestFilter`.
#[derive(Clone, PartialEq, Message)]
pub struct AccessRequestFilter {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub user: String,
    #[prost(enumeration = "RequestState", tag = "3")]
    pub state: i32,
}
