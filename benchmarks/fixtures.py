"""Files that `outputs.py` gives to the programs: random weights, arrays and images.

Everything is a function of names and shapes, and needs nothing beyond the standard library.
"""

import ast
import json
import math
import random
import struct
import sys
import zlib
from array import array
from pathlib import Path

from process import Failed
from results import ROOT

REFERENCES = ROOT / "tests" / "reference"
# Networks that tests/reference lacks: a network with the same tensors, and a factor of its channels.
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

# Names and shapes of the tensors of a weight file.
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
    """A number of channels times the width; kernel sizes and classes are returned as they are."""
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


def floats(values: bytes) -> array:
    """The numbers of little-endian float32 bytes."""
    numbers = array("f", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def read_weights(path: Path) -> dict[str, bytes]:
    """The float32 tensors of a SafeTensors file, by name."""
    content = path.read_bytes()
    start = 8 + struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    spans = {n: t["data_offsets"] for n, t in sorted(header.items()) if t["dtype"] == "F32"}
    return {name: content[start + first : start + last] for name, (first, last) in spans.items()}


def write_images(folder: Path, size: int) -> None:
    """Writes a data set of noise: two classes, four training and one validation image of each."""
    for split, count in (("train", 4), ("val", 1)):
        for label in ("a", "b"):
            (folder / split / label).mkdir(parents=True)
            for index in range(count):
                generator = random.Random(f"{split} {label} {index}")
                rows = [generator.randbytes(3 * size) for _ in range(size)]
                path = folder / split / label / f"{index}.png"
                path.write_bytes(png(rows, size))


def png(rows: list[bytes], size: int) -> bytes:
    """A square PNG file of 8-bit RGB rows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    # Every row starts with its filter, 0 for none.
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows), 1)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks
