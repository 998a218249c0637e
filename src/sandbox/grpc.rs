//! gRPC for hand-written services: a codec, and one function for each shape of call.

use std::future::{Future, ready};
use std::marker::PhantomData;
use std::task::{Context, Poll};

use bytes::BufMut as _;
use hyper::body::Incoming;
use prost::Message;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder, Streaming};
use tonic::server::Grpc;
use tonic::{Request, Response, Status};
use tower_service::Service;

/// Messages waiting to be sent on one stream.
const QUEUE: usize = 16;
/// A varint field of number 900: no message here has it.
const UNKNOWN_FIELD: [u8; 3] = [0xa0, 0x38, 0x01];

/// The answering half of a stream.
pub(super) type Sender<A> = mpsc::Sender<Result<A, Status>>;

/// One message in, one out. Messages are at most 4 MiB, tonic's default.
pub(super) async fn unary<Q, A>(
    newer: bool,
    request: http::Request<Incoming>,
    call: impl FnOnce(Q) -> Result<A, Status>,
) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    let mut call = Some(call);
    let service = Call(|request: Request<Q>| ready(once(&mut call, request.into_inner()).map(Response::new)));
    Grpc::new(Messages::<Q, A>::new(newer)).unary(service, request).await
}

/// One message in, several out.
pub(super) async fn server_stream<Q, A>(
    newer: bool,
    request: http::Request<Incoming>,
    call: impl FnOnce(Q) -> Result<Vec<A>, Status>,
) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    let mut call = Some(call);
    let service = Call(|request: Request<Q>| {
        let answers = once(&mut call, request.into_inner());
        ready(answers.map(|all| Response::new(tokio_stream::iter(all.into_iter().map(Ok)))))
    });
    Grpc::new(Messages::<Q, A>::new(newer)).server_streaming(service, request).await
}

/// Messages both ways; `call` runs as a task of its own until it ends or the client is gone.
pub(super) async fn bidirectional<Q, A, F>(
    newer: bool,
    request: http::Request<Incoming>,
    call: impl FnOnce(Streaming<Q>, Sender<A>) -> F + Send,
) -> http::Response<Body>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let mut call = Some(call);
    let service = Call(|request: Request<Streaming<Q>>| {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let started = call.take().ok_or_else(|| Status::internal("called twice")).map(|call| {
            tokio::spawn(call(request.into_inner(), sender));
            Response::new(ReceiverStream::new(receiver))
        });
        ready(started)
    });
    Grpc::new(Messages::<Q, A>::new(newer)).streaming(service, request).await
}

fn once<Q, A>(call: &mut Option<impl FnOnce(Q) -> Result<A, Status>>, message: Q) -> Result<A, Status> {
    call.take().ok_or_else(|| Status::internal("called twice"))?(message)
}

/// A closure as the service tonic wants.
struct Call<F>(F);

impl<F, Q, A, Fut> Service<Request<Q>> for Call<F>
where
    F: FnMut(Request<Q>) -> Fut,
    Fut: Future<Output = Result<Response<A>, Status>>,
{
    type Response = Response<A>;
    type Error = Status;
    type Future = Fut;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Fut {
        (self.0)(request)
    }
}

/// Protobuf, with an unknown field more in each answer when `newer`.
struct Messages<Q, A> {
    newer: bool,
    types: PhantomData<fn() -> (Q, A)>,
}

impl<Q, A> Messages<Q, A> {
    fn new(newer: bool) -> Self {
        Self { newer, types: PhantomData }
    }
}

impl<Q: Message + Default + 'static, A: Message + 'static> Codec for Messages<Q, A> {
    type Encode = A;
    type Decode = Q;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::new(self.newer)
    }

    fn decoder(&mut self) -> Self {
        Self::new(self.newer)
    }
}

impl<Q, A: Message> Encoder for Messages<Q, A> {
    type Item = A;
    type Error = Status;

    fn encode(&mut self, message: A, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|e| Status::internal(e.to_string()))?;
        if self.newer {
            buffer.put_slice(&UNKNOWN_FIELD);
        }
        Ok(())
    }
}

impl<Q: Message + Default, A> Decoder for Messages<Q, A> {
    type Item = Q;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Q>, Status> {
        Q::decode(buffer).map(Some).map_err(|e| Status::internal(e.to_string()))
    }
}
