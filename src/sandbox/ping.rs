//! `/webapi/ping` and `/webapi/find`, in the shape recorded from a real proxy.

use serde_json::{Value, json};

use super::cluster::Cluster;

/// The body; `with_auth` for ping, which tells how users log in, where find leaves those fields empty.
pub(super) fn body(cluster: &Cluster, with_auth: bool) -> Value {
    let listen = cluster.address.to_string();
    let inject = &cluster.options.inject;
    let mut auth = if with_auth {
        json!({
            "type": "local",
            "second_factor": "off",
            "local": {"name": ""},
            "private_key_policy": "none",
            "piv_slot": "",
            "device_trust_disabled": true,
            "device_trust": {"disabled": true},
            "has_motd": false,
            "default_session_ttl": "12h0m0s",
        })
    } else {
        json!({
            "type": "",
            "private_key_policy": "",
            "piv_slot": "",
            "device_trust": {},
            "has_motd": false,
            "default_session_ttl": "0s",
        })
    };
    if cluster.is_modern() {
        let suite = &cluster.options.suite;
        auth["signature_algorithm_suite"] = suite.parse::<i32>().map_or_else(|_| json!(suite), |n| json!(n));
    }
    let mut body = json!({
        "auth": auth,
        "proxy": {
            "kube": {"enabled": true, "listen_addr": listen},
            "ssh": {
                "listen_addr": listen,
                "tunnel_listen_addr": listen,
                "web_listen_addr": listen,
                "public_addr": cluster.public_addr(),
            },
            "db": {"postgres_listen_addr": listen, "mysql_listen_addr": listen},
            "tls_routing_enabled": !inject.no_tls_routing,
            "assist_enabled": false,
        },
        "server_version": cluster.options.version,
        "min_client_version": format!("{}.0.0", cluster.version.major.saturating_sub(1)),
        "cluster_name": cluster.options.cluster,
        "automatic_upgrades": false,
    });
    if inject.newer {
        body["not_known_yet"] = json!({"a": [1, null]});
        body["proxy"]["not_known_yet"] = json!(true);
    }
    if let Value::Object(body) = &mut body
        && inject.ping_without_cluster_name
    {
        body.remove("cluster_name");
    }
    body
}
