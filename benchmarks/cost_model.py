#!/usr/bin/env python3
"""Measures every convolution of the timed networks with each algorithm, for the compiler's cost model.

    python3 benchmarks/cost_model.py measure      writes benchmarks/cost-model/MACHINE.json
    python3 benchmarks/cost_model.py fit          prints the rates that fit all committed measurements

`measure` runs each network on every instruction set of this machine, on two threads, one image. The
machine must be idle. `fit` prints the rates of `CostModel::FITTED`; the test
`cost_model` of the suite checks that the committed rates are the fitted ones and that the choices are
within 5 % of the best.
"""

import argparse
import json
import os
import sys
from datetime import datetime, timezone

from machine import processor, slug
from networks import INFERENCE
from outputs import ISAS
from process import run
from results import ROOT, head_commit

FOLDER = ROOT / "benchmarks" / "cost-model"
EXAMPLE = [
    "cargo", "run", "--release", "--quiet", "--manifest-path", ROOT / "Cargo.toml",
    "-p", "receptive-tests", "--no-default-features", "--example", "cost_model", "--",
]  # fmt: skip
THREADS = 2
# Portable code is not timed: its choices hardly matter.
MEASURED_ISAS = ["avx512", "avx2", "neon"]


def measure(rounds: int) -> None:
    described = processor()
    networks = []
    for isa in available_isas():
        environment = {**os.environ, "RECEPTIVE_ISA": isa}
        for name, shape in INFERENCE.values():
            best = None
            for _ in range(rounds):
                text = run([*EXAMPLE, "measure", name, f"1x{shape}"], environment)
                best = fastest(best, json.loads(text))
            networks.append(best)
            print(f"{name} on {isa}: {len(best['convolutions'])} convolutions", flush=True)
    FOLDER.mkdir(exist_ok=True)
    machine = slug(described, THREADS)
    document = {
        "machine": machine,
        "processor": described.name,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d"),
        "commit": head_commit(),
    }
    path = FOLDER / f"{machine}.json"
    path.write_text(text_of(document, networks))
    print(path)


def text_of(document: dict, networks: list[dict]) -> str:
    """The JSON text of a measurement, with one line for each convolution."""
    head = json.dumps(document)[:-1]
    blocks = []
    for network in networks:
        fields = json.dumps({key: network[key] for key in ("name", "isa", "other_seconds")})[:-1]
        convolutions = ",\n".join(json.dumps(each) for each in network["convolutions"])
        blocks.append(f'{fields}, "convolutions": [\n{convolutions}\n]}}')
    return f'{head}, "networks": [\n' + ",\n".join(blocks) + "\n]}\n"


def fastest(best: dict | None, measured: dict) -> dict:
    """The shorter of two measurements of a network, convolution by convolution."""
    if best is None:
        return measured
    best["other_seconds"] = min(best["other_seconds"], measured["other_seconds"])
    for kept, new in zip(best["convolutions"], measured["convolutions"], strict=True):
        for algorithm, seconds in new["seconds"].items():
            kept["seconds"][algorithm] = min(kept["seconds"][algorithm], seconds)
    return best


def available_isas() -> list[str]:
    flags = set(cpu_flags())
    return [isa for isa in MEASURED_ISAS if flags.issuperset(ISAS[isa])]


def cpu_flags() -> list[str]:
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return value.split()
    return []


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["measure", "fit"])
    parser.add_argument(
        "--rounds",
        type=int,
        default=2,
        help="measurements of each network, of which the fastest count (%(default)s)",
    )
    arguments = parser.parse_args()
    if arguments.command == "measure":
        measure(arguments.rounds)
    else:
        sys.stdout.write(run([*EXAMPLE, "fit", FOLDER]))


if __name__ == "__main__":
    main()
