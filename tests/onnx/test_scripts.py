"""Comparison of tensors, the table of nodes.py, cases, and random graphs.

Run with `python3 -m unittest discover tests/onnx`.
"""

import os
import tempfile
import unittest
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf, nan
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import graphs
import light
import nodes
from program import Failed, Program, mismatch, relative_error


class Comparison(unittest.TestCase):
    def test_an_error_is_relative_to_the_largest_value(self):
        self.assertAlmostEqual(relative_error(np.array([10.0, 1.5]), np.array([10.0, 1.0])), 0.05)
        self.assertEqual(relative_error(np.zeros(2), np.zeros(2)), 0)
        self.assertEqual(relative_error(np.zeros((2, 0)), np.zeros((2, 0))), 0)

    def test_infinity_and_nan_must_be_at_the_same_places(self):
        self.assertEqual(relative_error(np.array([-inf, nan, 1]), np.array([-inf, nan, 1])), 0)
        self.assertEqual(relative_error(np.array([1.0, 1.0]), np.array([-inf, 1.0])), inf)
        self.assertIn("differs", mismatch([np.array([nan, 1.0])], [np.array([1.0, 1.0])]))

    def test_shapes_and_numbers_of_outputs_are_equal(self):
        one = np.ones((2, 3))
        self.assertEqual(mismatch([one, one], [one, one]), "")
        self.assertEqual(mismatch([one], [one, one]), "1 outputs, expected 2")
        self.assertIn("the shape (6,), expected (2, 3)", mismatch([one.ravel()], [one]))
        self.assertIn("output 1 differs by 5.0e-01", mismatch([one, one * 1.5], [one, one]))


@contextmanager
def script(text: str) -> Iterator[Path]:
    """The path of a shell script, in a folder that is a case as well."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program"
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        yield path


@unittest.skipUnless(os.name == "posix", "runs a shell script")
class Programs(unittest.TestCase):
    def test_outputs_and_errors(self):
        with script('read a; echo ok; read a; echo "error: no"') as path, Program(path) as program:
            np.save(path.parent / "kept.npy", np.ones(2))
            self.assertEqual(program.run(path.parent), [])
            with self.assertRaisesRegex(Failed, "error: no"):
                program.run(path.parent)

    def test_a_program_that_crashes_or_hangs_is_started_again(self):
        crash = 'read a; echo ok; read a; [ -e "$a/hang" ] && sleep 60; exit 101'
        with script(crash) as path, Program(path) as program:
            for reason in ("status 101", "no answer in 0.5 s"):
                self.assertEqual(program.run(path.parent), [])
                with self.assertRaisesRegex(Failed, reason):
                    program.run(path.parent, limit=0.5)
                (path.parent / "hang").touch()


def one_node(
    operator: str, inputs: dict[str, np.ndarray], output: np.ndarray, **attributes: object
) -> nodes.Test:
    """A test of one node."""

    def info(name: str, value: np.ndarray) -> onnx.ValueInfoProto:
        return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)

    node = helper.make_node(operator, list(inputs), ["y"], **attributes)
    infos = [info(name, value) for name, value in inputs.items()]
    graph = helper.make_graph([node], "test", infos, [info("y", output)])
    return nodes.Test("test", helper.make_model(graph), list(inputs.values()), [output])


class Nodes(unittest.TestCase):
    def test_inputs_but_the_first_of_float32_are_initializers(self):
        indices, data = np.array([1]), np.ones((2, 3), np.float32)
        case = nodes.make_case(one_node("Gather", {"indices": indices, "data": data}, data[:1]), 1)
        self.assertEqual([value.name for value in case.model.graph.input], ["data"])
        (constant,) = case.model.graph.initializer
        self.assertEqual((constant.name, numpy_helper.to_array(constant).tolist()), ("indices", [1]))

    def test_the_output_of_constants_is_added_to_an_input(self):
        test = one_node("Shape", {"x": np.ones((2, 3), np.float32)}, np.array([2, 3]))
        self.assertEqual(nodes.obstacle(test), "")
        case = nodes.make_case(test, 1)
        onnx.checker.check_model(case.model, full_check=True)
        self.assertEqual((case.expected[0] - case.x).tolist(), [2, 3])

    def test_float64_becomes_float32_and_other_types_are_obstacles(self):
        x = np.ones(2)
        test = nodes.with_float32(one_node("Abs", {"x": x}, x))
        self.assertEqual((test.inputs[0].dtype, test.outputs[0].dtype), (np.float32, np.float32))
        self.assertEqual(test.model.graph.input[0].type.tensor_type.elem_type, TensorProto.FLOAT)
        integers = x.astype(np.int8)
        self.assertEqual(nodes.obstacle(one_node("Abs", {"x": integers}, integers)), "int8 data")
        empty = np.ones((0, 2), np.float32)
        self.assertEqual(nodes.obstacle(one_node("Abs", {"x": empty}, empty)), "empty tensor")
        training = one_node("BatchNormalization", {"x": x}, x, training_mode=1)
        self.assertEqual(nodes.obstacle(training), "training mode")

    def test_names_of_definitions(self):
        for name in ("test_elu_expanded", "test_elu_expanded_ver18"):
            self.assertEqual(nodes.base(name), "test_elu")
        self.assertFalse(nodes.is_expanded("test_elu"))

    def test_the_table_has_known_sections_and_each_test_once(self):
        table = nodes.read_table('[fails]\n"why" = ["a", "b"]\n[partial]\n"other" = ["c"]\n')
        self.assertEqual(table["fails"], {"a": "why", "b": "why"})
        self.assertEqual(table["unsuitable"], {})
        for text in ('[fail]\n"why" = ["a"]', '[fails]\n"why" = ["a"]\n"other" = ["a"]'):
            with self.assertRaises(ValueError):
                nodes.read_table(text)
        text = nodes.section("fails", {"why": ["a", "b"]})
        self.assertEqual(nodes.read_table(text)["fails"], {"a": "why", "b": "why"})


class Graphs(unittest.TestCase):
    def test_a_seed_gives_the_same_valid_graph(self):
        for seed in range(20):
            model, x, _ = graphs.build(seed)
            onnx.checker.check_model(model, full_check=True)
            again, same, _ = graphs.build(seed)
            self.assertEqual(model.SerializeToString(), again.SerializeToString())
            self.assertTrue(np.array_equal(x, same))

    def test_the_size_of_a_window(self):
        value = graphs.Value("x", (1, 1, 7, 8))
        window = {"kernel_shape": [3, 2], "strides": [2, 3], "dilations": [2, 1], "pads": [1, 0, 0, 0]}
        self.assertEqual(graphs.slid(value, window), (2, 3))
        window = {"kernel_shape": [2, 2], "strides": [2, 2], "dilations": [1, 1], "pads": [0, 0, 0, 0]}
        self.assertEqual(graphs.slid(value, window, ceil=True), (4, 4))


class Light(unittest.TestCase):
    def test_random_weights_replace_constants(self):
        model = onnx.load(light.FOLDER / "light_squeezenet.onnx")
        light.fill(model)
        onnx.checker.check_model(model)
        self.assertNotIn("ConstantOfShape", {node.op_type for node in model.graph.node})
        # 26 convolutions with biases, and the image.
        self.assertEqual((len(model.graph.initializer), light.image(model).shape), (52, (1, 3, 224, 224)))


if __name__ == "__main__":
    unittest.main()
