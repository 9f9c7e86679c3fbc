#!/usr/bin/env python3
"""Times a step of training in `receptive bench --train` and in PyTorch, in turn, and prints a table.

    python3 benchmarks/training.py --receptive target/release/receptive --python .venv/bin/python

The Python has the torch and torchvision of requirements.txt. PyTorch runs in both of its layouts; the better
counts.
"""

import argparse
import json
import math
import os
import statistics
import sys
from pathlib import Path

from process import peak_kib, run

HERE = Path(__file__).resolve().parent
# Each network, and the images of a step.
BATCHES = {
    "lenet5": 64,
    "alexnet-torchvision": 8,
    "vgg11": 2,
    "googlenet": 8,
    "resnet18": 8,
    "resnet50": 4,
    "mobilenet-v1": 8,
}
LAYOUTS = ["contiguous", "channels_last"]
MIB = 1024


def commands(options: argparse.Namespace, network: str) -> dict[str, list]:
    batch, threads, seconds = BATCHES[network], options.threads, options.seconds
    own = [options.receptive, "bench", network, "--train", "--batch", batch, "--json"]
    own += ["--threads", threads, "--seconds", seconds]
    worker = [options.python, "-P", HERE / "training_worker.py", network, batch, threads, seconds]
    found = {"receptive": own, **{layout: [*worker, layout] for layout in LAYOUTS}}
    return {name: [str(part) for part in command] for name, command in found.items()}


def measure(options: argparse.Namespace, network: str) -> list[str]:
    env = os.environ | {"OMP_NUM_THREADS": str(options.threads), "PYTHONPATH": str(HERE)}
    turns = commands(options, network)
    times: dict[str, list[float]] = {name: [] for name in turns}
    for turn in range(options.rounds):
        names = list(turns)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            line = run(turns[name], env).strip().splitlines()[-1]
            times[name].append(json.loads(line)["median_ms"])
    own, *theirs = [statistics.median(times[name]) for name in turns]
    peaks = [math.nan] * 2
    if options.memory:
        best = LAYOUTS[theirs.index(min(theirs))]
        peaks = [peak_kib(turns[name], env) / MIB for name in ("receptive", best)]
    row = [network, str(BATCHES[network]), *(f"{time:.1f}" for time in (own, *theirs))]
    print("|", " | ".join([*row, f"{own / min(theirs):.2f}", *(f"{p:.0f}" for p in peaks)]), "|")
    sys.stdout.flush()
    return [own / min(theirs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--receptive", type=Path, required=True)
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--networks", default=",".join(BATCHES))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", action="store_true", help="peaks too, MiB, one run more")
    options = parser.parse_args()
    print("| | batch | Receptive | PyTorch | channels last | ratio | MiB | PyTorch's |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    ratios = [ratio for name in options.networks.split(",") for ratio in measure(options, name)]
    print(f"geometric mean {math.exp(statistics.fmean(map(math.log, ratios))):.2f}")


if __name__ == "__main__":
    main()
