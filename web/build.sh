#!/usr/bin/env bash
# Builds the page into web/dist, from a clean checkout: the engine for WebAssembly twice, with vectors and
# without, the static data with the native command line, then the page itself.
#
# Usage: web/build.sh [engine|data|page]...     all three without arguments
#
# Needs Node.js with npm, and a compiler for wasm32-unknown-unknown: rustup's (rustup target add
# wasm32-unknown-unknown), or Debian's (apt-get install rustc-web cargo-web rust-web-src lld).
# wasm-bindgen is installed from crates.io where the right version is not on the PATH.
#
# RECEPTIVE         a native command line to make the data with; it is built otherwise
# CARGO_TARGET_DIR  as for cargo; the engine is built in its subfolder page
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

# Cargo for WebAssembly: with rustup's library for it, or with Debian's compiler, which builds its own.
detect_compiler() {
    if [ -d "$(rustc --print target-libdir --target $TRIPLE 2>/dev/null)" ]; then
        say "Compiler: $(rustc --version)"
        wasm_cargo() { cargo "$@"; }
        return
    fi
    local sources
    sources=$(/usr/bin/rustc --print sysroot 2>/dev/null || true)/lib/rustlib/src/rust/library
    [ -d "$sources" ] && command -v wasm-ld >/dev/null || die \
        'there is no compiler for WebAssembly. Either of these brings one:' \
        "    rustup target add $TRIPLE" \
        '    apt-get install rustc-web cargo-web rust-web-src lld'
    say "Compiler: Debian's $(/usr/bin/rustc --version), which builds the standard library too"
    wasm_cargo() {
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 /usr/bin/cargo "$@" \
            -Zbuild-std=std,panic_abort -Zbuild-std-features= \
            --config "target.$TRIPLE.linker=\"wasm-ld\""
    }
}

# Sets `bindgen` to a wasm-bindgen of the version that the engine is built with.
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
        # Not --locked: a crate that its own lock file names was withdrawn.
        CARGO_TARGET_DIR=$wasm_target cargo install wasm-bindgen-cli --version "=$version" --root "$tools"
    fi
}

# build_engine NAME FEATURES: one build into the page's folder NAME. Only the kernels differ, so that all they
# stand on is compiled once.
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
        say 'The native command line'
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
    cp assets/lenet5.safetensors assets/mobilenet_v2-f16.safetensors "$out/weights/"
    cp assets/photos/* "$out/photos/"
}

page() {
    need npm 'Node.js, https://nodejs.org'
    say 'Page'
    (cd $page && npm ci && npm run build)
    say "web/dist: $(find web/dist -type f | wc -l) files"
}

[ $# -gt 0 ] || set -- engine data page
for part; do
    case $part in
        engine | data | page) "$part" ;;
        *) die "unknown part $part, expected engine, data or page" ;;
    esac
done
