//! What every layer of a network costs.
