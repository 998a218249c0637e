//! gRPC over a stream of our own: HTTP/2 by hyper, messages by prost, no channel machinery.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::uri::PathAndQuery;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tonic::body::Body;
use tonic::client::Grpc;
use tonic_prost::ProstCodec;

use super::ClusterError;
use super::error::ConnectionError;
use crate::net::{Deadline, NetError, Stream};

/// One HTTP/2 connection to a gRPC server; clones share it.
#[derive(Clone)]
pub struct Channel {
    grpc: Grpc<Http2>,
    deadline: Deadline,
    peer: Arc<str>,
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Channel").field("peer", &self.peer).finish_non_exhaustive()
    }
}

/// The `:authority` of every call; Teleport's servers route by ALPN, not by it.
const AUTHORITY: &str = "https://teleport.cluster.local";
/// How often an idle connection is probed, and how long the answer may take.
const KEEP_ALIVE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(10));
/// How long one call may take before it counts as not answered.
const CALL_LIMIT: Duration = Duration::from_secs(20);
/// Larger than the 64 KiB default, so that a transfer over a long wire is not held up by its window.
const WINDOW: u32 = 1024 * 1024;

impl Channel {
    /// Speaks HTTP/2 over `stream`. The preface goes out with the first request; nothing is waited for.
    pub async fn over(stream: Stream, peer: &str, deadline: Deadline) -> Result<Self, ClusterError> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .keep_alive_interval(KEEP_ALIVE.0)
            .keep_alive_timeout(KEEP_ALIVE.1)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|e| NetError::Closed { peer: peer.to_owned(), during: format!(": {e}") })?;
        tokio::spawn(async move {
            // The error reaches the callers through their own calls.
            let _ = connection.await;
        });
        let grpc = Grpc::with_origin(Http2 { sender }, http::Uri::from_static(AUTHORITY));
        Ok(Self { grpc, deadline, peer: peer.into() })
    }

    /// One request, one answer.
    pub async fn unary<Q, A>(
        &self,
        call: &'static str,
        path: &'static str,
        request: Q,
    ) -> Result<A, ClusterError>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.grpc.clone();
        let work = async move {
            grpc.ready().await.map_err(|e| interrupted(call, &e))?;
            let codec: ProstCodec<Q, A> = ProstCodec::default();
            let answer =
                grpc.unary(tonic::Request::new(request), PathAndQuery::from_static(path), codec).await;
            answer.map(tonic::Response::into_inner).map_err(|s| ClusterError::from_status(call, &s))
        };
        self.within(call, work).await
    }

    /// One request, a bounded list of answers.
    pub async fn list<Q, A>(
        &self,
        call: &'static str,
        path: &'static str,
        request: Q,
        most: usize,
    ) -> Result<Vec<A>, ClusterError>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.grpc.clone();
        let work = async move {
            grpc.ready().await.map_err(|e| interrupted(call, &e))?;
            let codec: ProstCodec<Q, A> = ProstCodec::default();
            let answer = grpc
                .server_streaming(tonic::Request::new(request), PathAndQuery::from_static(path), codec)
                .await;
            let mut stream = answer.map_err(|s| ClusterError::from_status(call, &s))?.into_inner();
            let mut all = Vec::new();
            while let Some(item) = stream.message().await.map_err(|s| ClusterError::from_status(call, &s))? {
                if all.len() == most {
                    return Err(ClusterError::malformed(call, format!("end within {most} items")));
                }
                all.push(item);
            }
            Ok(all)
        };
        self.within(call, work).await
    }

    /// Messages in both directions. Resolves when the server's headers are there.
    pub async fn bidirectional<Q, A>(
        &self,
        call: &'static str,
        path: &'static str,
        requests: impl tokio_stream::Stream<Item = Q> + Send + 'static,
    ) -> Result<tonic::Streaming<A>, ClusterError>
    where
        Q: prost::Message + Send + Sync + 'static,
        A: prost::Message + Default + Send + Sync + 'static,
    {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|e| interrupted(call, &e))?;
        let codec: ProstCodec<Q, A> = ProstCodec::default();
        let answer =
            grpc.streaming(tonic::Request::new(requests), PathAndQuery::from_static(path), codec).await;
        answer.map(tonic::Response::into_inner).map_err(|s| ClusterError::from_status(call, &s))
    }

    async fn within<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, ClusterError>>,
    ) -> Result<T, ClusterError> {
        let doing = format!("waiting for {call}");
        self.deadline.try_within(CALL_LIMIT, &self.peer, &doing, work).await?
    }
}

/// hyper's request sender as the service that tonic takes.
#[derive(Clone)]
struct Http2 {
    sender: http2::SendRequest<Body>,
}

impl tower_service::Service<http::Request<Body>> for Http2 {
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.sender.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.sender.send_request(request))
    }
}

fn interrupted(call: &'static str, error: &hyper::Error) -> ClusterError {
    ConnectionError::Interrupted { call, reason: error.to_string() }.into()
}
