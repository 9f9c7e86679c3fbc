//! WebAssembly's 128-bit vectors: 4 lanes.
