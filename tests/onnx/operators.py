"""The table of docs/compiler.md: what the compiler makes of each operator of ONNX.

`nodes.py` fills the numbers of tests that pass, and compares the table with the document.
"""

from collections.abc import Mapping
from pathlib import Path

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "compiler.md"

FUSED = "fused into the convolution or arithmetic before it, else a step"
ALIAS = "none: the result is its input"
COPY = "a copy, or a selection of channels"
CONSTANT = "none: it is computed when the file is read"
APPLY = "a step of elements"
REDUCE = "a reduction; of rows and columns a pool"

# What the compiler makes of each operator, in the order of the table.
OPERATORS = {
    "Conv": "a convolution, by the fastest algorithm",
    "ConvTranspose": "a pointwise convolution and a copy if windows do not overlap, else a convolution",
    "Gemm": "a fully connected layer; a product of two tensors if both depend on the input",
    "MatMul": "as Gemm",
    "BatchNormalization": "folded into the convolution before or after it, else a depthwise convolution",
    "InstanceNormalization": "means, differences and quotients",
    "LayerNormalization": "means, differences and quotients",
    "GroupNormalization": "means, differences and quotients",
    "MeanVarianceNormalization": "means, differences and quotients",
    "LpNormalization": "a reduction and a quotient",
    "LRN": "a step",
    "MaxPool": "a pool",
    "AveragePool": "a pool",
    "LpPool": "powers and a convolution", "GlobalLpPool": "a reduction",
    "GlobalAveragePool": "a pool",
    "GlobalMaxPool": "a pool",
    "Relu": FUSED, "LeakyRelu": FUSED, "Clip": FUSED, "Sigmoid": FUSED, "HardSigmoid": FUSED,
    "HardSwish": FUSED, "Swish": FUSED, "Gelu": FUSED, "Tanh": FUSED,
    "PRelu": "arithmetic",
    "Mish": APPLY, "ThresholdedRelu": APPLY, "Elu": APPLY, "Selu": APPLY, "Celu": APPLY, "Softplus": APPLY,
    "Softsign": APPLY, "Erf": APPLY, "Exp": APPLY, "Log": APPLY, "Sqrt": APPLY, "Abs": APPLY, "Neg": APPLY,
    "Reciprocal": APPLY, "Sign": APPLY, "Floor": APPLY, "Ceil": APPLY, "Round": APPLY, "Sin": APPLY,
    "Cos": APPLY,
    "Softmax": "a step",
    "LogSoftmax": "a reduction and a difference",
    "Add": "fused into a convolution of an operand (residual), else arithmetic",
    "Sub": "arithmetic; of a constant for each channel folded into a convolution",
    "Mul": "arithmetic, also of a factor for each channel; of a constant as Sub",
    "Div": "as Sub",
    "Pow": "arithmetic", "Min": "arithmetic", "Max": "arithmetic", "Sum": "arithmetic", "Mean": "arithmetic",
    "ReduceMean": REDUCE, "ReduceSum": REDUCE, "ReduceMax": REDUCE, "ReduceMin": REDUCE, "ReduceProd": REDUCE,
    "ReduceL1": REDUCE, "ReduceL2": REDUCE, "ReduceSumSquare": REDUCE, "ReduceLogSum": REDUCE,
    "ReduceLogSumExp": REDUCE,
    "Concat": "none where operands are computed in place, else copies",
    "Split": "views, or copies", "Slice": "a view, or a copy", "Gather": COPY,
    "Pad": "zeros are the padding of the convolution after it, else a copy",
    "Resize": "interpolation; to the nearest element a copy", "Upsample": "as Resize",
    "Transpose": COPY, "Expand": COPY, "Tile": COPY, "DepthToSpace": COPY, "SpaceToDepth": COPY,
    "Reshape": ALIAS, "Flatten": ALIAS, "Squeeze": ALIAS, "Unsqueeze": ALIAS, "Identity": ALIAS,
    "Dropout": ALIAS,
    "Cast": "none between types of floats, and of constants", "Constant": CONSTANT,
    "ConstantOfShape": CONSTANT, "Shape": CONSTANT,
}  # fmt: skip


def table(passed: Mapping[str, int], run: Mapping[str, int]) -> str:
    """The table, for the numbers of tests that pass and that are run."""
    lines = ["| operator | becomes | ONNX's tests that pass |", "|---|---|---|"]
    for operator, result in OPERATORS.items():
        lines.append(f"| {operator} | {result} | {passed[operator]} of {run[operator]} |")
    return "\n".join(lines) + "\n"


def fault(text: str) -> str:
    """Says that the document lacks the table; empty if it has it."""
    if text in DOCUMENT.read_text():
        return ""
    return f"{DOCUMENT.name} lacks the table\n{text}"
