//! placeholder

// vocabulary: no I/O, no async
pub mod failure;
pub mod canonical;
pub mod value;
pub mod job;
pub mod record;

// stages: each knows the layers above and, where it must, the stage before
pub mod seeds;
pub mod frontier;
pub mod fetch;
pub mod page;
pub mod extract;

// engine
pub mod visit;
pub mod engine;

// consumers
pub mod sink;

// application: the only place that prints, reads the environment, knows clap or anyhow
pub mod cli;
