#!/usr/bin/env bash
# Builds the fuzz targets and runs each for some seconds from its corpus:
#
#   fuzz/run.sh                        every target for a minute, two at a time
#   fuzz/run.sh 3600                   every target for an hour
#   fuzz/run.sh 3600 weights image     these targets
#
# FUZZ_JOBS is the number of targets that run at the same time.
#
# Files that libFuzzer finds go to fuzz/work/TARGET, and inputs that fail to fuzz/artifacts. Needs Rust's
# compiler only: cargo-fuzz is not used. RUSTC_BOOTSTRAP allows the unstable option `sanitizer`, with
# FUZZ_SANITIZER=address; without it the targets are built faster and find panics only.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} = 0 ]; then
    for target in fuzz_targets/*.rs; do
        targets+=("$(basename "$target" .rs)")
    done
fi

# The flags of cargo-fuzz for coverage.
export RUSTFLAGS='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Ccodegen-units=1 --cfg fuzzing'
if [ -n "${FUZZ_SANITIZER:-}" ]; then
    export RUSTC_BOOTSTRAP=1 RUSTFLAGS="$RUSTFLAGS -Zsanitizer=$FUZZ_SANITIZER"
fi
target_folder=${CARGO_TARGET_DIR:-target}/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
cp -n ../Cargo.lock Cargo.lock
CARGO_TARGET_DIR=$target_folder cargo build --bins --target "$triple"

mkdir -p artifacts
run() {
    mkdir -p "work/$1"
    # Limits: 2 GiB of memory, 20 seconds for one input.
    "$target_folder/$triple/debug/$1" "work/$1" "corpus/$1" -artifact_prefix="artifacts/$1-" \
        -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 \
        -max_len=65536 2>"work/$1.log" || { tail -n 40 "work/$1.log" >&2; return 1; }
    printf '%-8s %s\n' "$1" "$(sed -n 's/^stat::number_of_executed_units: *//p' "work/$1.log") runs"
}
export -f run
export target_folder triple seconds
printf '%s\n' "${targets[@]}" | xargs -P "${FUZZ_JOBS:-2}" -I{} bash -c 'run {}'
