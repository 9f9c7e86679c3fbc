//! NEON: 4 lanes, 32 registers.
