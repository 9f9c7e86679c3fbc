//! What training does to the networks of the papers.

mod overfit;
