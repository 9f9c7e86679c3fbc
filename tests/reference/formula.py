"""The formula of the networks' weights, images and probe vectors (README.md).

The functions accept Python integers and NumPy arrays of uint64, whose arithmetic is modulo 2^64.
"""

from math import prod, sqrt

MASK = 2**64 - 1


def fnv1a64(text: str) -> int:
    """The 64-bit FNV-1a hash of the text's UTF-8 bytes."""
    state = 0xCBF29CE484222325
    for byte in text.encode():
        state = (state ^ byte) * 0x100000001B3 & MASK
    return state


def splitmix64(state):
    """The output of the generator splitmix64 in the given state."""
    mixed = state + 0x9E3779B97F4A7C15 & MASK
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & MASK
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & MASK
    return mixed ^ mixed >> 31


def value(salt: str, name: str, index):
    """Element `index`, an integer or an array of them, of the vector `name`: in [-1, 1)."""
    state = index + fnv1a64(f"{salt}/{name}") & MASK
    return (splitmix64(state) >> 40) / 2**23 - 1


def offset_and_scale(name: str, shape: tuple[int, ...], gain: float) -> tuple[float, float]:
    """The elements of the tensor `name` are `offset + scale * value`, rounded to float32."""
    leaf = name.rsplit(".", 1)[-1]
    if leaf in ("running_var", "coefficient") or (leaf == "weight" and len(shape) == 1):
        return 1.0, 0.5
    if leaf == "weight":
        return 0.0, sqrt(3 / prod(shape[1:])) * gain
    return 0.0, 0.1
