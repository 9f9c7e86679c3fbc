#!/usr/bin/env python3
"""Times a training step in `receptive bench --train` and in PyTorch on this machine, in turn.

    python3 benchmarks/training.py
    python3 benchmarks/training.py --networks lenet5,resnet18 --rounds 5 --memory

PyTorch runs in both of its memory layouts, and the ratio is to the faster one. Prints a table and
adds the measurement to `benchmarks/results/MACHINE-COMMIT.json`.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

import install
from install import HERE, TITLES
from machine import cpus
from networks import TRAINING
from process import Failed, peak_kib, run
from runs import Run, add_run_options, comma_separated, rotated, say, warn_of_load
from tables import LAYOUTS, number


def commands(options: argparse.Namespace, program: Path, network: str) -> dict[str, list[str]]:
    """The command of each engine."""
    batch, threads, seconds = TRAINING[network], options.threads, options.seconds
    own = [program, "bench", network, "--train", "--batch", batch, "--json"]
    own += ["--threads", threads, "--seconds", seconds]
    script = HERE / "training_worker.py"
    worker = [options.python, "-P", script, network, batch, threads, seconds]
    layouts = dict(zip(LAYOUTS, ("contiguous", "channels_last"), strict=True))
    found = {"receptive": own, **{name: [*worker, layout] for name, layout in layouts.items()}}
    return {name: [str(argument) for argument in command] for name, command in found.items()}


def environment(options: argparse.Namespace) -> dict[str, str]:
    # training_worker.py imports worker.py, and -P keeps this folder out of the module search path.
    return os.environ | {"OMP_NUM_THREADS": str(options.threads), "PYTHONPATH": str(HERE)}


def measure(options: argparse.Namespace, program: Path, measured: Run, network: str) -> None:
    """Times every engine on one network and, with --memory, samples the peak memory."""
    env, engines = environment(options), commands(options, program, network)
    times: dict[str, list[float]] = {name: [] for name in engines}
    measured.times[network] = times
    for index in range(options.rounds):
        say(f"{network}, round {index + 1} of {options.rounds}", end=":")
        for name in rotated(list(engines), index):
            if name not in times:
                continue
            try:
                line = run(engines[name], env).strip().splitlines()[-1]
                times[name].append(round(json.loads(line)["median_ms"], 6))
                say(f" {name} {number(times[name][-1])}", end="")
            except (Failed, ValueError, LookupError) as error:
                measured.fail(f"{TITLES[name]} on {network}", error)
                del times[name]
        say("")
    if options.memory:
        measured.peaks[network] = {}
        layouts = [name for name in LAYOUTS if name in times]
        fastest = sorted(layouts, key=lambda name: statistics.median(times[name]))[:1]
        for name in [*(["receptive"] if "receptive" in times else []), *fastest]:
            try:
                measured.peaks[network][name] = round(peak_kib(engines[name], env) / 1024, 1)
            except Failed as error:
                measured.fail(f"memory of {TITLES[name]} on {network}", error)


def pytorch_version(python: Path) -> str:
    """The version without the build's suffix, such as `+cpu`."""
    return run([python, "-c", "import torch; print(torch.__version__)"]).strip().split("+")[0]


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    networks = comma_separated(TRAINING)
    add("--networks", type=networks, default=list(TRAINING), help="comma-separated")
    add("--python", type=Path, help="a Python with torch and torchvision, instead of --venv's")
    add("--threads", type=int, default=cpus(), help="threads of each engine (default: all CPUs)")
    add_run_options(parser, seconds=2, rounds=3)
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    warn_of_load()
    measured = Run()
    try:
        if options.python is None:
            options.python = install.environment(options.venv)
            install.python_engine("pytorch", options.python)
        engine = install.receptive(options.receptive)
        pytorch = pytorch_version(options.python)
    except Failed as error:
        say(f"error: {error}")
        return 1
    for network in options.networks:
        measure(options, engine.start[0], measured, network)
    versions = {"receptive": engine.version, **{name: pytorch for name in LAYOUTS}}
    batches = {network: TRAINING[network] for network in options.networks}
    measured.finish(measured.to_json("training", options, versions, batches=batches), options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
