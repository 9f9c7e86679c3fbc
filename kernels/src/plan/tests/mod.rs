//! Programs as they are run, and as somebody might have forged them.

mod forged;
mod phases;
mod run;
mod sketch;
