//! The picture in `docs/`: drawn here, so that it can be changed. `SNAPSHOTS=overwrite cargo test --test main picture` draws it anew.

use std::fmt::Write as _;

use snapbox::{Data, assert_data_eq};

/// Colours that are read on a light ground as on a dark one: boxes bring their own, lines and labels are of a middle grey.
const STYLE: &str = "\
text{font:14px system-ui,-apple-system,'Segoe UI',Helvetica,Arial,sans-serif}\
.box{stroke:#6b7c93;stroke-width:1.5}.title{font-weight:600}.ink{fill:#14202e}.small{font-size:12.5px}\
.label{fill:#7d8590;font-size:13px}.number{font-weight:700;fill:#3b82d6}\
.arrow{stroke:#7d8590;stroke-width:1.8;fill:none;marker-end:url(#tip)}";

/// Words that stand for each other in XML.
fn text(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;")
}

struct Picture {
    body: String,
}

impl Picture {
    fn area(&mut self, [x, y, width, height]: [i32; 4], fill: &str, title: &str, lines: &[&str]) {
        let _ = writeln!(
            self.body,
            r#"<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="8" fill="{fill}"/>"#
        );
        let (x, mut y) = (x + 14, y + 25);
        let _ = writeln!(self.body, r#"<text class="ink title" x="{x}" y="{y}">{}</text>"#, text(title));
        for line in lines {
            y += 19;
            let _ = writeln!(self.body, r#"<text class="ink small" x="{x}" y="{y}">{}</text>"#, text(line));
        }
    }

    /// A line with a tip at its end.
    fn arrow(&mut self, path: &str) {
        let _ = writeln!(self.body, r#"<path class="arrow" d="{path}"/>"#);
    }

    /// What happens there, and as which step.
    fn label(&mut self, x: i32, y: i32, number: &str, lines: &[&str]) {
        for (index, line) in lines.iter().enumerate() {
            let y = y + 18 * i32::try_from(index).unwrap();
            let number = if index == 0 && !number.is_empty() {
                format!(r#"<tspan class="number">{number}</tspan> "#)
            } else {
                String::new()
            };
            let _ =
                writeln!(self.body, r#"<text class="label" x="{x}" y="{y}">{number}{}</text>"#, text(line));
        }
    }

    fn svg(&self, width: i32, height: i32, title: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <defs><marker id=\"tip\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto-start-reverse\"><path d=\"M0 0L10 5L0 10z\" fill=\"#7d8590\"/></marker></defs>\n{}</svg>\n",
            self.body
        )
    }
}

fn drawn() -> String {
    let mut picture = Picture { body: String::new() };
    let (platform, cluster, own, things) = ("#e6edf6", "#e3f1e7", "#fdf0d5", "#f1e8f5");
    picture.area(
        [20, 16, 230, 88],
        platform,
        "CI platform",
        &["GitHub, GitLab, CircleCI, …", "or the cloud's machine, the pod"],
    );
    picture.area(
        [640, 16, 340, 88],
        cluster,
        "Teleport cluster",
        &["its join token says which jobs may come in,", "its bot what they may do"],
    );
    picture.area(
        [20, 236, 340, 88],
        own,
        "jobpass login",
        &["one binary, no state, no configuration file;", "the bot's own identity stays in memory"],
    );
    picture.area(
        [440, 236, 240, 88],
        own,
        "private folder",
        &["keys, certificates, configuration:", "whole or not at all, mode 0700"],
    );
    picture.area(
        [760, 236, 220, 88],
        things,
        "later steps of the job",
        &["ssh, kubectl, psql, curl,", "ansible, terraform, tsh, …"],
    );
    picture.arrow("M80 236V108");
    picture.label(30, 168, "1", &["who"]);
    picture.label(30, 186, "", &["am I?"]);
    picture.arrow("M150 104V232");
    picture.label(158, 160, "2", &["identity token:", "repository,", "branch, …"]);
    picture.arrow("M290 236V48H636");
    picture.label(304, 40, "3", &["here is the identity token, and a new public key"]);
    picture.arrow("M640 86H330V232");
    picture.label(344, 106, "4", &["certificates, for an hour"]);
    picture.arrow("M360 280H436");
    picture.label(366, 270, "5", &["checked"]);
    picture.arrow("M680 280H756");
    picture.label(692, 270, "6", &["paths"]);
    picture.arrow("M880 236V108");
    picture.label(690, 160, "7", &["through the proxy to", "nodes, clusters, databases"]);
    picture.svg(1000, 340, "How a CI job gets Teleport credentials")
}

#[test]
fn the_picture_in_the_documents_is_the_one_drawn_here() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/how-it-works.svg");
    assert_data_eq!(drawn(), Data::read_from(file.as_ref(), None).raw());
}
