//! A TLS handshake that has begun and waits: its first flight is out, and what the server answers is kept, unread, until it is known whom to
//! trust and which certificate to show. In TLS 1.3 the client's certificate goes out in its second flight (RFC 8446, section 2), so the round trip
//! of the first is over by then. TLS 1.2 and a server that wants another key share go on from there as they always do, a round trip longer.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use rustls::client::ResolvesClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Connect, TlsConnector};

use super::tls::{TlsSpec, TlsStream, certified, established, handshake_failure, name, protocols, provider};
use super::trust::Verifier;
use super::{NetError, Network, Stream};

/// What the first flight says: all of it goes out in the clear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The peer in error texts.
    pub peer: String,
    /// SNI, and verified later.
    pub server_name: String,
    /// Protocols offered, in order.
    pub alpn: Vec<Vec<u8>>,
}

impl TlsSpec {
    /// The part that goes out first.
    pub fn hello(&self) -> Hello {
        Hello { peer: self.peer.clone(), server_name: self.server_name.clone(), alpn: self.alpn.clone() }
    }
}

/// A handshake that waits. Dropping it closes the connection.
pub struct HeldHandshake {
    connecting: Connect<Gated>,
    gate: Arc<AtomicBool>,
    late: Arc<Late>,
    hello: Hello,
}

/// No server's first flight is longer: it holds a chain and the names of the CAs that clients may come from.
const MOST: usize = 256 * 1024;

impl Network {
    /// Begins a handshake; nothing is sent before [`HeldHandshake::ended`] or [`HeldHandshake::finish`] is awaited.
    pub fn hold(&self, stream: Stream, hello: Hello) -> Result<HeldHandshake, NetError> {
        let server_name = name(&hello.server_name)?;
        let late = Arc::new(Late { provider: provider(), known: OnceLock::new() });
        let mut config = protocols(&hello.peer, ClientConfig::builder_with_provider(provider()))?
            .dangerous()
            .with_custom_certificate_verifier(late.clone())
            .with_client_cert_resolver(late.clone());
        config.alpn_protocols.clone_from(&hello.alpn);
        let gate = Arc::new(AtomicBool::new(false));
        let gated = Gated { stream, gate: gate.clone(), ahead: Vec::new() };
        let connecting = TlsConnector::from(Arc::new(config)).connect(server_name, gated);
        Ok(HeldHandshake { connecting, gate, late, hello })
    }
}

impl HeldHandshake {
    /// Sends the first flight and waits for the peer to end the connection: the only thing that is noticed meanwhile. May be dropped at
    /// any time; once it has ended, so has the handshake.
    pub async fn ended(&mut self) -> NetError {
        match (&mut self.connecting).await {
            Err(error) => handshake_failure(&error, &self.hello.peer, &self.hello.alpn),
            Ok(_) => not_held(&self.hello.peer),
        }
    }

    /// Goes on, with what is known now. `spec` is that of the hello, with anchors of its own ([`super::tls::Trust::Only`] or the like) and a
    /// client certificate.
    pub async fn finish(self, network: &Network, spec: &TlsSpec) -> Result<TlsStream, NetError> {
        let Self { connecting, gate, late, hello } = self;
        if spec.hello() != hello {
            return Err(not_held(&spec.peer));
        }
        let certified = spec.client.as_ref().map(|client| certified(client, &spec.peer)).transpose()?;
        let known = Known { verifier: network.verifier(&spec.peer, &spec.trust)?, certified };
        if late.known.set(known).is_err() {
            return Err(not_held(&spec.peer));
        }
        gate.store(true, Ordering::Release);
        established(network, connecting, spec).await
    }
}

fn not_held(peer: &str) -> NetError {
    NetError::Tls { peer: peer.to_owned(), reason: "the handshake that was begun is another".to_owned() }
}

/// Whom to trust and which certificate to show, once that is known. Before that nobody is trusted and nothing is shown.
#[derive(Debug)]
struct Late {
    provider: Arc<CryptoProvider>,
    known: OnceLock<Known>,
}

#[derive(Debug)]
struct Known {
    verifier: Verifier,
    certified: Option<Arc<CertifiedKey>>,
}

impl Late {
    fn verifier(&self) -> Result<&Verifier, rustls::Error> {
        let known = self.known.get().map(|known| &known.verifier);
        known.ok_or_else(|| rustls::Error::General("nobody is trusted yet".to_owned()))
    }
}

impl ServerCertVerifier for Late {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

impl ResolvesClientCert for Late {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.known.get().and_then(|known| known.certified.clone())
    }

    /// Asked when the first flight is made: there will be one.
    fn has_certs(&self) -> bool {
        true
    }
}

/// A stream that gives nothing before its gate is open. It reads ahead, so that its end is noticed.
struct Gated {
    stream: Stream,
    gate: Arc<AtomicBool>,
    ahead: Vec<u8>,
}

impl AsyncRead for Gated {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.gate.load(Ordering::Acquire) {
            if this.ahead.is_empty() {
                return Pin::new(&mut this.stream).poll_read(cx, buffer);
            }
            let rest = this.ahead.split_off(this.ahead.len().min(buffer.remaining()));
            buffer.put_slice(&std::mem::replace(&mut this.ahead, rest));
            return Poll::Ready(Ok(()));
        }
        let mut space = [0; 4096];
        while this.ahead.len() < MOST {
            let mut read = ReadBuf::new(&mut space);
            match Pin::new(&mut this.stream).poll_read(cx, &mut read) {
                Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                    this.ahead.extend_from_slice(read.filled());
                }
                // The end, or an error: whoever waits learns of it.
                other => return other,
            }
        }
        // Whoever opens the gate asks again.
        Poll::Pending
    }
}

impl AsyncWrite for Gated {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
