#!/usr/bin/env python3
"""Runs ONNX's own tests of operators, the backend tests of the package `onnx`.

    python3 tests/onnx/nodes.py RUN_ONNX [NAME ...]            all tests without names
    python3 tests/onnx/nodes.py --unsuitable                   prints that part of nodes.toml

RUN_ONNX is the program `run_onnx` of the crate `receptive-tests`. A test has one input: the first one of
float32. The others become initializers. A test of constants or shapes (FOLDED) whose values are not float32
has only initializers; its output is converted and added to an input. A test of float64 is run in float32, and
so is a test of integers if its operator moves values or chooses among them (CHOOSING).

nodes.toml lists every test of the operators that is not run (unsuitable), whose first output alone is
compared (partial), whose expected values have few digits (inexact), or that fails. Every other test must
pass, and a test that the table says fails must fail. Needs the packages of requirements.txt.
"""

import re
import sys
import tempfile
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter
from onnx.backend.test.loader import load_model_tests

import operators
from program import TOLERANCE, Failed, Program, mismatch, write_case

TABLE = Path(__file__).with_name("nodes.toml")
SECTIONS = ("unsuitable", "partial", "inexact", "fails")
# The tolerance of ONNX's own runner.
INEXACT = 1e-3
# The oldest version of the operators that is read. Tests of older ones are converted.
OLDEST_OPSET = 7
# The operators of convolutional networks.
OPERATORS = {
    "Conv", "ConvTranspose", "Gemm", "MatMul",
    "BatchNormalization", "InstanceNormalization", "LayerNormalization", "GroupNormalization", "LRN",
    "LpNormalization",
    "MeanVarianceNormalization",
    "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool",
    "Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Elu", "Selu", "Celu", "Clip", "Sigmoid", "HardSigmoid",
    "HardSwish", "Swish", "Mish", "Gelu", "Tanh",
    "Softplus", "Softsign", "Softmax", "LogSoftmax",
    "Erf", "Exp", "Log", "Sqrt", "Abs", "Neg", "Reciprocal", "Sign", "Floor", "Ceil", "Round", "Sin", "Cos",
    "Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean",
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
    "ReduceSumSquare", "ReduceLogSum",
    "ReduceLogSumExp",
    "Concat", "Split", "Slice", "Gather", "Pad", "Resize", "Upsample", "Transpose", "Reshape", "Flatten",
    "Squeeze", "Unsqueeze", "Expand", "Tile",
    "DepthToSpace", "SpaceToDepth",
    "Identity", "Dropout", "Cast", "Constant", "ConstantOfShape", "Shape",
}  # fmt: skip
# Operators of the functions that ONNX defines other operators by. On shapes and on constants of one type they
# are constants.
HELPERS = {"CastLike", "Size"}
# Operators of shapes and constants, and the types between which a test of them converts.
FOLDED = {"Cast", "Constant", "ConstantOfShape", "Shape"}
FOLDED_TYPES = {"bool", "int32", "int64", "float16", "bfloat16", "float32", "float64"}
# Operators whose outputs are values of their inputs.
CHOOSING = {"Max", "MaxPool", "Min", "Pad"}


@dataclass
class Test:
    """A test as `onnx` has it."""

    name: str
    model: onnx.ModelProto
    inputs: list
    outputs: list

    @property
    def operators(self) -> set[str]:
        return {node.op_type for node in self.model.graph.node}


@dataclass
class Case:
    """A test as `run_onnx` takes it: every input but one is an initializer."""

    model: onnx.ModelProto
    x: np.ndarray
    expected: list[np.ndarray]


def load() -> list[Test]:
    """The tests of operators, and those of PyTorch's layers with their weights."""
    # The calculation of expected outputs has overflows and divisions by zero, on purpose.
    warnings.simplefilter("ignore", RuntimeWarning)
    tests = []
    for found in load_model_tests(kind="node"):
        (values,) = found.data_sets
        values = ([as_array(value) for value in list_] for list_ in values)
        tests.append(Test(found.name, found.model, *values))
    for found in load_model_tests(kind="pytorch-converted"):
        folder = Path(found.model_dir)
        model = onnx.load(folder / "model.onnx")
        data = folder / "test_data_set_0"
        values = (
            [tensor(path) for path in sorted(data.glob(f"{kind}_*.pb"))] for kind in ("input", "output")
        )
        tests.append(Test(found.name, model, *values))
    return tests


def tensor(path: Path) -> np.ndarray:
    return numpy_helper.to_array(TensorProto.FromString(path.read_bytes()))


def as_array(value: object) -> object:
    """The value as an array, if it is a tensor: some tests have scalars, or tensors as files have them."""
    if isinstance(value, TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value) if isinstance(value, np.generic) else value


def base(name: str) -> str:
    """The name of the test whose operator is expanded to the nodes of its definition."""
    return re.sub(r"_expanded(_ver\d+)?$", "", name)


def is_expanded(name: str) -> bool:
    return base(name) != name


def select(tests: list[Test]) -> dict[str, Test]:
    """The tests of OPERATORS by name, and those of other operators whose definitions have only these."""
    nodes = {test.name for test in tests if test.operators <= OPERATORS}
    selected = {}
    for test in map(with_float32, tests):
        if base(test.name) in nodes or (is_expanded(test.name) and not obstacle(test)):
            selected[test.name] = test
    return selected


def kind(value: object) -> str:
    """The element type of a value of a test."""
    if not isinstance(value, np.ndarray):
        return "sequence or optional"
    return "string" if value.dtype.kind in "OSU" else value.dtype.name


def is_folded(test: Test) -> bool:
    """Whether every input of the test becomes an initializer."""
    kinds = {kind(value) for value in test.inputs + test.outputs}
    converts = not test.inputs or kinds != {"float32"}
    return test.operators <= FOLDED and converts and kinds <= FOLDED_TYPES


def with_float32(test: Test) -> Test:
    """The test with the element type float32, where float32 represents what it computes."""
    output = kind(test.outputs[0])
    chooses = test.operators <= CHOOSING and output.startswith(("int", "uint", "float16"))
    if is_folded(test) or not (output == "float64" or chooses):
        return test
    old = onnx.helper.np_dtype_to_tensor_dtype(test.outputs[0].dtype)
    model = onnx.ModelProto()
    model.CopyFrom(test.model)
    for value in (*model.graph.input, *model.graph.output):
        if value.type.tensor_type.elem_type == old:
            value.type.tensor_type.elem_type = TensorProto.FLOAT
    del model.graph.value_info[:]
    for attribute in (attribute for node in model.graph.node for attribute in node.attribute):
        if attribute.name == "to" and attribute.i == old:
            attribute.i = TensorProto.FLOAT
        elif attribute.t.data_type == old:
            array = numpy_helper.to_array(attribute.t).astype(np.float32)
            attribute.t.CopyFrom(numpy_helper.from_array(array))
    # The shapes that some operators take are int64, in tests of int64 as well.
    first = test.inputs[0].dtype
    inputs, outputs = (
        [
            value.astype(np.float32) if kind(value) == output and value.dtype == first else value
            for value in values
        ]
        for values in (test.inputs, test.outputs)
    )
    return Test(test.name, model, inputs, outputs)


def is_training(test: Test) -> bool:
    """Whether a batch norm or a dropout of the test computes as in training."""
    for node in test.model.graph.node:
        if any(attribute.name == "training_mode" and attribute.i for attribute in node.attribute):
            return True
        if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
            names = [value.name for value in test.model.graph.input]
            if test.inputs[names.index(node.input[2])]:
                return True
    return False


def obstacle(test: Test) -> str:
    """Why the test cannot be run; empty for a test that is run."""
    kinds = [kind(value) for value in test.inputs + test.outputs]
    output = kind(test.outputs[0])
    unknown = sorted(test.operators - OPERATORS - HELPERS)
    if "sequence or optional" in kinds or "string" in kinds:
        return "strings, sequences and optional values"
    if is_training(test):
        return "training mode"
    if is_folded(test):
        # Values of float16 are rounded, and those of float32 are not.
        if output in ("float16", "bfloat16"):
            return f"{output} output"
    elif "float32" not in kinds[: len(test.inputs)]:
        return f"{kinds[0]} data" if test.inputs else "no input"
    elif output != "float32":
        return f"{output} output"
    if any(value.size == 0 for value in test.outputs) or any(
        value.size == 0 and kind(value) == "float32" for value in test.inputs
    ):
        return "empty tensor"
    if unknown:
        return f"its definition has {', '.join(unknown)}"
    return ""


def make_case(test: Test, outputs: int) -> Case:
    """The case of a test that has no obstacle, with its first outputs."""
    model = onnx.ModelProto()
    model.CopyFrom(test.model)
    if model.opset_import[0].version < OLDEST_OPSET:
        model = version_converter.convert_version(model, OLDEST_OPSET)
    # Files of older versions list every initializer among the inputs.
    model.ir_version = max(model.ir_version, 4)
    graph, expected = model.graph, test.outputs[:outputs]
    constants = {value.name for value in graph.initializer}
    names = [value.name for value in graph.input if value.name not in constants]
    values = dict(zip(names, test.inputs, strict=True))
    del graph.output[outputs:]
    if is_folded(test):
        x, expected = add_input(graph, expected[0])
        inputs = [graph.input[-1]]
    else:
        name = next(name for name in names if kind(values[name]) == "float32")
        x = values.pop(name)
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape)]
    graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in values.items())
    del graph.input[:]
    graph.input.extend(inputs)
    return Case(model, x, expected)


def add_input(graph: onnx.GraphProto, output: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """Adds an input to the only output, as float32. Returns the input and the sum."""
    x = (np.arange(output.size, dtype=np.float32) / 8 + 1).reshape(output.shape)
    graph.node.append(helper.make_node("Cast", [graph.output[0].name], ["converted"], to=TensorProto.FLOAT))
    graph.node.append(helper.make_node("Add", ["added", "converted"], ["sum"]))
    graph.input.append(helper.make_tensor_value_info("added", TensorProto.FLOAT, x.shape))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("sum", TensorProto.FLOAT, x.shape))
    return x, [x + output.astype(np.float32)]


def read_table(text: str) -> dict[str, dict[str, str]]:
    """The reason of each listed test, by section.

    Raises ValueError for an unknown section and a test that is listed twice.
    """
    table: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}
    seen: set[str] = set()
    for section, reasons in tomllib.loads(text).items():
        if section not in table:
            raise ValueError(f"unknown section {section}")
        for reason, names in reasons.items():
            if twice := seen.intersection(names):
                raise ValueError(f"{min(twice)} is listed twice")
            seen.update(names)
            table[section] |= dict.fromkeys(names, reason)
    return table


def unsuitable(tests: Iterable[Test]) -> dict[str, list[str]]:
    """The tests that cannot be run, by reason."""
    reasons: dict[str, list[str]] = {}
    for test in tests:
        if reason := obstacle(test):
            reasons.setdefault(reason, []).append(test.name)
    return {reason: sorted(names) for reason, names in sorted(reasons.items())}


def section(title: str, reasons: dict[str, list[str]]) -> str:
    """A section of the table as TOML."""
    lines = [f"[{title}]"]
    for reason, names in reasons.items():
        lines += [f'"{reason}" = [', *(f'    "{name}",' for name in names), "]"]
    return "\n".join(lines)


class Suite:
    """The tests, the table, and the program that runs them."""

    def __init__(self, program: Program, folder: Path, table: dict[str, dict[str, str]]) -> None:
        self.program, self.folder, self.table = program, folder, table
        self.passed, self.run, self.total = Counter(), Counter(), Counter()
        self.faults: list[str] = []

    def fault(self, test: Test, outputs: int) -> str:
        """Why the outputs are not those of the test; empty for a test that passes."""
        case = make_case(test, outputs)
        folder = self.folder / test.name
        write_case(folder, case.model, case.x)
        try:
            found = self.program.run(folder)
        except Failed as error:
            return str(error)
        return mismatch(found, case.expected, INEXACT if test.name in self.table["inexact"] else TOLERANCE)

    def check(self, test: Test) -> None:
        """Runs a test, and compares its end with the table."""
        name, reason = test.name, obstacle(test)
        operator = test.model.graph.node[0].op_type if name == base(name) else "definitions"
        self.total[operator] += 1
        listed = self.table["unsuitable"].get(name, "")
        if listed != reason:
            self.faults.append(f"{name}: nodes.toml has the reason {listed!r}, expected {reason!r}")
        if reason:
            return
        self.run[operator] += 1
        floats = all(kind(value) == "float32" for value in test.outputs) or is_folded(test)
        is_partial, must_fail = name in self.table["partial"], name in self.table["fails"]
        if not floats and not is_partial:
            self.faults.append(f"{name} has an output of another type, and is not partial in nodes.toml")
            return
        fault = self.fault(test, 1 if is_partial else len(test.outputs))
        if must_fail and not fault:
            self.faults.append(f"{name} passes, and nodes.toml lists it: {self.table['fails'][name]}")
        elif fault and not must_fail:
            self.faults.append(f"{name}: {fault}")
        elif not fault:
            self.passed[operator] += 1
        if is_partial and floats and not self.fault(test, len(test.outputs)):
            self.faults.append(f"{name} passes with all its outputs, and is partial in nodes.toml")


def main() -> int:
    tests = select(load())
    if sys.argv[1:] == ["--unsuitable"]:
        print(section("unsuitable", unsuitable(tests.values())))
        return 0
    path, names = sys.argv[1], sys.argv[2:]
    table = read_table(TABLE.read_text())
    unknown = {name for names in (*table.values(), names) for name in names if name not in tests}
    if unknown:
        print(f"no tests: {', '.join(sorted(unknown))}")
        return 1
    with tempfile.TemporaryDirectory() as folder, Program(path) as program:
        suite = Suite(program, Path(folder), table)
        for name in names or tests:
            suite.check(tests[name])
    for operator, total in sorted(suite.total.items()):
        print(f"{operator}: {suite.passed[operator]} of {total}")
    if not names:
        for title, listed in table.items():
            for reason, count in Counter(listed.values()).most_common():
                print(f"{title}, {reason}: {count}")
        if lacking := operators.fault(operators.table(suite.passed, suite.run)):
            suite.faults.append(lacking)
    for fault in suite.faults:
        print(f"error: {fault}")
    total, passed = suite.total.total(), suite.passed.total()
    print(f"{total} tests of {len(OPERATORS)} operators: {passed} passed, {len(suite.faults)} errors")
    return 1 if suite.faults else 0


if __name__ == "__main__":
    sys.exit(main())
