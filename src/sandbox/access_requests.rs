//! Access requests: filed by bots, answered by the policy or by hand. Messages and refusals are the recorded ones.

use hyper::body::Incoming;
use tonic::body::Body;

use super::cluster::Cluster;
use super::grpc;
use super::peer::{Caller, Peer};

pub(super) const FILE: &str = "/proto.AuthService/CreateAccessRequestV2";
pub(super) const LIST: &str = "/proto.AuthService/GetAccessRequestsV2";

/// The two calls. What they cut off ends without an answer.
pub(super) async fn answer(
    cluster: &Cluster,
    peer: &Peer,
    caller: &Caller,
    request: http::Request<Incoming>,
) -> http::Response<Body> {
    let inject = &cluster.options.inject;
    let is_cut = if request.uri().path() == FILE {
        cluster.requests.count() == 0 && inject.lose_filing
    } else {
        cluster.requests.asked() < inject.lose_requests
    };
    let answer = if request.uri().path() == FILE {
        grpc::unary(inject.newer, request, |wanted| {
            Ok(cluster.requests.file(&cluster.options, caller, wanted)?)
        })
        .await
    } else {
        let answer = |filter| Ok(cluster.requests.list(&cluster.options, caller, &filter));
        grpc::server_stream(inject.newer, request, answer).await
    };
    if is_cut {
        peer.cut.notify_one();
        std::future::pending::<()>().await;
    }
    answer
}
