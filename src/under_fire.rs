//! Parsers of foreign bytes under fire: what nobody would send, and recorded answers that were bent. None may panic, hang, or take more
//! memory than the input can explain.
//!
//! Each parser has a test whose name has `under_fire` in it: those that can be reached from here are in the files below, the
//! others beside their parser. `cargo test --lib under_fire` runs them all, 10,000 cases each; `JOBPASS_FUZZ_CASES` is another number:
//!
//! ```sh
//! JOBPASS_FUZZ_CASES=1000000 cargo test --lib under_fire -- --nocapture --test-threads 1
//! ```

mod cluster;
mod credentials;
pub(crate) mod peer;
mod texts;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};

use crate::env::Env;

/// How many cases a parser gets in a run of all tests.
const CASES: u32 = 10_000;
/// A parser that is busy with one case for longer hangs: they take microseconds, or a second where they are as large as can be.
const HANGS: Duration = Duration::from_secs(60);
/// What a bent answer has at most, in bytes.
const LONGEST: usize = 16 * 1024;
/// The largest input that is made of an answer's parts, in a run of all tests and in a long one, in bytes.
const LARGE: (usize, usize) = (64 * 1024, 1024 * 1024);

/// One parser's turn.
pub(crate) struct Fire {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    /// One in so many cases is run, unless the number is asked for.
    share: u32,
    /// Bytes of memory that a byte of input may take.
    per_byte: usize,
    /// Bytes of memory that it may take whatever the input.
    fixed: usize,
}

/// Begins with answers that the parser takes, the shorter the better.
pub(crate) fn parser(name: &'static str, seeds: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Fire {
    let seeds: Vec<Vec<u8>> = seeds.into_iter().map(|seed| seed.as_ref().to_vec()).collect();
    assert!(!seeds.is_empty(), "{name} has nothing to begin with");
    Fire { name, seeds, share: 1, per_byte: 64, fixed: 256 * 1024 }
}

impl Fire {
    /// It takes its time: a run of all tests has one in `share` cases.
    pub(crate) fn slow(self, share: u32) -> Self {
        Self { share, ..self }
    }

    /// It may take more memory: so many bytes for each byte, and so many besides.
    pub(crate) fn memory(self, per_byte: usize, fixed: usize) -> Self {
        Self { per_byte, fixed, ..self }
    }

    /// The same, for a parser of text: what is not UTF-8 comes as a lossy copy.
    pub(crate) fn text(self, mut parse: impl FnMut(&str) + Send + 'static) {
        self.bytes(move |bytes| parse(&String::from_utf8_lossy(bytes)));
    }

    /// Runs all cases on a thread of its own, and watches it.
    pub(crate) fn bytes(self, parse: impl FnMut(&[u8]) + Send + 'static) {
        let name = self.name;
        let progress = Arc::new(Progress::default());
        let (sender, ended) = mpsc::channel();
        let its = Arc::clone(&progress);
        let worker = std::thread::spawn(move || {
            let outcome = self.run(parse, &its);
            let _ = sender.send(outcome);
        });
        let mut seen = 0;
        let outcome = loop {
            match ended.recv_timeout(HANGS) {
                Ok(outcome) => break outcome,
                Err(RecvTimeoutError::Timeout) => {
                    let now = progress.cases.load(Ordering::Relaxed);
                    assert!(now != seen, "{name} hangs: {}", progress.current());
                    seen = now;
                }
                Err(RecvTimeoutError::Disconnected) => match worker.join() {
                    Ok(()) => unreachable!("{name} has no outcome"),
                    Err(panic) => resume_unwind(panic),
                },
            }
        };
        match outcome {
            Ok(cases) => println!(
                "under fire: {name}: {cases} cases and {} whole or large ones, {} bytes of memory at most",
                progress.cases.load(Ordering::Relaxed) - u64::from(cases),
                progress.memory.load(Ordering::Relaxed)
            ),
            Err(problem) => panic!("{name}: {problem}"),
        }
    }

    fn run(&self, mut parse: impl FnMut(&[u8]), progress: &Progress) -> Result<u32, String> {
        let asked = asked();
        for whole in self.seeds.iter().chain(&self.large(asked.is_some())) {
            self.case(&mut parse, whole, progress)?;
        }
        let cases = asked.unwrap_or(CASES / self.share);
        let config =
            Config { cases, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
        let parse = std::cell::RefCell::new(parse);
        TestRunner::new(config)
            .run(&input(self.seeds.clone()), |bytes| {
                self.case(&mut *parse.borrow_mut(), &bytes, progress).map_err(TestCaseError::fail)
            })
            .map_err(|error| error.to_string())?;
        Ok(cases)
    }

    /// One case: no panic, and no more memory than the input can explain, neither at a time nor in sum.
    fn case(&self, parse: &mut impl FnMut(&[u8]), bytes: &[u8], progress: &Progress) -> Result<(), String> {
        progress.begin(bytes);
        let mut panic = None;
        let taken = allocation_counter::measure(|| {
            panic = catch_unwind(AssertUnwindSafe(|| parse(bytes))).err();
        });
        progress.end(taken.bytes_max);
        if panic.is_some() {
            return Err(format!("it panics at {}", shown(bytes)));
        }
        let most = (self.fixed + self.per_byte * bytes.len()) as u64;
        if taken.bytes_max > most || taken.bytes_total > 16 * most {
            return Err(format!(
                "it takes {} bytes of memory at once and {} in sum for the {} bytes {}",
                taken.bytes_max,
                taken.bytes_total,
                bytes.len(),
                shown(bytes)
            ));
        }
        Ok(())
    }

    /// Parts of the answers, each repeated until it is as large as can be: what is quadratic shows.
    fn large(&self, is_long_run: bool) -> Vec<Vec<u8>> {
        let size = if is_long_run { LARGE.1 } else { LARGE.0 };
        let mut all = Vec::new();
        for seed in self.seeds.iter().take(4) {
            for (from, length) in
                [(0, seed.len()), (0, 1), (0, 12), (seed.len() / 3, 7), (seed.len() / 2, 40)]
            {
                let part: Vec<u8> = seed.iter().skip(from).take(length).copied().collect();
                if part.is_empty() {
                    continue;
                }
                let repeated = part.iter().copied().cycle().take(size).collect::<Vec<u8>>();
                // The same within an answer that is otherwise good.
                let at = seed.len() / 2;
                let room = size.saturating_sub(seed.len());
                let inside = [&seed[..at], &repeated[..room.min(repeated.len())], &seed[at..]].concat();
                all.extend([repeated, inside]);
            }
        }
        all
    }
}

/// What the thread is at.
#[derive(Default)]
struct Progress {
    cases: AtomicU64,
    memory: AtomicU64,
    current: Mutex<Vec<u8>>,
}

impl Progress {
    fn begin(&self, bytes: &[u8]) {
        let mut current = self.current.lock().unwrap();
        current.clear();
        current.extend_from_slice(bytes);
    }

    fn end(&self, memory: u64) {
        self.cases.fetch_add(1, Ordering::Relaxed);
        self.memory.fetch_max(memory, Ordering::Relaxed);
    }

    fn current(&self) -> String {
        shown(&self.current.lock().unwrap())
    }
}

/// The input as Rust writes it, cut where it is long.
fn shown(bytes: &[u8]) -> String {
    format!("b\"{}\"", bytes.get(..2_000).unwrap_or(bytes).escape_ascii())
}

fn asked() -> Option<u32> {
    let number = Env::snapshot().var("JOBPASS_FUZZ_CASES")?.to_owned();
    Some(number.parse().expect("JOBPASS_FUZZ_CASES is a number"))
}

/// Arbitrary bytes, arbitrary text, and bent answers.
fn input(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let bent = (0..seeds.len(), proptest::collection::vec(any::<(u8, u32, u32, u8)>(), 1..6));
    prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..64),
        1 => proptest::collection::vec(any::<char>(), 0..32).prop_map(|text| text.iter().collect::<String>().into_bytes()),
        14 => bent.prop_map(move |(seed, ways)| {
            let start = seeds[seed].clone();
            ways.iter().fold(start, |bytes, way| bend(bytes, *way, &seeds))
        }),
    ]
}

/// Bytes that mean something in one form or another.
const TELLING: &[u8] = b"\0\x01\x7f\x80\xff \t\r\n\"'\\{}[]<>()=:;,.-_#&*%$@/+|!~`0923aAzZ\xc3\xa9";

/// Flips a bit, sets, cuts, inserts, repeats, moves, swaps in a number, or goes on as another answer.
fn bend(mut bytes: Vec<u8>, (way, from, to, value): (u8, u32, u32, u8), seeds: &[Vec<u8>]) -> Vec<u8> {
    let place = |number: u32, length: usize| number as usize % (length + 1);
    let (at, other) = (place(from, bytes.len()), place(to, bytes.len()));
    let (low, high) = (at.min(other), at.max(other));
    // Most changes are short.
    let near = (low + usize::from(value % 16)).min(bytes.len());
    let telling = TELLING[usize::from(value) % TELLING.len()];
    match way % 12 {
        0 => bytes.iter_mut().skip(low).take(1).for_each(|byte| *byte ^= 1 << (value % 8)),
        1 => bytes.iter_mut().skip(low).take(1).for_each(|byte| *byte = value),
        2 => bytes.iter_mut().skip(low).take(1).for_each(|byte| *byte = telling),
        3 => bytes.insert(low, telling),
        4 => drop(bytes.drain(low..near)),
        5 => drop(bytes.drain(low..high)),
        6 => bytes.truncate(low),
        7 => {
            let part = bytes[low..near].repeat(1 + usize::from(value));
            bytes.splice(low..low, part);
        }
        8 => {
            let part = bytes[low..near].to_vec();
            bytes.splice(high..high, part);
        }
        9 => {
            let seed = &seeds[usize::from(value) % seeds.len()];
            bytes.splice(low.., seed[place(to, seed.len())..].iter().copied());
        }
        10 => {
            let numbers = [u64::MAX, i64::MAX as u64, u64::from(u32::MAX), 1 << 31, 255, 0];
            let number = numbers[usize::from(value) % numbers.len()].to_string();
            let digits = bytes[low..].iter().take_while(|byte| byte.is_ascii_digit()).count();
            bytes.splice(low..low + digits, number.into_bytes());
        }
        _ => bytes.extend_from_slice(&[telling, value]),
    }
    bytes.truncate(LONGEST);
    bytes
}

mod tests {
    use super::*;

    fn failure(run: impl FnOnce() + Send + 'static) -> String {
        let panic = catch_unwind(AssertUnwindSafe(run)).unwrap_err();
        panic.downcast_ref::<String>().cloned().unwrap_or_default()
    }

    #[test]
    fn what_falls_over_is_found() {
        let panics = failure(|| {
            parser("one that panics", ["good"])
                .bytes(|bytes| assert!(!bytes.starts_with(b"g") || bytes.len() > 3));
        });
        assert!(panics.starts_with("one that panics: ") && panics.contains("it panics at b\"g"), "{panics}");
        let greedy = failure(|| {
            parser("a greedy one", ["good"])
                .bytes(|bytes| drop(Vec::<u8>::with_capacity(200 * bytes.len() * 1024)));
        });
        assert!(greedy.starts_with("a greedy one: it takes "), "{greedy}");
        let quadratic = failure(|| {
            parser("a quadratic one", ["good"])
                .bytes(|bytes| (0..bytes.len()).step_by(16).for_each(|at| drop(bytes[at..].to_vec())));
        });
        assert!(quadratic.starts_with("a quadratic one: it takes "), "{quadratic}");
    }

    #[test]
    fn every_way_to_bend_changes_something() {
        let seeds = [b"{\"answer\":12}".to_vec(), b"other".to_vec()];
        for way in 0..12 {
            assert_ne!(bend(seeds[0].clone(), (way, 10, 12, 19), &seeds), seeds[0], "{way}");
        }
        // Neither nothing nor too much is a problem.
        for way in 0..12 {
            bend(Vec::new(), (way, 7, 9, 255), &seeds);
            assert!(bend(vec![b'x'; LONGEST], (way, 7, 4_000_000, 255), &seeds).len() <= LONGEST);
        }
    }
}
