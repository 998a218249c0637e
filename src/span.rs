//! Former names of [`crate::text`].
pub use crate::text::{duration as span, hex};
