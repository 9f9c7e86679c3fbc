#!/usr/bin/env bash
# Builds the page into web/dist from a clean checkout, in three steps:
#
#   engine   the engine for WebAssembly, once with SIMD and once without
#   data     the static data, with the native command line
#   page     the page
#
# Usage: web/build.sh [engine|data|page]...     without arguments, all three steps
#
# Needs Node.js with npm, and a compiler for wasm32-unknown-unknown: rustup's (rustup target add
# wasm32-unknown-unknown), or Debian's (apt-get install rustc-web cargo-web rust-web-src lld).
# If the required version of wasm-bindgen is not on the PATH, the script installs it from crates.io.
#
# RECEPTIVE         path of a native command line for the data step; without it, the script builds one
# CARGO_TARGET_DIR  cargo's target folder; the engine is built in its subfolder page
set -euo pipefail
cd "$(dirname "$0")/.."

TRIPLE=wasm32-unknown-unknown
native=${CARGO_TARGET_DIR:-target}
wasm_target=$native/page
page=web/page

say() { printf '== %s\n' "$*"; }

die() {
    printf '%s\n' "$@" >&2
    exit 2
}

need() { command -v "$1" >/dev/null || die "$1 is missing: $2"; }

# Defines wasm_cargo: cargo with rustup's standard library for WebAssembly, or with Debian's compiler,
# which builds the standard library from source.
detect_compiler() {
    if [ -d "$(rustc --print target-libdir --target $TRIPLE 2>/dev/null)" ]; then
        say "Compiler: $(rustc --version)"
        wasm_cargo() { cargo "$@"; }
        return
    fi
    local sources
    sources=$(/usr/bin/rustc --print sysroot 2>/dev/null || true)/lib/rustlib/src/rust/library
    [ -d "$sources" ] && command -v wasm-ld >/dev/null || die \
        'no compiler for WebAssembly is installed. Install one with either command:' \
        "    rustup target add $TRIPLE" \
        '    apt-get install rustc-web cargo-web rust-web-src lld'
    say "Compiler: Debian's $(/usr/bin/rustc --version), which builds the standard library too"
    wasm_cargo() {
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo "$@" \
            -Zbuild-std=std,panic_abort -Zbuild-std-features= \
            --config "target.$TRIPLE.linker=\"wasm-ld\""
    }
}

# Sets `bindgen` to a wasm-bindgen command of the version in Cargo.lock.
find_bindgen() {
    local version
    version=$(awk '/^name = "wasm-bindgen"$/ { getline; gsub(/"/, ""); print $3 }' Cargo.lock)
    bindgen=wasm-bindgen
    if [ "$(wasm-bindgen --version 2>/dev/null)" = "wasm-bindgen $version" ]; then
        return
    fi
    local tools=$wasm_target/tools
    bindgen=$tools/bin/wasm-bindgen
    if [ "$("$bindgen" --version 2>/dev/null)" != "wasm-bindgen $version" ]; then
        say "wasm-bindgen $version is not on the PATH: installing it"
        # Not --locked: the lock file of wasm-bindgen-cli names a crate version that was yanked.
        CARGO_TARGET_DIR=$wasm_target cargo install wasm-bindgen-cli --version "=$version" --root "$tools"
    fi
}

# build_engine NAME FEATURES: builds the engine into the folder NAME of the page. The features affect only
# receptive-kernels and its dependents, so all other crates are compiled once.
build_engine() {
    local name=$1 features=$2 out=$page/src/engine/wasm/$1
    say "Engine, $name"
    RUSTFLAGS='--cfg getrandom_backend="wasm_js"' CARGO_TARGET_DIR=$wasm_target \
        wasm_cargo build -p receptive-web --lib --features "$features" --profile web --target $TRIPLE
    rm -rf "$out"
    "$bindgen" --target web --out-dir "$out" "$wasm_target/$TRIPLE/web/receptive_web.wasm"
    local wasm=$out/receptive_web_bg.wasm
    say "$wasm: $(wc -c <"$wasm") bytes, $(gzip -9 -c "$wasm" | wc -c) as gzip"
}

engine() {
    need cargo 'https://rustup.rs'
    detect_compiler
    find_bindgen
    build_engine simd simd128
    build_engine scalar ''
}

data() {
    need node 'Node.js, https://nodejs.org'
    local receptive=${RECEPTIVE:-}
    if [ -z "$receptive" ]; then
        need cargo 'https://rustup.rs'
        say 'Native command line'
        cargo build --release -p receptive --no-default-features --features flex
        receptive=$native/release/receptive
    fi
    say 'Networks'
    local out=$page/public
    rm -rf "$out/networks" "$out/weights" "$out/photos"
    mkdir -p "$out/networks" "$out/weights" "$out/photos"
    "$receptive" models --json >"$out/networks/models.json"
    local name
    for name in $(node -p "require('./$out/networks/models.json').map(m => m.name).join(' ')"); do
        "$receptive" summary "$name" --json >"$out/networks/$name.json"
        "$receptive" draw "$name" --style blocks -o "$out/networks/$name-blocks.svg"
        "$receptive" draw "$name" --style graph -o "$out/networks/$name-graph.svg"
    done
    node web/index.mjs "$out/networks"
    cp cli/assets/*.safetensors cli/assets/LICENSE-torchvision "$out/weights/"
    cp assets/photos/* "$out/photos/"
}

page() {
    need npm 'Node.js, https://nodejs.org'
    say 'Page'
    (cd $page && npm ci && npm run build)
    say "web/dist: $(find web/dist -type f | wc -l) files"
}

[ $# -gt 0 ] || set -- engine data page
for step; do
    case $step in
        engine | data | page) "$step" ;;
        *) die "unknown step $step, expected engine, data or page" ;;
    esac
done
