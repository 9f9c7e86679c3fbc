//! Class labels and the top of a ranking.
