//! The command `receptive`.

fn main() -> std::process::ExitCode {
    receptive::main()
}
