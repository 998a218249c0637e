//! Former names of [`crate::text::fold`].
pub use crate::text::fold::{COLUMNS, fold as wrapped};
