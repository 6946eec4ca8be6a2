//! placeholder
pub mod canonical;
pub mod engine;
pub mod extract;
pub mod failure;
pub mod fetch;
pub mod job;
pub mod page;
pub mod record;
pub mod value;
