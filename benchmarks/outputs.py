#!/usr/bin/env python3
"""Checks that two programs compute the same outputs, bit for bit, with every network.

    python3 benchmarks/outputs.py OLD NEW
    python3 benchmarks/outputs.py main HEAD --networks resnet18,vgg16 --isas avx2

OLD and NEW are paths of `receptive` programs, or git revisions, which are built in release mode. Both
run `receptive run` with the same random weights and images, for each network that `receptive models`
lists, each instruction set of this machine, and each variant: compiled, compiled with exact algorithms,
eager. Prints a line for each combination and exits with 1 if an output differs.
"""

import argparse
import ast
import json
import math
import os
import random
import struct
import sys
import tempfile
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path

from machine import cpus, processor
from process import Failed, run
from programs import program
from results import ROOT
from runs import comma_separated, say

# The options of `receptive run` for each way to compute.
VARIANTS = {
    "compiled": ["--engine", "compiled"],
    "exact": ["--engine", "compiled", "--precision", "exact"],
    "eager": ["--engine", "eager"],
}
# The instruction sets of RECEPTIVE_ISA, with the flags of /proc/cpuinfo that each needs.
ISAS = {
    "avx512": ["avx512f", "avx2", "fma"],
    "avx2": ["avx2", "fma"],
    "neon": ["asimd"],
    "scalar": [],
}
REFERENCES = ROOT / "tests" / "reference"
# Networks that tests/reference lacks: the network of the same tensors, and a factor of the channels.
SAME_TENSORS = {
    "resnet50-v1": ("resnet50", 1),
    "mobilenet-v1-0.75": ("mobilenet-v1", 0.75),
    "mobilenet-v1-0.25": ("mobilenet-v1", 0.25),
}
MOBILENET_CHANNELS = [32, 64, 128, 256, 512, 1024]
# Random weights repeat with this period, a prime: no two rows of a layer are equal.
PERIOD = 65_537
# Keeps the logits of every network in range, as in tests/reference.
GAIN = 1.4

State = dict[str, list[int]]


def state(network: str) -> State:
    """Names and shapes of the tensors of a network's weight file.

    Raises Failed for a network that neither tests/reference nor this module knows.
    """
    if network == "lenet5-1998":
        return lenet5_1998()
    name, width = SAME_TENSORS.get(network, (network, 1))
    try:
        found = json.loads((REFERENCES / f"{name}.json").read_text())["state"]
    except OSError as error:
        raise Failed("the shapes of the weights are unknown: not in tests/reference") from error
    return {name: [scaled(size, width) for size in shape] for name, shape in found.items()}


def scaled(size: int, width: float) -> int:
    """A number of channels times the width; other sizes (kernels, image channels, classes) as is."""
    return int(size * width) if size in MOBILENET_CHANNELS else size


def lenet5_1998() -> State:
    """The network that tests/reference lacks."""
    inputs = [3] * 6 + [4] * 9 + [6]
    state = {
        "c1.weight": [6, 1, 5, 5], "c1.bias": [6],
        "s2.coefficient": [6], "s2.bias": [6],
        "s4.coefficient": [16], "s4.bias": [16],
        "c5.weight": [120, 16, 5, 5], "c5.bias": [120],
        "f6.weight": [84, 120], "f6.bias": [84],
    }  # fmt: skip
    for index, channels in enumerate(inputs):
        state[f"c3.maps.{index}.weight"] = [1, channels, 5, 5]
        state[f"c3.maps.{index}.bias"] = [1]
    return state


def uniform_block() -> array:
    """PERIOD random numbers of [-1, 1), always the same ones."""
    generator = random.Random(0)
    return array("f", (2 * generator.random() - 1 for _ in range(PERIOD)))


def tensor(block: array, name: str, shape: list[int]) -> bytes:
    """The float32 values of a tensor, little-endian.

    They are the block's numbers, scaled, from an offset that the tensor's name determines.
    """
    leaf = name.rpartition(".")[2]
    if leaf == "running_var" or (leaf in ("weight", "coefficient") and len(shape) == 1):
        values = array("f", (1 + value / 2 for value in block))
    else:
        fan_in = math.prod(shape[1:])
        scale = GAIN * math.sqrt(3 / fan_in) if leaf == "weight" else 0.1
        values = array("f", (scale * value for value in block))
    offset = zlib.crc32(name.encode()) % PERIOD
    values = values[offset:] + values[:offset]
    return repeated(values, math.prod(shape))


def repeated(values: array, length: int) -> bytes:
    """The values over and over, up to a length, as little-endian float32."""
    values = array("f", values)
    if sys.byteorder == "big":
        values.byteswap()
    return (values.tobytes() * -(-length // len(values)))[: 4 * length]


def write_weights(state: State, block: array, path: Path) -> None:
    """Writes a SafeTensors file: the header's length, the header as JSON, the tensors."""
    header, offset = {}, 0
    for name, shape in state.items():
        end = offset + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)))
        file.write(text)
        for name, shape in state.items():
            file.write(tensor(block, name, shape))


def write_npy(values: bytes, shape: list[int], path: Path) -> None:
    """Writes a NumPy array of float32, format version 1.0."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    prefix = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header))
    path.write_bytes(prefix + header.encode() + values)


def read_npy(path: Path) -> tuple[tuple[int, ...], bytes]:
    """The shape and the bytes of a NumPy array of float32."""
    content = path.read_bytes()
    if content[:6] != b"\x93NUMPY":
        raise Failed(f"{path.name} is not a NumPy array")
    start, size = (10, "<H") if content[6] == 1 else (12, "<I")
    end = start + struct.unpack(size, content[8:start])[0]
    header = ast.literal_eval(content[start:end].decode("latin1").strip())
    if header["descr"] != "<f4":
        raise Failed(f"{path.name} holds {header['descr']}, expected <f4")
    return header["shape"], content[end:]


def compare(old: Path, new: Path) -> tuple[bool, str]:
    """Whether two output files are equal, and a description."""
    (old_shape, old_bytes), (new_shape, new_bytes) = read_npy(old), read_npy(new)
    if old_shape != new_shape:
        return False, f"shape {new_shape}, was {old_shape}"
    olds, news = floats(old_bytes), floats(new_bytes)
    largest = max(map(abs, olds))
    if not all(map(math.isfinite, olds)) or largest == 0:
        return False, "the old outputs are not finite, or all zero: nothing is compared"
    if old_bytes == new_bytes:
        return True, "identical"
    changed = sum(a != b for a, b in zip(olds, news, strict=True))
    difference = max(
        abs(a - b) if math.isfinite(b) else math.inf for a, b in zip(olds, news, strict=True)
    )
    share = difference / largest
    return False, f"{changed} of {len(olds)} differ, by {share:.1e} of the largest at most"


def floats(values: bytes) -> array:
    numbers = array("f", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def available_isas() -> list[str]:
    """The instruction sets of this machine that the kernels are written for."""
    present = processor().instruction_sets
    return [isa for isa, flags in ISAS.items() if all(flag in present for flag in flags)]


def models(program: Path) -> dict[str, list[int]]:
    """The shape of an image, by network."""
    listed = json.loads(run([program, "models", "--json"]))
    return {model["name"]: model["input"] for model in listed}


def check_network(
    options: argparse.Namespace, network: str, shape: list[int], block: array
) -> Iterator[tuple[bool, str, str]]:
    """Runs both programs in every variant; yields whether they agree, the combination, and how."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        weights, images = folder / "weights.safetensors", folder / "images.npy"
        batch = [options.batch, *shape]
        try:
            write_weights(state(network), block, weights)
        except Failed as error:
            yield False, network, str(error)
            return
        write_npy(repeated(block, math.prod(batch)), batch, images)
        for isa in options.isas:
            for variant in options.variants:
                outputs = [folder / "old.npy", folder / "new.npy"]
                try:
                    for binary, output in zip((options.old, options.new), outputs, strict=True):
                        run_network(options, binary, network, isa, variant, weights, images, output)
                    equal, how = compare(*outputs)
                except Failed as error:
                    equal, how = False, f"failed: {error}"
                yield equal, f"{network} {variant} {isa}", how


def run_network(
    options: argparse.Namespace,
    binary: Path,
    network: str,
    isa: str,
    variant: str,
    weights: Path,
    images: Path,
    output: Path,
) -> None:
    """Writes the logits of one program."""
    command = [binary, "run", network, "--weights", weights, "--input", images]
    command += ["--output", output, "--threads", str(options.threads), *VARIANTS[variant]]
    run(command, {**os.environ, "RECEPTIVE_ISA": isa})


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add, isas = parser.add_argument, available_isas()
    add("old", metavar="OLD", help="a program's path or a git revision")
    add("new", metavar="NEW", help="a program's path or a git revision")
    add("--networks", help="comma-separated (default: all of both programs)")
    add("--isas", type=comma_separated(isas), default=isas, help=f"of {','.join(isas)}")
    variants = comma_separated(VARIANTS)
    add("--variants", type=variants, default=list(VARIANTS), help=f"of {','.join(VARIANTS)}")
    add("--batch", type=int, default=2, help="images (default 2)")
    add("--threads", type=int, default=cpus(), help="(default: all CPUs)")
    return parser.parse_args()


def main() -> int:
    options = parse_options()
    try:
        options.old, options.new = program(options.old), program(options.new)
        old, new = models(options.old), models(options.new)
    except Failed as error:
        say(f"error: {error}")
        return 1
    names = options.networks.split(",") if options.networks else list(old | new)
    block, failures = uniform_block(), 0
    for network in names:
        if old.get(network) is None or old.get(network) != new.get(network):
            print(f"{network}: not in both programs with one input shape", flush=True)
            failures += 1
            continue
        for equal, combination, how in check_network(options, network, old[network], block):
            print(f"{combination}: {how}", flush=True)
            failures += not equal
    print(f"{failures} differences" if failures else "all outputs are identical")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
