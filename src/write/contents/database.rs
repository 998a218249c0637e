//! What a `database` output leaves: a client certificate, and how to reach the database with it.

use super::command_line::libpq;
use super::tunnel::{line, line_with_url};
use super::{Contents, Context, client_certificate};
use crate::identity::route::{DatabaseRoute, Route};
use crate::issue::Issued;
use crate::output::Database;
use crate::teleport::database_protocol::{self, Plain};

/// Files, variables, step outputs and a command.
pub(super) fn contents(issued: &Issued, database: &Database, context: &Context<'_>) -> Contents {
    let mut contents = client_certificate::contents(issued, database.format, context);
    if let Route::Database(route) = &issued.first.route {
        contents.usage.extend(client(issued, route, context));
    }
    contents
}

/// A tunnel, and a client that finds it by its variables, where there is a usual one.
fn client(issued: &Issued, route: &DatabaseRoute, context: &Context<'_>) -> Option<String> {
    database_protocol::find(&route.protocol).filter(|protocol| protocol.plain == Plain::Served)?;
    let by_url = |client: &str| line_with_url(issued, client, &route.service, context);
    match route.protocol.as_str() {
        "postgres" | "cockroachdb" => {
            let missing = open_to_the_client(route);
            let mut words = vec!["psql"];
            words.extend(Some(missing.as_str()).filter(|missing| !missing.is_empty()));
            line(issued, &words, context)
        }
        "mysql" => {
            let user = if route.user.is_empty() { USER } else { &route.user };
            let mut words = vec!["mysql", "--user", user];
            if !route.name.is_empty() {
                words.extend(["--database", &route.name]);
            }
            line(issued, &words, context)
        }
        "mongodb" => by_url("mongosh"),
        "redis" => by_url("redis-cli -u"),
        _ => line(issued, &[], context),
    }
}

/// Stand-ins where the certificate leaves account and database to the client.
const USER: &str = "USER";
const DATABASE: &str = "DATABASE";

/// As PostgreSQL's clients take them.
fn open_to_the_client(route: &DatabaseRoute) -> String {
    let missing = [("user", &route.user, USER), ("dbname", &route.name, DATABASE)];
    let missing = missing.into_iter().filter(|(_, value, _)| value.is_empty());
    missing.map(|(name, _, stand_in)| libpq(name, stand_in)).collect::<Vec<_>>().join(" ")
}
