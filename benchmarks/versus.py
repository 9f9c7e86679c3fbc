#!/usr/bin/env python3
"""Times two `receptive` programs in turn and prints the ratios of their times.

    python3 benchmarks/versus.py OLD NEW
    python3 benchmarks/versus.py main HEAD --kinds inference --networks resnet18,vgg16 --pairs 10

OLD and NEW are paths of programs, or git revisions, which are built in release mode. A pair is one
process of OLD and then one of NEW. The ratio of a pair is NEW's median time over OLD's: below 1, NEW
is faster. Prints the median and the quartiles of each network's ratios, and the geometric mean.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

from machine import cpus
from networks import INFERENCE, TRAINING
from process import Failed, run
from programs import program
from runs import comma_separated, say, warn_of_load
from tables import markdown, number

KINDS = ["inference", "training"]


def networks(options: argparse.Namespace, kind: str) -> dict[str, int]:
    """The chosen networks of a kind: name in `receptive`, images of a pass or step."""
    inference = {name: options.batch for name, _ in INFERENCE.values()}
    chosen = TRAINING if kind == "training" else inference
    return {name: batch for name, batch in chosen.items() if name in options.networks}


def median_ms(
    options: argparse.Namespace, binary: Path, kind: str, network: str, batch: int
) -> float:
    """The median time of one process."""
    command = [binary, "bench", network, "--batch", str(batch), "--json"]
    command += ["--threads", str(options.threads), "--seconds", str(options.seconds)]
    command += ["--train"] if kind == "training" else []
    env = os.environ | {"RAYON_NUM_THREADS": str(options.threads)}
    return json.loads(run(command, env).strip().splitlines()[-1])["median_ms"]


def measure(options: argparse.Namespace, kind: str) -> None:
    """Times the pairs of one kind and prints a table."""
    rows, medians, programs = [], [], (options.old, options.new)
    for network, batch in networks(options, kind).items():
        say(f"{kind}, {network}")
        pairs = [
            [median_ms(options, binary, kind, network, batch) for binary in programs]
            for _ in range(options.pairs)
        ]
        row, ratio = table_row(network, pairs)
        rows.append([row[0], str(batch), *row[1:]])
        medians.append(ratio)
    if not rows:
        return
    mean = statistics.geometric_mean(medians)
    rows.append(["geometric mean", "", "", "", f"{mean:.3f}", ""])
    print(f"\n{kind}, {options.pairs} pairs of {options.seconds:g} s, {options.threads} threads\n")
    print(markdown(["ms", "images", "old", "new", "ratio", "quartiles"], rows), flush=True)


def table_row(network: str, pairs: list[list[float]]) -> tuple[list[str], float]:
    """The cells of a network (median times, median ratio, quartiles), and the median ratio."""
    ratios = [new / old for old, new in pairs]
    old, new = [statistics.median(times) for times in zip(*pairs, strict=True)]
    ratio = statistics.median(ratios)
    if len(ratios) > 1:
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
    else:
        low = high = ratio
    return [network, number(old), number(new), f"{ratio:.3f}", f"{low:.3f} to {high:.3f}"], ratio


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("old", metavar="OLD", help="a program's path or a git revision")
    add("new", metavar="NEW", help="a program's path or a git revision")
    names = list(dict.fromkeys([name for name, _ in INFERENCE.values()] + list(TRAINING)))
    kinds, networks = comma_separated(KINDS), comma_separated(names)
    add("--kinds", type=kinds, default=KINDS, help="inference,training (default both)")
    add("--networks", type=networks, default=names, help="comma-separated (default: all)")
    add("--batch", type=int, default=1, help="images of a forward pass (default 1)")
    add("--threads", type=int, default=cpus(), help="(default: all CPUs)")
    add("--seconds", type=float, default=1, help="of one process (default 1)")
    add("--pairs", type=int, default=7, help="processes of each program (default 7)")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    warn_of_load()
    try:
        options.old, options.new = program(options.old), program(options.new)
        for kind in options.kinds:
            measure(options, kind)
    except Failed as error:
        say(f"error: {error}")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
