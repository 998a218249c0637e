//! `--join-method`.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::value::Auto;
use crate::rules::{INSTEAD, stateful, why_not};
use crate::teleport::JoinMethod;

/// A join method of Teleport's, or `auto`. Those that this program cannot prove are refused by name, with the reason.
pub fn methods() -> impl TypedValueParser<Value = Auto<JoinMethod>> {
    let all = JoinMethod::ALL.iter().map(|m| PossibleValue::new(m.name()));
    let others = stateful().map(|name| PossibleValue::new(name).hide(true));
    let all = std::iter::once(PossibleValue::new("auto")).chain(all).chain(others);
    PossibleValuesParser::new(all).try_map(|name| match name.parse::<JoinMethod>() {
        method => match why_not(&name) {
            Some(why) => Err(format!("{why}\n{INSTEAD}")),
            None => Ok(Auto(method.ok())),
        },
    })
}
