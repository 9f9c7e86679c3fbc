//! The `receptive` program.

fn main() -> std::process::ExitCode {
    receptive::main()
}
