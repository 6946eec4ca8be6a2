//! placeholder
pub mod failure;
pub mod canonical;
pub mod value;
pub mod job;
pub mod record;
pub mod seeds;
pub mod fetch;
pub mod engine;
