use std::cell::{Cell, RefCell};
use std::sync::{Arc, Mutex};

use super::*;
use crate::error::Exit;
use crate::teleport::error::ConnectionError;

const ID: &str = "61396805-c807-4931-b79f-a49127735456";
const NOW: &str = "2026-11-21T12:00:00Z";
const LONG: Duration = Duration::from_secs(3_600);

/// No pauses: a test waits for nothing.
const AT_ONCE: Pace = Pace { first: Duration::ZERO, longest: Duration::ZERO, sign_of_life: LONG };

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn in_state(state: State) -> AccessRequest {
    AccessRequest {
        id: ID.parse().unwrap(),
        user: "bot-ci".to_owned(),
        roles: ["ci-prod", "ci-db"].map(str::to_owned).to_vec(),
        state,
        reason: "deploy".to_owned(),
        resolve_reason: String::new(),
        created: Some(now()),
        expires: "2026-11-21T13:00:00Z".parse().ok(),
        begins: None,
    }
}

fn lost() -> ClusterError {
    ConnectionError::Interrupted { call: "GetAccessRequestsV2", reason: "gone".to_owned() }.into()
}

type Answer = Result<Option<AccessRequest>, ClusterError>;

struct Followed {
    result: Result<AccessRequest, ApprovalError>,
    asked: usize,
    lines: Vec<String>,
}

/// What comes of a request whose questions get these answers, the last one again and again.
async fn followed(begin: AccessRequest, limit: Duration, pace: Pace, answers: Vec<Answer>) -> Followed {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let log = Log::new(move |_, line| sink.lock().unwrap().push(line.to_owned()));
    let (asked, answers) = (Cell::new(0), RefCell::new(answers));
    let ask = || {
        asked.set(asked.get() + 1);
        let mut answers = answers.borrow_mut();
        let answer = if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() };
        async move {
            tokio::task::yield_now().await;
            answer
        }
    };
    let result = follow(begin, limit, pace, &log, ask, now).await;
    let lines = lines.lock().unwrap().clone();
    Followed { result, asked: asked.get(), lines }
}

fn exit_and_text(result: Result<AccessRequest, ApprovalError>) -> (Exit, String) {
    let error = result.unwrap_err();
    (error.exit(), error.in_one_line())
}

#[tokio::test]
async fn it_is_asked_until_somebody_answers() {
    let pending = || Ok(Some(in_state(State::Pending)));
    let approved = AccessRequest { resolve_reason: "go".to_owned(), ..in_state(State::Approved) };
    let answers = vec![pending(), pending(), Ok(Some(approved.clone()))];
    let followed_by = followed(in_state(State::Pending), LONG, AT_ONCE, answers).await;
    assert_eq!((followed_by.result.unwrap(), followed_by.asked), (approved.clone(), 3));
    assert_eq!(followed_by.lines, [""; 0]);
    // One that is answered already is asked for no more.
    let known = followed(approved.clone(), Duration::ZERO, AT_ONCE, vec![pending()]).await;
    assert_eq!((known.result.unwrap(), known.asked), (approved, 0));
}

#[tokio::test]
async fn each_end_has_its_error() {
    let late = || AccessRequest { begins: "2026-11-21T12:30:00Z".parse().ok(), ..in_state(State::Approved) };
    let ended = || AccessRequest { expires: NOW.parse().ok(), ..in_state(State::Approved) };
    let denied = || AccessRequest { resolve_reason: "not on a Friday".into(), ..in_state(State::Denied) };
    let wider =
        || AccessRequest { roles: vec!["ci-prod".into(), "admin".into()], ..in_state(State::Approved) };
    for (begin, answer, exit, text) in [
        (
            in_state(State::Pending),
            Ok(Some(denied())),
            Exit::Refused,
            format!("access request {ID} was denied: the reviewer says: not on a Friday"),
        ),
        (in_state(State::Denied), Ok(None), Exit::Refused, format!("access request {ID} was denied")),
        (
            in_state(State::Pending),
            Ok(Some(in_state(State::Promoted))),
            Exit::Refused,
            format!(
                "access request {ID} was made the membership of an access list, from which no certificate comes"
            ),
        ),
        (in_state(State::Pending), Ok(None), Exit::Network, format!("access request {ID} expired")),
        (in_state(State::Pending), Ok(Some(ended())), Exit::Network, format!("access request {ID} expired")),
        (ended(), Ok(None), Exit::Network, format!("access request {ID} expired")),
        (
            in_state(State::Pending),
            Ok(Some(wider())),
            Exit::Refused,
            format!("access request {ID} gives the role `admin`, which was not asked for"),
        ),
        (
            in_state(State::Pending),
            Ok(Some(AccessRequest { user: "bot-other".into(), ..in_state(State::Approved) })),
            Exit::Network,
            format!("access request {ID} expired"),
        ),
        (
            in_state(State::Pending),
            Err(ClusterError::Refused {
                call: "GetAccessRequestsV2",
                code: tonic::Code::PermissionDenied,
                message: "locked".into(),
            }),
            Exit::Refused,
            "Teleport refused the access request: locked".to_owned(),
        ),
    ] {
        let got = followed(begin, LONG, AT_ONCE, vec![answer]).await;
        assert_eq!(exit_and_text(got.result), (exit, text));
    }
    for (answer, text) in [
        (
            in_state(State::Pending),
            format!(
                "nobody answered access request {ID} within 0s: it is still open, until 2026-11-21T13:00:00Z"
            ),
        ),
        (late(), format!("access request {ID} is approved, but for later: from 2026-11-21T12:30:00Z on")),
    ] {
        let got = followed(answer.clone(), Duration::ZERO, AT_ONCE, vec![Ok(Some(answer))]).await;
        assert_eq!((got.asked, exit_and_text(got.result)), (0, (Exit::Network, text)));
    }
}

#[tokio::test]
async fn whoever_approves_may_take_roles_away() {
    let narrow = AccessRequest { roles: vec!["ci-db".into()], ..in_state(State::Approved) };
    let got = followed(in_state(State::Pending), LONG, AT_ONCE, vec![Ok(Some(narrow.clone()))]).await;
    assert_eq!(got.result.unwrap(), narrow);
}

#[tokio::test]
async fn a_cluster_that_is_lost_is_asked_again() {
    let approved = in_state(State::Approved);
    let answers = vec![Err(lost()), Err(lost()), Ok(None), Ok(None), Err(lost()), Ok(Some(approved.clone()))];
    let got = followed(in_state(State::Pending), LONG, AT_ONCE, answers).await;
    assert_eq!((got.result.unwrap(), got.asked), (approved.clone(), 6));
    // A line for each time that it is lost, not for each question.
    assert_eq!(got.lines.len(), 2, "{:?}", got.lines);
    assert!(got.lines[0].contains("GetAccessRequestsV2 was interrupted: gone"), "{:?}", got.lines);
    // Unknown three times in a row: it is gone.
    let unknown = followed(in_state(State::Pending), LONG, AT_ONCE, vec![Ok(None)]).await;
    assert_eq!((unknown.asked, unknown.result.is_err()), (3, true));
    // What stays lost ends with the wait.
    let short = Duration::from_millis(20);
    let stays = followed(in_state(State::Pending), short, AT_ONCE, vec![Err(lost())]).await;
    assert!(matches!(stays.result, Err(ApprovalError::Unanswered { .. })), "{:?}", stays.result);
}

#[tokio::test]
async fn the_last_question_comes_when_the_time_is_over() {
    let slow = Pace { first: LONG, longest: LONG, sign_of_life: LONG };
    let answers = vec![Ok(Some(in_state(State::Approved)))];
    let got = followed(in_state(State::Pending), Duration::from_millis(5), slow, answers).await;
    assert!(got.result.is_ok() && got.asked == 1, "{:?}", got.result);
}

#[tokio::test]
async fn a_long_wait_shows_signs_of_life() {
    let talkative = Pace { sign_of_life: Duration::ZERO, ..AT_ONCE };
    let answers = vec![Ok(Some(in_state(State::Pending))), Ok(Some(in_state(State::Approved)))];
    let got = followed(in_state(State::Pending), LONG, talkative, answers).await;
    let wanted = format!("still waiting for access request {ID}, for 1h at most");
    assert_eq!(got.lines, [wanted.clone(), wanted]);
}

#[test]
fn pauses_grow_to_a_bound() {
    let mut pause = PACE.first;
    let mut asked = 0;
    let mut time = Duration::ZERO;
    while time < Duration::from_secs(15 * 60) {
        (time, asked) = (time + pause, asked + 1);
        pause = pause.mul_f64(1.5).min(PACE.longest);
    }
    assert!((90..110).contains(&asked), "{asked} questions in a quarter of an hour");
}

#[test]
fn only_the_very_request_stands_for_one_whose_answer_was_lost() {
    let same = |request: &AccessRequest| {
        let roles = ["ci-prod", "ci-db"].map(str::to_owned);
        is_the_same(request, "bot-ci", &roles, "deploy", now())
    };
    let filed = in_state(State::Pending);
    // Clocks differ a little.
    for created in ["2026-11-21T11:58:00Z", NOW, "2026-11-21T12:00:30Z"] {
        assert!(same(&AccessRequest { created: created.parse().ok(), ..filed.clone() }), "{created}");
    }
    for other in [
        AccessRequest { user: "bot-other".to_owned(), ..filed.clone() },
        AccessRequest { roles: vec!["ci-prod".to_owned()], ..filed.clone() },
        AccessRequest { reason: "something else".to_owned(), ..filed.clone() },
        AccessRequest { created: "2026-11-21T11:57:59Z".parse().ok(), ..filed.clone() },
        AccessRequest { created: None, ..filed.clone() },
    ] {
        assert!(!same(&other), "{other:?}");
    }
}

#[test]
fn a_cluster_without_the_call_is_not_one_that_refuses() {
    let error = |code| ClusterError::Refused { call: "GetAccessRequestsV2", code, message: "no".to_owned() };
    let roles = ["ci-prod".to_owned()];
    for code in [tonic::Code::PermissionDenied, tonic::Code::InvalidArgument, tonic::Code::NotFound] {
        let refused = refused(error(code), "bot-ci", &roles);
        assert!(matches!(refused, ApprovalError::Refused { .. }), "{refused:?}");
    }
    let unknown = refused(error(tonic::Code::Unimplemented), "bot-ci", &roles);
    assert!(!matches!(unknown, ApprovalError::Refused { .. }), "{unknown:?}");
}

#[test]
fn an_approval_counts_from_its_very_beginning_until_its_end() {
    let at = |begins: &str, expires: &str| AccessRequest {
        begins: begins.parse().ok(),
        expires: expires.parse().ok(),
        ..in_state(State::Approved)
    };
    let counts = |request: AccessRequest| answer(&request, now()).map(|answer| answer.is_some()).ok();
    assert_eq!(counts(at(NOW, "2026-11-21T12:00:01Z")), Some(true));
    assert_eq!(counts(at("2026-11-21T12:00:01Z", "2026-11-21T13:00:00Z")), Some(false));
    assert_eq!(counts(at("", NOW)), None);
}
