#!/usr/bin/env python3
"""Checks that two programs compute the same outputs, bit for bit, with every network.

    python3 benchmarks/outputs.py OLD NEW
    python3 benchmarks/outputs.py main HEAD --networks resnet18,vgg16 --isas avx2

OLD and NEW are paths of `receptive` programs, or git revisions, which are built in release mode.
Both programs get the same random weights and images, for each network that `receptive models`
lists, each instruction set of this machine, and each variant:

    compiled   logits of `receptive run`
    exact      logits of `receptive run --precision exact`
    eager      logits of `receptive run --engine eager`
    training   weights after the steps of a short `receptive train`, for the networks of TRAINED

Prints a line for each combination and exits with 1 if an output differs, and with 2 if
a program or a network is unknown.
"""

import argparse
import json
import math
import os
import sys
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fixtures
from machine import cpus, processor
from process import Failed, run
from programs import program
from runs import comma_separated, say

# The options of `receptive run` for each way to compute logits.
INFERENCE = {
    "compiled": ["--engine", "compiled"],
    "exact": ["--engine", "compiled", "--precision", "exact"],
    "eager": ["--engine", "eager"],
}
VARIANTS = [*INFERENCE, "training"]
# Networks that together train every kind of layer. VGG is left out: its large files take minutes.
TRAINED = [
    "lenet5", "lenet5-1998", "alexnet", "alexnet-grouped", "alexnet-torchvision",
    "googlenet", "googlenet-paper", "resnet18", "resnet20-cifar", "resnet50",
    "mobilenet-v1", "mobilenet-v1-timm", "mobilenet-v2",
]  # fmt: skip
# The instruction sets of RECEPTIVE_ISA, with the flags of /proc/cpuinfo that each needs.
ISAS = {
    "avx512": ["avx512f", "avx2", "fma"],
    "avx2": ["avx2", "fma"],
    "neon": ["asimd"],
    "scalar": [],
}


@dataclass
class Case:
    """A network and its input files."""

    network: str
    weights: Path
    images: Path
    # The folder of a data set; None for LeNet-5, which trains on the digits of the program.
    data: Path | None


def prepare(network: str, shape: list[int], batch: int, block: array, folder: Path) -> Case:
    """Writes the input files of a network.

    Raises Failed where the shapes of its weights are unknown.
    """
    case = Case(network, folder / "weights.safetensors", folder / "images.npy", folder / "data")
    fixtures.write_weights(fixtures.state(network), block, case.weights)
    values = fixtures.repeated(block, batch * math.prod(shape))
    fixtures.write_npy(values, [batch, *shape], case.images)
    channels, size, _ = shape
    if channels == 1:
        case.data = None
    elif case.data:
        # The recipes of ImageNet crop images whose shorter side is 256.
        fixtures.write_images(case.data, 256 if size > 32 else size)
    return case


def logits(
    options: argparse.Namespace, binary: Path, case: Case, variant: str, isa: str, folder: Path
) -> dict[str, bytes]:
    """The output of `receptive run`."""
    output = folder / "logits.npy"
    command = [binary, "run", case.network, "--weights", case.weights, "--input", case.images]
    command += ["--output", output, "--threads", str(options.threads), *INFERENCE[variant]]
    run(command, {**os.environ, "RECEPTIVE_ISA": isa})
    shape, values = fixtures.read_npy(output)
    return {f"logits {shape}": values}


def trained(
    options: argparse.Namespace, binary: Path, case: Case, isa: str, folder: Path
) -> dict[str, bytes]:
    """The weights after two epochs of `receptive train`."""
    command = [binary, "train", case.network, "--output", folder, "--plain"]
    command += ["--threads", str(options.threads), "--set", "epochs=2", "--set"]
    command += ["batch=4", "--data", case.data] if case.data else ["batch=64"]
    run(command, {**os.environ, "RECEPTIVE_ISA": isa})
    return fixtures.read_weights(folder / "checkpoints" / "last.safetensors")


def compare(old: dict[str, bytes], new: dict[str, bytes]) -> tuple[bool, str]:
    """Whether two outputs (float32 values by tensor) are equal, and a description."""
    if old.keys() != new.keys():
        return False, f"other tensors: {sorted(old.keys() ^ new.keys())[:3]}"
    if {name: len(values) for name, values in old.items()} != {n: len(v) for n, v in new.items()}:
        return False, "tensors of other sizes"
    olds, news = [fixtures.floats(b"".join(each[name] for name in old)) for each in (old, new)]
    total = sum(olds)
    if total == 0 or not math.isfinite(total):
        return False, "the old outputs are all zero or not finite: the comparison means nothing"
    if old == new:
        return True, "identical"
    changed, difference = 0, 0.0
    for a, b in zip(olds, news, strict=True):
        # A zero of another sign is equal in value, but not in bits.
        if a != b or math.copysign(1, a) != math.copysign(1, b):
            changed += 1
            difference = max(difference, abs(a - b) if math.isfinite(b) else math.inf)
    share = difference / max(map(abs, olds))
    return False, f"{changed} of {len(olds)} differ, by {share:.1e} of the largest at most"


def check(options: argparse.Namespace, case: Case, variant: str, isa: str) -> tuple[bool, str]:
    """Runs both programs; whether they agree, and how."""
    found = []
    for binary in (options.old, options.new):
        with tempfile.TemporaryDirectory(dir=case.weights.parent) as scratch:
            try:
                if variant == "training":
                    found.append(trained(options, binary, case, isa, Path(scratch)))
                else:
                    found.append(logits(options, binary, case, variant, isa, Path(scratch)))
            except (Failed, OSError) as error:
                return False, f"{binary} failed: {error}"
    return compare(*found)


def check_network(
    options: argparse.Namespace, network: str, shape: list[int], block: array
) -> Iterator[tuple[bool, str]]:
    """Compares every variant on every instruction set; yields whether they agree, and a line."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            case = prepare(network, shape, options.batch, block, Path(folder))
        except Failed as error:
            yield False, f"{network}: {error}"
            return
        for isa in options.isas:
            for variant in options.variants:
                if variant != "training" or network in TRAINED:
                    equal, how = check(options, case, variant, isa)
                    yield equal, f"{network} {variant} {isa}: {how}"


def available_isas() -> list[str]:
    """The instruction sets of this machine that the kernels are written for."""
    present = processor().instruction_sets
    return [isa for isa, flags in ISAS.items() if all(flag in present for flag in flags)]


def models(program: Path) -> dict[str, list[int]]:
    """The shape of an image, by network."""
    listed = json.loads(run([program, "models", "--json"]))
    return {model["name"]: model["input"] for model in listed}


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, isas = parser.add_argument, available_isas()
    add("old", metavar="OLD", help="a program's path or a git revision")
    add("new", metavar="NEW", help="a program's path or a git revision")
    add("--networks", help="comma-separated (default: all of both programs)")
    add("--isas", type=comma_separated(isas), default=isas, help=f"of {','.join(isas)}")
    variants = comma_separated(VARIANTS)
    add("--variants", type=variants, default=VARIANTS, help=f"of {','.join(VARIANTS)}")
    add("--batch", type=int, default=2, help="images of `receptive run` (default 2)")
    add("--threads", type=int, default=cpus(), help="(default: all CPUs)")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    try:
        options.old, options.new = program(options.old), program(options.new)
        old, new = models(options.old), models(options.new)
        names = options.networks.split(",") if options.networks else list(old | new)
        for name in names:
            if name not in old | new:
                raise Failed(f"unknown network {name!r}")
    except Failed as error:
        say(f"error: {error}")
        return 2
    block, failures, count = fixtures.uniform_block(), 0, 0
    for network in names:
        if old.get(network) is None or old.get(network) != new.get(network):
            print(f"{network}: not in both programs with one input shape", flush=True)
            failures += 1
            count += 1
            continue
        for equal, line in check_network(options, network, old[network], block):
            print(line, flush=True)
            failures += not equal
            count += 1
    print(f"{failures} of {count} differ" if failures else f"all {count} are identical")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
