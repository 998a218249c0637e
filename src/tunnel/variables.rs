//! What programs find a tunnel by: the variables that each of them reads, and a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::place::{HOST, Place};
use crate::identity::route::{DatabaseRoute, Route};

/// What is left as it is in a part of a URL (RFC 3986, 2.3).
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The names of one tunnel's variables, and their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variables {
    /// Its URL.
    pub url: String,
    /// What programs read, of which only the first tunnel of a kind can have the plain names.
    pub plain: Vec<(&'static str, String)>,
}

/// The variables of a tunnel for that route.
pub fn variables(route: &Route, place: &Place) -> Variables {
    match route {
        Route::Database(database) => of_database(database, place),
        Route::App(app) if app.is_tcp() => url(by_scheme("tcp", "", place)),
        Route::App(_) | Route::Kube { .. } | Route::Cluster => url(web(place)),
    }
}

/// The path of the socket that libpq looks for in a folder (`PGHOST`), for that port (34.1.2).
pub fn postgres_socket(port: u16) -> String {
    format!(".s.PGSQL.{port}")
}

/// The variables of all tunnels by their names, in order: their own, then what programs read. What an earlier one has by its plain name a
/// later one has with its own name behind.
pub fn all<'a>(tunnels: impl IntoIterator<Item = (&'a str, &'a Place, Variables)>) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for (name, place, variables) in tunnels {
        let suffix = suffix(name);
        let own = |what: &str| format!("JOBPASS_TUNNEL_{suffix}_{what}");
        all.push((url_variable(name), variables.url));
        match place {
            Place::Port(port) => {
                all.push((own("HOST"), HOST.to_string()));
                all.push((own("PORT"), port.to_string()));
            }
            Place::Socket(path) => all.push((own("SOCKET"), path.display().to_string())),
        }
        let taken = variables.plain.iter().any(|(plain, _)| all.iter().any(|(known, _)| known == plain));
        for (plain, value) in variables.plain {
            let name = if taken { format!("{plain}_{suffix}") } else { plain.to_owned() };
            all.push((name, value));
        }
    }
    all
}

/// The name of a tunnel to a resource, where none is given.
pub fn name(resource: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' };
    resource.chars().take(60).map(fits).collect()
}

/// The variable that has the URL of the tunnel of that name.
pub fn url_variable(name: &str) -> String {
    format!("JOBPASS_TUNNEL_{}_URL", suffix(name))
}

/// A tunnel's name as a part of a variable's.
pub fn suffix(name: &str) -> String {
    let fits = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    name.chars().map(fits).collect()
}

fn url(url: String) -> Variables {
    Variables { url, plain: Vec::new() }
}

fn web(place: &Place) -> String {
    by_scheme("http", "", place)
}

/// A socket's path takes the place of the host, as `requests-unixsocket` and others have it.
fn by_scheme(scheme: &str, rest: &str, place: &Place) -> String {
    match place {
        Place::Port(port) => format!("{scheme}://{HOST}:{port}{rest}"),
        Place::Socket(path) => format!("{scheme}+unix://{}{rest}", part(&path.display().to_string())),
    }
}

fn part(text: &str) -> String {
    utf8_percent_encode(text, PART).to_string()
}

/// `USER@`, where the certificate has a user.
fn user_of(route: &DatabaseRoute) -> String {
    if route.user.is_empty() { String::new() } else { format!("{}@", part(&route.user)) }
}

fn of_database(route: &DatabaseRoute, place: &Place) -> Variables {
    let (user, name) = (user_of(route), part(&route.name));
    let at = match place {
        Place::Port(port) => format!("{user}{HOST}:{port}"),
        Place::Socket(path) => format!("{user}{}", part(&path.display().to_string())),
    };
    match route.protocol.as_str() {
        "postgres" | "cockroachdb" => postgres(route, place),
        "mysql" => {
            let mut plain = Vec::new();
            match place {
                // `localhost` would mean the socket to these clients.
                Place::Port(port) => {
                    plain.push(("MYSQL_HOST", HOST.to_string()));
                    plain.push(("MYSQL_TCP_PORT", port.to_string()));
                }
                Place::Socket(path) => {
                    plain.push(("MYSQL_HOST", "localhost".to_owned()));
                    plain.push(("MYSQL_UNIX_PORT", path.display().to_string()));
                }
            }
            Variables { url: format!("mysql://{at}/{name}"), plain }
        }
        // The members of a replica set have names that mean nothing here.
        "mongodb" => url(format!("mongodb://{at}/{name}?directConnection=true")),
        "redis" => match place {
            Place::Port(_) => url(by_scheme("redis", "", place)),
            Place::Socket(path) => url(format!("unix://{}", path.display())),
        },
        "sqlserver" => {
            let mut plain = Vec::new();
            if let Place::Port(port) = place {
                plain.push(("SQLCMDSERVER", format!("tcp:{HOST},{port}")));
                plain.extend(given("SQLCMDUSER", &route.user));
                plain.extend(given("SQLCMDDBNAME", &route.name));
            }
            Variables { url: format!("sqlserver://{at}?database={name}&encrypt=disable"), plain }
        }
        "cassandra" => {
            let mut plain = Vec::new();
            if let Place::Port(port) = place {
                plain.push(("CQLSH_HOST", HOST.to_string()));
                plain.push(("CQLSH_PORT", port.to_string()));
            }
            Variables { url: by_scheme("cassandra", "", place), plain }
        }
        "clickhouse" => url(format!("clickhouse://{at}/{name}")),
        "clickhouse-http" => {
            let query = format!("/?user={}&database={name}", part(&route.user));
            url(by_scheme("http", &query, place))
        }
        "elasticsearch" | "opensearch" => url(web(place)),
        _ => url(by_scheme("tcp", "", place)),
    }
}

fn given(name: &'static str, value: &str) -> Option<(&'static str, String)> {
    (!value.is_empty()).then(|| (name, value.to_owned()))
}

/// libpq, 34.15.
fn postgres(route: &DatabaseRoute, place: &Place) -> Variables {
    let (user, name) = (user_of(route), part(&route.name));
    let (host, port) = match place {
        Place::Port(port) => (HOST.to_string(), port.to_string()),
        Place::Socket(path) => {
            let port = path.extension().map(|port| port.to_string_lossy().into_owned());
            (path.parent().unwrap_or(path).display().to_string(), port.unwrap_or_default())
        }
    };
    let url = match place {
        Place::Port(_) => format!("postgresql://{user}{host}:{port}/{name}?sslmode=disable"),
        Place::Socket(_) => {
            format!("postgresql://{user}{}:{port}/{name}?sslmode=disable", part(&host))
        }
    };
    let mut plain = vec![("PGHOST", host), ("PGPORT", port)];
    plain.extend(given("PGUSER", &route.user));
    plain.extend(given("PGDATABASE", &route.name));
    plain.push(("PGSSLMODE", "disable".to_owned()));
    Variables { url, plain }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::route::AppRoute;
    use crate::teleport::database_protocol::{self, Plain};

    fn database(protocol: &str) -> Route {
        let text = |text: &str| text.to_owned();
        let (service, user, name) = (text("pg"), text("c@i"), text("a/b"));
        Route::Database(DatabaseRoute { service, protocol: text(protocol), user, name })
    }

    #[test]
    fn each_protocol_has_its_url() {
        let (port, socket) = (Place::Port(4000), Place::Socket("/run/x/.s.PGSQL.5432".into()));
        for (protocol, by_port, by_socket) in [
            (
                "postgres",
                "postgresql://c%40i@127.0.0.1:4000/a%2Fb?sslmode=disable",
                "postgresql://c%40i@%2Frun%2Fx:5432/a%2Fb?sslmode=disable",
            ),
            (
                "cockroachdb",
                "postgresql://c%40i@127.0.0.1:4000/a%2Fb?sslmode=disable",
                "postgresql://c%40i@%2Frun%2Fx:5432/a%2Fb?sslmode=disable",
            ),
            ("mysql", "mysql://c%40i@127.0.0.1:4000/a%2Fb", "mysql://c%40i@%2Frun%2Fx%2F.s.PGSQL.5432/a%2Fb"),
            (
                "mongodb",
                "mongodb://c%40i@127.0.0.1:4000/a%2Fb?directConnection=true",
                "mongodb://c%40i@%2Frun%2Fx%2F.s.PGSQL.5432/a%2Fb?directConnection=true",
            ),
            ("redis", "redis://127.0.0.1:4000", "unix:///run/x/.s.PGSQL.5432"),
            (
                "sqlserver",
                "sqlserver://c%40i@127.0.0.1:4000?database=a%2Fb&encrypt=disable",
                "sqlserver://c%40i@%2Frun%2Fx%2F.s.PGSQL.5432?database=a%2Fb&encrypt=disable",
            ),
            ("cassandra", "cassandra://127.0.0.1:4000", "cassandra+unix://%2Frun%2Fx%2F.s.PGSQL.5432"),
            ("elasticsearch", "http://127.0.0.1:4000", "http+unix://%2Frun%2Fx%2F.s.PGSQL.5432"),
            ("opensearch", "http://127.0.0.1:4000", "http+unix://%2Frun%2Fx%2F.s.PGSQL.5432"),
            (
                "clickhouse",
                "clickhouse://c%40i@127.0.0.1:4000/a%2Fb",
                "clickhouse://c%40i@%2Frun%2Fx%2F.s.PGSQL.5432/a%2Fb",
            ),
            (
                "clickhouse-http",
                "http://127.0.0.1:4000/?user=c%40i&database=a%2Fb",
                "http+unix://%2Frun%2Fx%2F.s.PGSQL.5432/?user=c%40i&database=a%2Fb",
            ),
        ] {
            assert_eq!(variables(&database(protocol), &port).url, by_port);
            assert_eq!(variables(&database(protocol), &socket).url, by_socket);
        }
        for served in database_protocol::all().filter(|protocol| protocol.plain == Plain::Served) {
            let url = variables(&database(served.name), &port).url;
            assert!(!url.starts_with("tcp://"), "{} has no URL of its own", served.name);
        }
        let app = |uri: &str| Route::App(AppRoute { uri: uri.to_owned(), ..AppRoute::default() });
        assert_eq!(variables(&app("tcp://x:1"), &port).url, "tcp://127.0.0.1:4000");
        assert_eq!(variables(&app("http://x"), &port).url, "http://127.0.0.1:4000");
        assert_eq!(variables(&Route::Kube { kube: "prod".into() }, &port).url, "http://127.0.0.1:4000");
    }

    #[test]
    fn only_the_first_of_a_kind_has_the_plain_names() {
        let (first, second) = (Place::Port(1), Place::Socket("/s/.s.PGSQL.5432".into()));
        let (redis, mysql) = (Place::Port(3), Place::Port(4));
        let of = |protocol: &str, place: &Place| variables(&database(protocol), place);
        let all = all([
            ("pg", &first, of("postgres", &first)),
            ("pg-two", &second, of("postgres", &second)),
            ("cache", &redis, of("redis", &redis)),
            ("sql", &mysql, of("mysql", &mysql)),
        ]);
        let all: Vec<_> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            all,
            [
                "JOBPASS_TUNNEL_PG_URL=postgresql://c%40i@127.0.0.1:1/a%2Fb?sslmode=disable",
                "JOBPASS_TUNNEL_PG_HOST=127.0.0.1",
                "JOBPASS_TUNNEL_PG_PORT=1",
                "PGHOST=127.0.0.1",
                "PGPORT=1",
                "PGUSER=c@i",
                "PGDATABASE=a/b",
                "PGSSLMODE=disable",
                "JOBPASS_TUNNEL_PG_TWO_URL=postgresql://c%40i@%2Fs:5432/a%2Fb?sslmode=disable",
                "JOBPASS_TUNNEL_PG_TWO_SOCKET=/s/.s.PGSQL.5432",
                "PGHOST_PG_TWO=/s",
                "PGPORT_PG_TWO=5432",
                "PGUSER_PG_TWO=c@i",
                "PGDATABASE_PG_TWO=a/b",
                "PGSSLMODE_PG_TWO=disable",
                "JOBPASS_TUNNEL_CACHE_URL=redis://127.0.0.1:3",
                "JOBPASS_TUNNEL_CACHE_HOST=127.0.0.1",
                "JOBPASS_TUNNEL_CACHE_PORT=3",
                "JOBPASS_TUNNEL_SQL_URL=mysql://c%40i@127.0.0.1:4/a%2Fb",
                "JOBPASS_TUNNEL_SQL_HOST=127.0.0.1",
                "JOBPASS_TUNNEL_SQL_PORT=4",
                "MYSQL_HOST=127.0.0.1",
                "MYSQL_TCP_PORT=4",
            ]
        );
    }
}
