//! Tests of reading.

mod files;
mod interpreter;
mod models;
mod operators;
mod round_trip;
