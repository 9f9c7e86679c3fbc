//! The `receptive` program.

/// A process without memory ends with an error message instead of an abort.
#[global_allocator]
static ALLOCATOR: receptive_kernels::allocator::ExitWithoutMemory =
    receptive_kernels::allocator::ExitWithoutMemory;

fn main() -> std::process::ExitCode {
    receptive::main()
}
