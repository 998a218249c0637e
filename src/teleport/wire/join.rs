//! `teleport.join.v1` (servers since about 18): one bidirectional stream.

use prost::{Enumeration, Message, Oneof};

use super::Timestamp;

#[derive(Clone, PartialEq, Message)]
pub struct JoinRequest {
    #[prost(oneof = "Request", tags = "1, 2, 4, 5, 6, 8, 11")]
    pub payload: Option<Request>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum Request {
    #[prost(message, tag = "1")]
    ClientInit(ClientInit),
    #[prost(message, tag = "2")]
    TokenInit(ParamsOnly),
    #[prost(message, tag = "4")]
    Solution(ChallengeSolution),
    #[prost(message, tag = "5")]
    IamInit(ParamsOnly),
    #[prost(message, tag = "6")]
    GivingUp(GivingUp),
    #[prost(message, tag = "8")]
    OidcInit(OidcInit),
    #[prost(message, tag = "11")]
    AzureInit(ParamsOnly),
}
#[derive(Clone, PartialEq, Message)]
pub struct ClientInit {
    /// Left out, the server answers with the token's own method.
    #[prost(string, optional, tag = "1")]
    pub join_method: Option<String>,
    #[prost(string, tag = "2")]
    pub token_name: String,
    /// `Bot`.
    #[prost(string, tag = "3")]
    pub system_role: String,
}
/// PKIX DER and SSH wire form, not text.
#[derive(Clone, PartialEq, Message)]
pub struct PublicKeys {
    #[prost(bytes = "vec", tag = "1")]
    pub public_tls_key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub public_ssh_key: Vec<u8>,
}
#[derive(Clone, PartialEq, Message)]
pub struct BotParams {
    #[prost(message, optional, tag = "1")]
    pub public_keys: Option<PublicKeys>,
    #[prost(message, optional, tag = "2")]
    pub expires: Option<Timestamp>,
}
#[derive(Clone, PartialEq, Message)]
pub struct ClientParams {
    #[prost(message, optional, tag = "2")]
    pub bot_params: Option<BotParams>,
}
/// `TokenInit`, `IAMInit` and `AzureInit`: nothing but the parameters.
#[derive(Clone, PartialEq, Message)]
pub struct ParamsOnly {
    #[prost(message, optional, tag = "1")]
    pub client_params: Option<ClientParams>,
}
/// Every method whose proof is a token. Bytes on the wire, as the server's schema has it. Secret.
#[derive(Clone, PartialEq, Message)]
pub struct OidcInit {
    #[prost(message, optional, tag = "1")]
    pub client_params: Option<ClientParams>,
    #[prost(bytes = "vec", tag = "2")]
    pub id_token: Vec<u8>,
}
#[derive(Clone, PartialEq, Message)]
pub struct ChallengeSolution {
    #[prost(oneof = "Solution", tags = "3, 6")]
    pub payload: Option<Solution>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum Solution {
    #[prost(message, tag = "3")]
    Iam(IamChallengeSolution),
    #[prost(message, tag = "6")]
    Azure(AzureChallengeSolution),
}
/// Secret: carries a signature and a session token.
#[derive(Clone, PartialEq, Message)]
pub struct IamChallengeSolution {
    #[prost(bytes = "vec", tag = "1")]
    pub sts_identity_request: Vec<u8>,
}
/// `access_token` is secret.
#[derive(Clone, PartialEq, Message)]
pub struct AzureChallengeSolution {
    /// JSON, as the metadata service gives it.
    #[prost(bytes = "vec", tag = "1")]
    pub attested_data: Vec<u8>,
    /// DER certificates one behind the other, from the signer's issuer up, the root left out.
    #[prost(bytes = "vec", tag = "2")]
    pub intermediate: Vec<u8>,
    #[prost(string, tag = "3")]
    pub access_token: String,
}
#[derive(Clone, PartialEq, Message)]
pub struct GivingUp {
    #[prost(enumeration = "Reason", tag = "1")]
    pub reason: i32,
    #[prost(string, tag = "2")]
    pub msg: String,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Enumeration)]
#[repr(i32)]
pub enum Reason {
    Unspecified = 0,
    UnsupportedJoinMethod = 1,
    UnsupportedMessageType = 2,
    ChallengeSolutionFailed = 3,
}

#[derive(Clone, PartialEq, Message)]
pub struct JoinResponse {
    #[prost(oneof = "Response", tags = "1, 2, 3")]
    pub payload: Option<Response>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum Response {
    #[prost(message, tag = "1")]
    Init(ServerInit),
    #[prost(message, tag = "2")]
    Challenge(Challenge),
    #[prost(message, tag = "3")]
    Result(JoinResult),
}
#[derive(Clone, PartialEq, Message)]
pub struct ServerInit {
    #[prost(string, tag = "1")]
    pub join_method: String,
    #[prost(string, tag = "2")]
    pub signature_algorithm_suite: String,
}
#[derive(Clone, PartialEq, Message)]
pub struct Challenge {
    #[prost(oneof = "Question", tags = "3, 6")]
    pub payload: Option<Question>,
}
#[derive(Clone, PartialEq, Oneof)]
pub enum Question {
    #[prost(message, tag = "3")]
    Iam(TextChallenge),
    #[prost(message, tag = "6")]
    Azure(TextChallenge),
}
/// `IAMChallenge` and `AzureChallenge`.
#[derive(Clone, PartialEq, Message)]
pub struct TextChallenge {
    #[prost(string, tag = "1")]
    pub challenge: String,
}
#[derive(Clone, PartialEq, Message)]
pub struct JoinResult {
    #[prost(message, optional, tag = "2")]
    pub bot_result: Option<BotResult>,
}
#[derive(Clone, PartialEq, Message)]
pub struct BotResult {
    #[prost(message, optional, tag = "1")]
    pub certificates: Option<Certificates>,
}
/// DER and SSH wire form.
#[derive(Clone, PartialEq, Message)]
pub struct Certificates {
    #[prost(bytes = "vec", tag = "1")]
    pub tls_cert: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    pub tls_ca_certs: Vec<Vec<u8>>,
    #[prost(bytes = "vec", tag = "3")]
    pub ssh_cert: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "4")]
    pub ssh_ca_keys: Vec<Vec<u8>>,
}
