//! What lies between a job and its cluster, all of it equally far from the job: cluster, CI endpoint, balancer, HTTP proxy.

use std::net::SocketAddr;

use jobpass::platform::Platform;

use super::balancer::{Balancer, Unknown};
use super::cluster::{Cluster, Job};
use super::command::put;
use super::http_proxy::{HttpProxy, HttpProxyOptions};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    Direct,
    /// A balancer that terminates TLS.
    Balancer,
    /// An HTTP proxy.
    HttpProxy,
}

/// A job at the other end of it.
pub struct Far<'a> {
    pub job: Job<'a>,
    /// For `--proxy`: the host is `localhost`.
    pub proxy: String,
    _balancer: Option<Balancer>,
    _http_proxy: Option<HttpProxy>,
}

impl Way {
    /// `leading_to` makes an address that is far of one that is near.
    pub fn to(
        self,
        cluster: &Cluster,
        platform: Platform,
        mut leading_to: impl FnMut(SocketAddr) -> SocketAddr,
    ) -> Far<'_> {
        let target = cluster.sandbox.address;
        let mut job = cluster.job(platform);
        for (name, value) in &mut job.variables {
            if name == "ACTIONS_ID_TOKEN_REQUEST_URL" {
                *value = value.replace(&cluster.proxy(), &leading_to(target).to_string());
            }
        }
        match self {
            Self::Direct => {
                let proxy = format!("localhost:{}", leading_to(target).port());
                Far { job, proxy, _balancer: None, _http_proxy: None }
            }
            Self::Balancer => {
                let balancer = Balancer::start(target, cluster.sandbox.web_ca_pem(), Unknown::NoAlpn);
                let roots = cluster.path("balancer.pem");
                put(&roots, &balancer.ca_pem);
                let job = job.set("SSL_CERT_FILE", roots.to_str().unwrap());
                let proxy = format!("localhost:{}", leading_to(balancer.address()).port());
                Far { job, proxy, _balancer: Some(balancer), _http_proxy: None }
            }
            Self::HttpProxy => {
                let names = [("localhost:443".to_owned(), target)].into();
                let http_proxy = HttpProxy::start(HttpProxyOptions { names, ..HttpProxyOptions::default() });
                let url = format!("http://{}", leading_to(http_proxy.address()));
                let job = job.set("HTTPS_PROXY", &url);
                Far { job, proxy: "localhost:443".to_owned(), _balancer: None, _http_proxy: Some(http_proxy) }
            }
        }
    }
}
