//! What a command has beside it: variables of its own, and what serves it for as long as it runs.

use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, join_all};

/// Variables and servers for one command.
#[derive(Default)]
pub struct Beside<'a> {
    variables: Vec<(String, String)>,
    serving: Vec<LocalBoxFuture<'a, ()>>,
}

impl<'a> Beside<'a> {
    /// A variable of the command; one that the credentials bring under the same name gives way.
    pub fn variable(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.push((name.into(), value.into()));
    }

    /// Work that goes on while the command runs, in this process and on its one thread; it is dropped with the command's end. What goes
    /// wrong in it, it says itself.
    pub fn serve(&mut self, work: impl Future<Output = ()> + 'a) {
        self.serving.push(work.boxed_local());
    }

    /// The variables, and all the work in one.
    pub fn split(self) -> (Vec<(String, String)>, impl Future<Output = ()> + 'a) {
        let serving = join_all(self.serving);
        (self.variables, async { drop(serving.await) })
    }
}
