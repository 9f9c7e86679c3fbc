//! Tests of reading.

mod files;
mod interpreter;
mod models;
mod operators;
mod random;
mod round_trip;
