//! Tests of execution plans: phases, runs, and programs from untrusted files.

mod mutated_programs;
mod phases;
mod program_builder;
mod run;
