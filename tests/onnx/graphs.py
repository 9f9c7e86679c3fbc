#!/usr/bin/env python3
"""Compares random small graphs with ONNX Runtime.

    python3 tests/onnx/graphs.py RUN_ONNX [SEED [COUNT]]       300 graphs from seed 1

RUN_ONNX is the program `run_onnx` of the crate `receptive-tests`. Graph N is made from the seed N alone: 3 to
15 operations of convolutional networks, in a random version of the operators. The script keeps the folder of a
graph that fails. Needs the packages of requirements.txt.
"""

import math
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from program import Failed, Program, mismatch, write_case

COUNT, FIRST_SEED = 300, 1
OPSETS = range(11, 22)
# Format of the files, which ONNX Runtime must know.
IR_VERSION = 8
# The largest number of values of a tensor.
LARGEST = 40_000


class Value:
    """A tensor of the graph: its name and shape."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.name, self.shape = name, tuple(int(length) for length in shape)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class Builder:
    """A graph in construction. Its values are near 1, so that errors do not grow."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.opset = int(self.rng.choice(OPSETS))
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        # Whether the file leaves the batch open.
        self.is_dynamic = self.chance(0.3)
        batch, channels = self.integer(1, 2), self.integer(1, 24)
        size = (batch, channels, self.integer(5, 20), self.integer(5, 20))
        self.values = [Value("x", size)]
        self.operations = Counter()

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def integer(self, low: int, high: int) -> int:
        """A number of low..=high."""
        return int(self.rng.integers(low, high, endpoint=True))

    def choose(self, options: list) -> object:
        return options[self.integer(0, len(options) - 1)]

    def name(self, prefix: str) -> str:
        return f"{prefix}_{len(self.nodes)}_{len(self.initializers)}"

    def constant(self, array: object, dtype: type = np.float32) -> str:
        """Adds an initializer, or for some a Constant node. Returns its name."""
        tensor = numpy_helper.from_array(np.asarray(array, dtype), self.name("constant"))
        if self.chance(0.2):
            self.nodes.append(helper.make_node("Constant", [], [tensor.name], value=tensor))
        else:
            self.initializers.append(tensor)
        return tensor.name

    def weights(self, *shape: int, fan_in: int = 1, mean: float = 0.0) -> str:
        return self.constant(mean + self.rng.standard_normal(shape) / math.sqrt(fan_in))

    def node(self, operator: str, inputs: list, shape: tuple[int, ...], **attributes: object) -> Value:
        """Adds a node of one output of this shape."""
        return self.outputs(operator, inputs, [shape], **attributes)[0]

    def outputs(
        self, operator: str, inputs: list, shapes: list[tuple[int, ...]], **attributes: object
    ) -> list[Value]:
        names = [value.name if isinstance(value, Value) else value for value in inputs]
        prefix = self.name(operator.lower())
        values = [Value(f"{prefix}_{index}", shape) for index, shape in enumerate(shapes)]
        outputs = [value.name for value in values]
        self.nodes.append(helper.make_node(operator, names, outputs, prefix, **attributes))
        self.operations[operator] += 1
        return values

    def split(self, total: int, parts: int) -> list[int]:
        """Divides a length into positive parts."""
        cuts = sorted(self.rng.choice(np.arange(1, total), parts - 1, replace=False).tolist())
        return [int(end - start) for start, end in zip([0, *cuts], [*cuts, total], strict=True)]

    def axis(self, value: Value, first: int) -> int:
        """An axis from `first` on, for some counted from the end."""
        axis = self.integer(first, value.rank - 1)
        return axis - value.rank if self.chance(0.3) else axis

    def with_axes(
        self, operator: str, value: Value, axes: list[int], shape: tuple, since: int, **attributes: object
    ) -> Value:
        """A node whose axes are an attribute, and since some version an input."""
        if self.opset >= since:
            return self.node(operator, [value, self.constant(axes, np.int64)], shape, **attributes)
        return self.node(operator, [value], shape, axes=axes, **attributes)


# An operation returns its outputs; None where it does not apply to the value.
Operation = Callable[[Builder, Value], list[Value] | None]


def window(b: Builder, value: Value, largest: int = 5) -> dict[str, object] | None:
    """Kernel, strides, dilations and pads of a window that fits into an image."""
    if value.rank != 4:
        return None
    kernel = [b.integer(1, min(largest, length)) for length in value.shape[2:]]
    dilations = [1, 1]
    if b.chance(0.25):
        dilations = [b.integer(1, 2) for _ in kernel]
    # ONNX's pools refuse pads as large as the kernel.
    pads = [b.integer(0, (length - 1) * 2 // 3) if b.chance(0.7) else 0 for length in kernel * 2]
    spans = [(length - 1) * step + 1 for length, step in zip(kernel, dilations, strict=True)]
    for axis in (0, 1):
        if spans[axis] > value.shape[axis + 2] + pads[axis] + pads[axis + 2]:
            return None
    return {
        "kernel_shape": kernel,
        "strides": [b.integer(1, 3) if b.chance(0.5) else 1 for _ in kernel],
        "dilations": dilations,
        "pads": pads,
    }


def slid(value: Value, window: dict, ceil: bool = False) -> tuple[int, int]:
    """Height and width of the outputs of a window."""
    sizes = []
    for axis in (0, 1):
        before, after = window["pads"][axis], window["pads"][axis + 2]
        span = (window["kernel_shape"][axis] - 1) * window["dilations"][axis] + 1
        stride = window["strides"][axis]
        rest = value.shape[axis + 2] + before + after - span
        size = (-(-rest // stride) if ceil else rest // stride) + 1
        # Versions of ONNX differ in whether a last window may start in the padding after the image.
        if ceil and (size - 1) * stride >= value.shape[axis + 2] + before:
            return 0, 0
        sizes.append(size)
    return sizes[0], sizes[1]


def convolution(b: Builder, value: Value) -> list[Value] | None:
    attributes = window(b, value)
    if attributes is None:
        return None
    channels = value.shape[1]
    groups = b.choose([n for n in range(1, channels + 1) if channels % n == 0]) if b.chance(0.5) else 1
    if b.chance(0.2):
        groups = channels
    filters = groups * b.integer(1, 2 if groups == channels else max(1, 24 // groups))
    kernel = attributes["kernel_shape"]
    weights = b.weights(filters, channels // groups, *kernel, fan_in=channels // groups * math.prod(kernel))
    inputs = [value, weights] + ([b.weights(filters)] if b.chance(0.6) else [])
    size = slid(value, attributes)
    if b.chance(0.15) and attributes["dilations"] == [1, 1]:
        del attributes["pads"]
        attributes["auto_pad"] = b.choose(["SAME_UPPER", "SAME_LOWER"])
        strides = attributes["strides"]
        size = tuple(-(-length // step) for length, step in zip(value.shape[2:], strides, strict=True))
    shape = (value.shape[0], filters, *size)
    return [b.node("Conv", inputs, shape, group=groups, **attributes)]


def transposed_convolution(b: Builder, value: Value) -> list[Value] | None:
    if value.rank != 4 or value.size > LARGEST // 8:
        return None
    channels, filters = value.shape[1], b.integer(1, 12)
    kernel, strides = [b.integer(1, 4), b.integer(1, 4)], [b.integer(1, 2), b.integer(1, 2)]
    extra = [b.integer(0, stride - 1) for stride in strides]
    pads = [b.integer(0, (length - 1) // 2) for length in kernel * 2]
    size = [
        (value.shape[axis + 2] - 1) * strides[axis]
        + kernel[axis] + extra[axis] - pads[axis] - pads[axis + 2]
        for axis in (0, 1)
    ]  # fmt: skip
    if min(size) < 1:
        return None
    groups = 2 if channels % 2 == 0 and filters % 2 == 0 and b.chance(0.4) else 1
    weights = b.weights(channels, filters // groups, *kernel, fan_in=channels * math.prod(kernel))
    inputs = [value, weights] + ([b.weights(filters)] if b.chance(0.6) else [])
    attributes = {"kernel_shape": kernel, "strides": strides, "pads": pads, "output_padding": extra}
    shape = (value.shape[0], filters, *size)
    return [b.node("ConvTranspose", inputs, shape, group=groups, **attributes)]


def pool(b: Builder, value: Value) -> list[Value] | None:
    attributes = window(b, value, 4)
    if attributes is None:
        return None
    operator = b.choose(["MaxPool", "AveragePool", "LpPool"])
    if operator == "LpPool":
        attributes["p"] = 2
    # The newest pools alone have dilations and a rounding of these.
    if b.opset < {"LpPool": 18, "AveragePool": 19}.get(operator, 0):
        del attributes["dilations"]
    ceil = b.chance(0.3) and operator == "MaxPool"
    if ceil:
        attributes["ceil_mode"] = 1
    if operator == "AveragePool" and b.chance(0.5):
        attributes["count_include_pad"] = 1
    size = slid(value, {"dilations": [1, 1], **attributes}, ceil)
    if min(size) < 1:
        return None
    return [b.node(operator, [value], (*value.shape[:2], *size), **attributes)]


def global_pool(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 3:
        return None
    operator = b.choose(["GlobalAveragePool", "GlobalMaxPool"])
    return [b.node(operator, [value], value.shape[:2] + (1,) * (value.rank - 2))]


def normalization(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 3:
        return None
    channels = value.shape[1]
    scale, bias = b.weights(channels, fan_in=16, mean=1), b.weights(channels, fan_in=4)
    others = ["InstanceNormalization", "LRN"] if value.rank == 4 else ["InstanceNormalization"]
    operator = b.choose(["BatchNormalization"] * 4 + others)
    if operator == "LRN":
        return [b.node("LRN", [value], value.shape, size=b.choose([3, 5]), alpha=0.1, beta=0.75, bias=1.0)]
    if operator == "InstanceNormalization":
        # The variance of few values can be near 0.
        if math.prod(value.shape[2:]) < 8:
            return None
        return [b.node(operator, [value, scale, bias], value.shape, epsilon=1e-2)]
    mean, variance = b.weights(channels, fan_in=4), b.constant(b.rng.uniform(0.5, 2, channels))
    return [b.node(operator, [value, scale, bias, mean, variance], value.shape, epsilon=1e-4)]


def layer_normalization(b: Builder, value: Value) -> list[Value] | None:
    if b.opset < 17 or value.rank < 2:
        return None
    axis = b.integer(1, value.rank - 1)
    lengths = value.shape[axis:]
    if math.prod(lengths) < 8:
        return None
    inputs = [value, b.weights(*lengths, fan_in=16, mean=1)]
    inputs += [b.weights(*lengths, fan_in=4)] if b.chance(0.7) else []
    axis -= value.rank if b.chance(0.5) else 0
    return [b.node("LayerNormalization", inputs, value.shape, axis=axis, epsilon=1e-2)]


def activation(b: Builder, value: Value) -> list[Value] | None:
    simple = ["Relu", "Relu", "Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "Abs", "Neg"]
    simple += ["Selu", "Identity", "Sin", "Cos"]
    alphas = ["LeakyRelu", "Elu", "Celu"]
    others = ["PRelu", "Clip", "Clip", "HardSigmoid", "Softmax", "LogSoftmax", "Dropout"]
    newer = [("HardSwish", 14), ("Mish", 18), ("Gelu", 20)]
    # ThresholdedRelu jumps, so that a rounding error can become a large one.
    options = simple + alphas + others + [name for name, opset in newer if b.opset >= opset] * 3
    if b.opset < 12:
        options.remove("Celu")
    operator, inputs, attributes = b.choose(options), [value], {}
    if operator in alphas:
        attributes["alpha"] = b.choose([0.1, 0.5, 1.0])
    elif operator == "PRelu":
        shape = (value.shape[1], *(1,) * (value.rank - 2)) if value.rank > 1 else value.shape
        inputs.append(b.weights(*shape))
    elif operator == "Clip":
        low, high = b.choose([(0, 6), (-0.5, 0.5), (None, 1), (0, None)])
        inputs += ["" if bound is None else b.constant(bound) for bound in (low, high)]
    elif operator == "HardSigmoid":
        attributes = b.choose([{}, {"alpha": 1 / 6, "beta": 0.5}])
    elif operator in ("Softmax", "LogSoftmax"):
        if value.rank == 1:
            return None
        attributes["axis"] = b.axis(value, first=int(b.is_dynamic))
    elif operator == "Gelu":
        attributes["approximate"] = b.choose(["none", "tanh"])
    return [b.node(operator, inputs, value.shape, **attributes)]


def swish(b: Builder, value: Value) -> list[Value]:
    """x·sigmoid(x), or with the hard sigmoid."""
    operator = b.choose(["Sigmoid", "HardSigmoid"])
    attributes = {"alpha": 1 / 6, "beta": 0.5} if operator == "HardSigmoid" else {}
    gate = b.node(operator, [value], value.shape, **attributes)
    factors = [value, gate] if b.chance(0.5) else [gate, value]
    return [b.node("Mul", factors, value.shape)]


def hard_swish(b: Builder, value: Value) -> list[Value]:
    """x·clip(x + 3, 0, 6)/6, as older exporters write it."""
    added = b.node("Add", [value, b.constant(3)], value.shape)
    clipped = b.node("Clip", [added, b.constant(0), b.constant(6)], value.shape)
    product = b.node("Mul", [value, clipped], value.shape)
    return [b.node("Div", [product, b.constant(6)], value.shape)]


def squeeze_and_excitation(b: Builder, value: Value) -> list[Value] | None:
    if value.rank != 4:
        return None
    batch, channels = value.shape[:2]
    inner = b.integer(1, 8)
    if b.chance(0.6):
        gate = b.node("GlobalAveragePool", [value], (batch, channels, 1, 1))
    else:
        gate = b.with_axes("ReduceMean", value, [2, 3], (batch, channels, 1, 1), 18, keepdims=1)
    for filters, last in ((inner, False), (channels, True)):
        weights = b.weights(filters, gate.shape[1], 1, 1, fan_in=gate.shape[1])
        shape = (batch, filters, 1, 1)
        gate = b.node("Conv", [gate, weights, b.weights(filters)], shape)
        gate = b.node(b.choose(["Sigmoid", "HardSigmoid"]) if last else "Relu", [gate], shape)
    return [b.node("Mul", [value, gate] if b.chance(0.5) else [gate, value], value.shape)]


def channel_shuffle(b: Builder, value: Value) -> list[Value] | None:
    if value.rank != 4:
        return None
    batch, channels, height, width = value.shape
    groups = [n for n in range(2, channels) if channels % n == 0]
    if not groups:
        return None
    count = b.choose(groups)
    split = (batch, count, channels // count, height, width)
    first = 0 if b.is_dynamic else b.choose([0, batch, -1])
    shape = b.constant([first, *split[1:]], np.int64)
    parts = b.node("Reshape", [value, shape], split)
    swapped = (batch, split[2], count, height, width)
    parts = b.node("Transpose", [parts], swapped, perm=[0, 2, 1, 3, 4])
    shape = b.constant([0 if first == 0 else batch, channels, height, width], np.int64)
    return [b.node("Reshape", [parts, shape], value.shape)]


def with_constant(b: Builder, value: Value) -> list[Value]:
    """Arithmetic with a constant that is broadcast."""
    operator = b.choose(["Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"])
    lengths = [length if axis and b.chance(0.4) else 1 for axis, length in enumerate(value.shape)]
    lengths = lengths[b.integer(0, value.rank) :]
    if operator == "Pow":
        value = b.node("Abs", [value], value.shape)
        value = b.node("Add", [value, b.constant(0.25)], value.shape)
        return [b.node("Pow", [value, b.constant(b.choose([0.5, 2, 1.5]))], value.shape)]
    numbers = b.rng.uniform(0.5, 1.5, lengths)
    if b.chance(0.5):
        numbers = numbers * b.rng.choice([-1, 1], lengths)
    inputs = [value, b.constant(numbers)]
    if operator in ("Add", "Sub", "Mul", "Min", "Max") and b.chance(0.4):
        inputs.reverse()
    return [b.node(operator, inputs, value.shape)]


def function(b: Builder, value: Value) -> list[Value]:
    """A function of positive numbers, or a rounding."""
    if b.chance(0.3):
        # Before a rounding, values are moved away from its steps: x is at most 0.4 from an integer.
        scaled = b.node("Tanh", [value], value.shape)
        steps = b.rng.integers(-3, 4, value.shape[1:]) + 0.0
        scaled = b.node("Mul", [scaled, b.constant(0.4)], value.shape)
        moved = b.node("Add", [scaled, b.constant(steps)], value.shape)
        if b.chance(0.5):
            return [b.node("Round", [moved], value.shape)]
        moved = b.node("Add", [moved, b.constant(0.5)], value.shape)
        return [b.node(b.choose(["Floor", "Ceil"]), [moved], value.shape)]
    positive = b.node("Add", [b.node("Abs", [value], value.shape), b.constant(0.5)], value.shape)
    return [b.node(b.choose(["Sqrt", "Log", "Reciprocal"]), [positive], value.shape)]


def exponential(b: Builder, value: Value) -> list[Value]:
    bounded = b.node("Tanh", [value], value.shape)
    return [b.node("Exp", [bounded], value.shape)]


def residual(b: Builder, value: Value) -> list[Value] | None:
    """Combines the value with another one that broadcasts with it."""
    fitting = []
    for other in b.values:
        try:
            shape = np.broadcast_shapes(value.shape, other.shape)
        except ValueError:
            continue
        # With an open batch, the first axes alone are the batch.
        if math.prod(shape) <= LARGEST and not (b.is_dynamic and value.rank != other.rank):
            fitting.append((other, shape))
    if not fitting:
        return None
    other, shape = b.choose(fitting)
    inputs = [value, other]
    operator = b.choose(["Add", "Add", "Add", "Mul", "Sub", "Max", "Min", "Sum", "Mean"])
    if operator == "Mul":
        # A factor between -1 and 1 keeps products near 1.
        inputs[1] = b.node(b.choose(["Sigmoid", "Tanh"]), [other], other.shape)
    elif operator in ("Sum", "Mean", "Max", "Min") and b.chance(0.4):
        inputs.append(b.weights(*value.shape[1:]))
    return [b.node(operator, inputs, shape)]


def concatenation(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2:
        return None
    axis = b.integer(1, value.rank - 1)
    others = [
        other
        for other in b.values
        if other.rank == value.rank
        and all(other.shape[i] == value.shape[i] for i in range(value.rank) if i != axis)
    ]
    inputs = [value] + [b.choose(others) for _ in range(b.integer(1, 2))]
    shape = list(value.shape)
    shape[axis] = sum(one.shape[axis] for one in inputs)
    if b.chance(0.15) and not b.is_dynamic:
        lengths = [*value.shape[:axis], 2, *value.shape[axis + 1 :]]
        inputs.append(b.weights(*lengths))
        shape[axis] += 2
    if math.prod(shape) > LARGEST:
        return None
    return [b.node("Concat", inputs, shape, axis=axis - value.rank if b.chance(0.3) else axis)]


def split(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2:
        return None
    axis = b.integer(1, value.rank - 1)
    length = value.shape[axis]
    parts = b.integer(2, 3)
    if length < parts:
        return None
    lengths = b.split(length, parts)
    inputs, attributes = [value], {"axis": axis}
    if length % parts == 0 and b.chance(0.3):
        lengths = [length // parts] * parts
        if b.opset >= 18:
            attributes["num_outputs"] = parts
    elif b.opset >= 13:
        inputs.append(b.constant(lengths, np.int64))
    else:
        attributes["split"] = lengths
    shapes = [(*value.shape[:axis], part, *value.shape[axis + 1 :]) for part in lengths]
    return b.outputs("Split", inputs, shapes, **attributes)


def slice_(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2:
        return None
    axes = [axis for axis in range(1, value.rank) if value.shape[axis] > 2 and b.chance(0.6)]
    if not axes:
        return None
    starts, ends, steps, shape = [], [], [], list(value.shape)
    for axis in axes:
        length = shape[axis]
        start = b.integer(0, length - 2)
        end = b.integer(start + 1, length)
        step = b.integer(1, 2)
        shape[axis] = len(range(start, end, step))
        if b.chance(0.2):
            # Backwards, to the first element.
            start, end, step, shape[axis] = length - 1, -length - 1, -1, length
        elif b.chance(0.3):
            start -= length
        elif end == length and b.chance(0.5):
            end = 2**31 - 1
        starts.append(start)
        ends.append(end)
        steps.append(step)
    inputs = [value] + [b.constant(numbers, np.int64) for numbers in (starts, ends, axes, steps)]
    return [b.node("Slice", inputs, shape)]


def gather(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2:
        return None
    axis = b.integer(1, value.rank - 1)
    length = value.shape[axis]
    if value.rank > 2 and b.chance(0.3):
        index: object = b.integer(-length, length - 1)
        shape = value.shape[:axis] + value.shape[axis + 1 :]
    else:
        index = b.rng.integers(0, length, b.integer(1, 6))
        shape = (*value.shape[:axis], len(index), *value.shape[axis + 1 :])
    return [b.node("Gather", [value, b.constant(index, np.int64)], shape, axis=axis)]


def pad(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 3:
        return None
    mode = b.choose(["constant", "constant", "reflect", "edge"])
    pads = [0] * (2 * value.rank)
    for axis in range(2 if b.chance(0.7) else 1, value.rank):
        most = min(3, value.shape[axis] - 1 if mode == "reflect" else 3)
        for end in (axis, axis + value.rank):
            pads[end] = b.integer(0, most)
            if mode == "constant" and value.shape[axis] > 6 and b.chance(0.15):
                pads[end] = -b.integer(1, 2)
    shape = [length + pads[axis] + pads[axis + value.rank] for axis, length in enumerate(value.shape)]
    inputs = [value, b.constant(pads, np.int64)]
    if mode == "constant" and b.chance(0.6):
        inputs.append(b.constant(b.choose([0, -1.5, 3])))
    return [b.node("Pad", inputs, shape, mode=mode)]


def resize(b: Builder, value: Value) -> list[Value] | None:
    if value.rank != 4 or value.size > LARGEST // 6:
        return None
    mode = b.choose(["nearest", "linear", "cubic"] if b.chance(0.3) else ["nearest", "linear"])
    transform = b.choose(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    attributes = {"mode": mode, "coordinate_transformation_mode": transform}
    if mode == "nearest":
        rounds = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]
        attributes["nearest_mode"] = b.choose(rounds)
        # At a whole scale few positions are between two elements, where float32 decides.
        attributes["coordinate_transformation_mode"] = b.choose(["half_pixel", "asymmetric"])
    elif mode == "cubic":
        attributes["cubic_coeff_a"] = b.choose([-0.75, -0.5])
    scales = [b.choose([0.5, 1.0, 2.0, 3.0] if mode == "nearest" else [0.5, 1.0, 1.5, 2.0]) for _ in "hw"]
    size = [int(length * scale) for length, scale in zip(value.shape[2:], scales, strict=True)]
    # The definition and ONNX's reference differ in pytorch_half_pixel of one element.
    exact = all(length / scale in value.shape[2:] for length, scale in zip(size, scales, strict=True))
    if min(size) < 1 or not exact or (transform == "pytorch_half_pixel" and min(size) == 1):
        return None
    shape = (*value.shape[:2], *size)
    region = "" if b.opset >= 13 else b.constant([])
    if b.is_dynamic or b.chance(0.5):
        inputs = [value, region, b.constant([1, 1, *scales])]
    else:
        inputs = [value, region, "" if b.opset >= 13 else b.constant([]), b.constant(shape, np.int64)]
    return [b.node("Resize", inputs, shape, **attributes)]


def transpose(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 3:
        return None
    # The batch stays the first axis.
    order = [0, *(b.rng.permutation(value.rank - 1) + 1).tolist()]
    if value.rank == 4 and b.chance(0.5):
        order = b.choose([[0, 2, 3, 1], [0, 3, 1, 2]])
    return [b.node("Transpose", [value], [value.shape[axis] for axis in order], perm=order)]


def reshape(b: Builder, value: Value) -> list[Value] | None:
    batch, inner = value.shape[0], math.prod(value.shape[1:])
    divisors = [n for n in range(1, inner + 1) if inner % n == 0]
    first = b.choose(divisors)
    shapes = [(batch, inner), (batch, first, inner // first)]
    if value.rank == 4:
        shapes.append((batch, value.shape[1], value.shape[2] * value.shape[3]))
    shape = b.choose(shapes)
    written = [0 if b.is_dynamic else b.choose([0, batch]), *shape[1:]]
    if b.chance(0.4):
        written[b.integer(1, len(written) - 1)] = -1
    return [b.node("Reshape", [value, b.constant(written, np.int64)], shape)]


def reshape_by_shape(b: Builder, value: Value) -> list[Value] | None:
    """Reshape to a shape that nodes compute: Shape, Gather, Unsqueeze, Concat."""
    if value.rank < 3:
        return None
    b.nodes.append(helper.make_node("Shape", [value.name], [shape := b.name("shape")]))
    index = b.constant(0, np.int64)
    b.nodes.append(helper.make_node("Gather", [shape, index], [length := b.name("length")], axis=0))
    inputs, attributes = [length], {"axes": [0]}
    if b.opset >= 13:
        inputs, attributes = [length, b.constant([0], np.int64)], {}
    b.nodes.append(helper.make_node("Unsqueeze", inputs, [first := b.name("first")], **attributes))
    rest = b.constant([-1], np.int64)
    b.nodes.append(helper.make_node("Concat", [first, rest], [target := b.name("target")], axis=0))
    return [b.node("Reshape", [value, target], (value.shape[0], math.prod(value.shape[1:])))]


def flatten(b: Builder, value: Value) -> list[Value]:
    shape = (value.shape[0], math.prod(value.shape[1:]))
    return [b.node("Flatten", [value], shape, axis=1)]


def squeeze(b: Builder, value: Value) -> list[Value] | None:
    axes = [axis for axis in range(1, value.rank) if value.shape[axis] == 1]
    if not axes:
        return None
    shape = [length for axis, length in enumerate(value.shape) if axis not in axes]
    return [b.with_axes("Squeeze", value, axes, shape, 13)]


def unsqueeze(b: Builder, value: Value) -> list[Value] | None:
    if value.rank > 3:
        return None
    axis = b.integer(1, value.rank)
    shape = (*value.shape[:axis], 1, *value.shape[axis:])
    return [b.with_axes("Unsqueeze", value, [axis], shape, 13)]


def expand(b: Builder, value: Value) -> list[Value] | None:
    axes = [axis for axis in range(1, value.rank) if value.shape[axis] == 1]
    if not axes:
        return None
    axis = b.choose(axes)
    shape = list(value.shape)
    shape[axis] = b.integer(2, 5)
    if math.prod(shape) > LARGEST:
        return None
    written = [length if index == axis else 1 for index, length in enumerate(shape)]
    return [b.node("Expand", [value, b.constant(written, np.int64)], shape)]


def tile(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2 or value.size > LARGEST // 4:
        return None
    repeats = [1] + [b.integer(1, 2) if b.chance(0.5) else 1 for _ in value.shape[1:]]
    shape = [length * count for length, count in zip(value.shape, repeats, strict=True)]
    if math.prod(shape) > LARGEST:
        return None
    return [b.node("Tile", [value, b.constant(repeats, np.int64)], shape)]


def depth_to_space(b: Builder, value: Value) -> list[Value] | None:
    if value.rank != 4:
        return None
    batch, channels, height, width = value.shape
    if channels % 4 == 0 and b.chance(0.6):
        mode = b.choose(["DCR", "CRD"])
        shape = (batch, channels // 4, height * 2, width * 2)
        return [b.node("DepthToSpace", [value], shape, blocksize=2, mode=mode)]
    if height % 2 or width % 2:
        return None
    return [b.node("SpaceToDepth", [value], (batch, channels * 4, height // 2, width // 2), blocksize=2)]


def reduction(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2:
        return None
    names = ["Mean", "Mean", "Sum", "Max", "Min", "L1", "L2", "SumSquare", "LogSumExp"]
    operator = "Reduce" + b.choose(names)
    axes = [axis for axis in range(1, value.rank) if b.chance(0.5)] or [value.rank - 1]
    if value.rank == 4 and b.chance(0.4):
        axes = [2, 3]
    keep = b.chance(0.6)
    shape = [1 if axis in axes else length for axis, length in enumerate(value.shape)]
    if not keep:
        shape = [length for axis, length in enumerate(value.shape) if axis not in axes]
    if b.chance(0.3):
        axes = [axis - value.rank for axis in axes]
    since = 13 if operator == "ReduceSum" else 18
    reduced = b.with_axes(operator, value, axes, shape, since, keepdims=int(keep))
    if operator in ("ReduceSum", "ReduceL1", "ReduceSumSquare"):
        count = value.size / reduced.size
        reduced = b.node("Mul", [reduced, b.constant(1 / count)], shape)
    return [reduced]


def linear(b: Builder, value: Value) -> list[Value] | None:
    if value.rank < 2:
        return None
    inner, filters = value.shape[-1], b.integer(1, 24)
    if value.rank == 2 and b.chance(0.7):
        transposed = b.chance(0.6)
        shape = (filters, inner) if transposed else (inner, filters)
        inputs = [value, b.weights(*shape, fan_in=inner)]
        inputs += [b.weights(*b.choose([(filters,), (1, filters), (1,)]))] if b.chance(0.7) else []
        attributes = {"alpha": 0.5, "beta": 2.0} if b.chance(0.2) else {}
        return [b.node("Gemm", inputs, (value.shape[0], filters), transB=int(transposed), **attributes)]
    if value.size // inner * filters > LARGEST:
        return None
    weights = b.weights(inner, filters, fan_in=inner)
    return [b.node("MatMul", [value, weights], (*value.shape[:-1], filters))]


# Each with its weight among the choices.
OPERATIONS: dict[Operation, int] = {
    convolution: 6,
    transposed_convolution: 1,
    pool: 3,
    global_pool: 1,
    normalization: 3,
    layer_normalization: 1,
    activation: 5,
    swish: 1,
    hard_swish: 1,
    squeeze_and_excitation: 2,
    channel_shuffle: 2,
    with_constant: 2,
    function: 1,
    exponential: 1,
    residual: 4,
    concatenation: 3,
    split: 2,
    slice_: 2,
    gather: 1,
    pad: 2,
    resize: 2,
    transpose: 2,
    reshape: 1,
    reshape_by_shape: 1,
    flatten: 1,
    squeeze: 1,
    unsqueeze: 1,
    expand: 1,
    tile: 1,
    depth_to_space: 1,
    reduction: 2,
    linear: 2,
}


def build(seed: int) -> tuple[onnx.ModelProto, np.ndarray, Counter]:
    """The graph of a seed, its input, and how often it has each operator."""
    b = Builder(seed)
    wanted = b.integer(3, 15)
    operations = [operation for operation, weight in OPERATIONS.items() for _ in range(weight)]
    done = 0
    while done < wanted:
        # Most operations continue with the last value.
        recent = b.values[-1] if b.chance(0.8) else b.choose(b.values)
        found = b.choose(operations)(b, recent)
        if not found:
            continue
        done += 1
        b.values += found
    used = {name for node in b.nodes for name in node.input}
    outputs = [value for value in b.values[1:] if value.name not in used][-3:]
    if b.chance(0.2) and len(b.values) > 2:
        # An output that other nodes read too.
        inner = b.choose(b.values[1:-1])
        outputs += [inner] if inner not in outputs else []

    def info(value: Value) -> onnx.ValueInfoProto:
        lengths = ["N", *value.shape[1:]] if b.is_dynamic else value.shape
        return helper.make_tensor_value_info(value.name, TensorProto.FLOAT, lengths)

    b.rng.shuffle(outputs)
    graph = helper.make_graph(
        b.nodes, f"seed {seed}", [info(b.values[0])], list(map(info, outputs)), b.initializers
    )
    opset = helper.make_opsetid("", b.opset)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    x = b.rng.standard_normal(b.values[0].shape).astype(np.float32)
    return model, x, b.operations


def reference(model: onnx.ModelProto, x: np.ndarray) -> list[np.ndarray]:
    """The outputs of ONNX Runtime."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # The optimizer is not what is compared with.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})


def main() -> int:
    path, numbers = sys.argv[1], [int(text) for text in sys.argv[2:]]
    first, count = [*numbers, *(FIRST_SEED, COUNT)[len(numbers) :]]
    operations, wrong = Counter(), 0
    with tempfile.TemporaryDirectory() as folder, Program(path) as program:
        for seed in range(first, first + count):
            model, x, used = build(seed)
            operations += used
            onnx.checker.check_model(model, full_check=True)
            expected = reference(model, x)
            case = Path(folder) / str(seed)
            write_case(case, model, x)
            try:
                fault = mismatch(program.run(case), expected)
            except Failed as error:
                fault = str(error)
            if not fault:
                shutil.rmtree(case)
                continue
            wrong += 1
            kept = Path(tempfile.mkdtemp(prefix=f"receptive-onnx-{seed}-"))
            shutil.copytree(case, kept, dirs_exist_ok=True)
            for index, output in enumerate(expected):
                np.save(kept / f"expected_{index}.npy", output)
            print(f"error: seed {seed}, opset {model.opset_import[0].version}, {kept}: {fault}")
    print(", ".join(f"{name} {number}" for name, number in operations.most_common()))
    print(f"{count} random graphs, {wrong} errors")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
