//! placeholder
pub mod canonical;
pub mod engine;
pub mod failure;
pub mod fetch;
pub mod frontier;
pub mod job;
pub mod record;
pub mod value;
pub mod visit;
