# `./dev RECIPE` installs what a recipe needs, then runs it from here.

# What there is
default:
    @just --list --unsorted

# A hub, two stations and a spacecraft on this machine, until Ctrl-C (`just up --help`)
up *options: up-build
    @exec "${CARGO_TARGET_DIR:-target}/debug/ground-segment" {{ options }}

# What `up` runs, built
up-build: web-bundle
    # Only programs: the tests would double the time of a first start.
    cargo build --workspace --bins --locked

# Everything that CI runs, in its order, or only the named stages
test *stages:
    tests/run-stages {{ stages }}

# What is quick to say: format, lints, project rules
check:
    tests/run-stages fmt clippy tidy

# The dashboard: install, lint, type-check, test, build, measure
web:
    tests/run-stages web-install web-lint web-types web-tests web-build web-budget

# The dashboard's files, which the binaries carry inside
web-bundle:
    tests/run-stages --quiet web-install web-build

# Every screen of hub and station in a real browser, with pictures, axe and what must not happen
test-browser:
    tests/run-stages web-install web-build build browser

# A benchmark: figures as JSON lines (`just bench --help`); decode-instructions needs valgrind, browser Chromium
bench *arguments: web-bundle
    cargo build --release --workspace --bins --locked
    "${CARGO_TARGET_DIR:-target}/release/benchmarks" {{ arguments }}

# Makes a dictionary for small batches: `just train-dictionary shared/core/delivery/src/batch/dictionary-2.zstd`
train-dictionary file:
    cargo run --release --locked -p benchmarks --bin benchmarks -- train-dictionary {{ file }}

# Delivery in a simulated world: `just simulate --seeds 5000`, or the story of one: `just simulate --seed 7 --trace`
simulate *options:
    cargo run --quiet --locked --package world -- run {{ options }}

# Bugs built into delivery, one after the other: which check finds it, after how many seeds
simulate-mutations *options:
    cargo run --quiet --locked --package world --features mutations -- mutate {{ options }}

# The detectors on recordings with known anomalies, a table a set: `just evaluate smap-msl` (data: STO_SHARED_DATA, ../shared/data)
evaluate *sets:
    cargo run --quiet --locked --package evaluate -- {{ sets }}

# 7,200 packets of a real flight through node and hub, every archived value compared (data: STO_SHARED_DATA, ../shared/data)
replay-flight:
    # The same graph of features as everywhere: nothing is built twice.
    cargo build --workspace --all-targets --locked
    cargo test --workspace --locked --test it -- --nocapture flight::

# The shared CCSDS and XTCE cases, one line each (data: STO_SHARED_DATA, ../shared/data)
conformance:
    cargo run --quiet --locked --package conformance

# A Parquet export read back by a reader of another make, pyarrow from PyPI, and compared with JSON lines
conformance-parquet:
    #!/usr/bin/env bash
    set -euo pipefail
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    python3 -m venv "$folder/venv"
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow
    cargo run --quiet --locked --package export --example parquet_and_lines "$folder"
    "$folder/venv/bin/python" shared/io/export/examples/compare.py "$folder"

# Orbits and passes beside those of other makes, sgp4 and skyfield from PyPI: every verification case, and 194 passes
conformance-orbit:
    cargo build --quiet --locked --package orbit --example positions_and_passes
    tests/run-stages orbit

# 200 power cuts of each journal engine, at any moment of recorded runs (STO_TEST_SEED repeats a failure)
test-power-cut rounds="200":
    cargo build --workspace --all-targets --locked
    STO_TEST_ROUNDS={{ rounds }} cargo test --workspace --locked --test it -- --nocapture --test-threads 1 power_cuts::

# kill -9: 200 times each journal engine, 20 times a node; then how fast a journal opens with 10 million records
test-kill rounds="200" node_rounds="20":
    cargo build --workspace --all-targets --locked
    STO_TEST_ROUNDS={{ rounds }} cargo test --workspace --locked --test it -- --nocapture kills::
    STO_TEST_ROUNDS={{ node_rounds }} cargo test --workspace --locked --test it -- --nocapture kill::what_a_node
    "${CARGO_TARGET_DIR:-target}/debug/torture" backlog --records 10000000

# Three stations on bad links, a hub and PostgreSQL, everything killed and cut at random; then compared record by record
soak flag="--minutes" minutes="10":
    @[ '{{ flag }}' = --minutes ] || { echo "usage: just soak --minutes N" >&2; exit 2; }
    cargo build --workspace --all-targets --locked
    STO_TEST_MINUTES='{{ minutes }}' cargo test --workspace --locked --test it -- --nocapture soak::

# Whatever the API's document allows and forbids, asked of a hub with data in it: no 500, no answer it does not know
ask-everything minutes="10": web-bundle
    cargo build --workspace --all-targets --locked
    tests/ask-everything {{ minutes }}

# A node on a disk of 128 MiB that fills up (needs root, for the mount)
test-disk-full:
    cargo build --workspace --all-targets --locked
    cargo test --workspace --locked --test it -- --nocapture disk_full::

# The handbook, in docs/book
docs:
    @command -v mdbook >/dev/null || { echo "needs mdbook: cargo install mdbook --locked" >&2; exit 1; }
    mdbook build docs

# One fuzz target for a minute, or for as long as asked: `just fuzz TARGET -max_total_time=600`
fuzz target *options="-max_total_time=60":
    @cargo +nightly fuzz --version >/dev/null 2>&1 || { echo "needs a nightly toolchain and cargo-fuzz: cargo install cargo-fuzz --locked" >&2; exit 1; }
    # What it finds goes to corpus/, which git does not know; seeds and words are ours.
    cd tests/fuzz && mkdir -p corpus/{{ target }} && cargo +nightly fuzz run {{ target }} corpus/{{ target }} $(ls -d seeds/{{ target }} 2>/dev/null) -- -rss_limit_mb=1024 $(ls words/{{ target }} 2>/dev/null | sed 's/^/-dict=/') {{ options }}

# Forget what `up` recorded
clean-var:
    @if [ -e var/.space-telemetry-operations ]; then rm -rf var; elif [ -e var ]; then echo "var was not made by ./dev up" >&2; exit 1; fi
