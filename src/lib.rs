//! placeholder
pub mod canonical;
pub mod failure;
pub mod job;
pub mod record;
pub mod value;
