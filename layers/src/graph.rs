//! The recorded graph of a network.
