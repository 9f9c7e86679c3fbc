"""Weights, arrays and comparisons of `outputs.py`, and ratios of `versus.py`, without a program."""

import json
import math
import struct
import tempfile
import unittest
from array import array
from pathlib import Path

import outputs
import versus
from process import Failed


class Weights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.block = outputs.uniform_block()

    def test_a_file_holds_every_tensor(self):
        state = {"a.weight": [2, 3], "a.bias": [2]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.safetensors"
            outputs.write_weights(state, self.block, path)
            content = path.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        self.assertEqual(length % 8, 0)
        self.assertEqual({name: entry["shape"] for name, entry in header.items()}, state)
        self.assertEqual(header["a.bias"]["data_offsets"], [24, 32])
        self.assertEqual(len(content), 8 + length + 32)

    def test_values_are_deterministic_and_in_range(self):
        weight = array("f", outputs.tensor(self.block, "a.weight", [70_000, 3]))
        self.assertEqual(len(weight), 210_000)
        self.assertLessEqual(max(map(abs, weight)), outputs.GAIN)
        again = outputs.tensor(outputs.uniform_block(), "a.weight", [70_000, 3])
        self.assertEqual(weight.tobytes(), again)
        self.assertNotEqual(again, outputs.tensor(self.block, "b.weight", [70_000, 3]))
        variance = array("f", outputs.tensor(self.block, "a.running_var", [100]))
        self.assertTrue(all(0.5 <= value <= 1.5 for value in variance))

    def test_shapes_of_the_networks_that_the_references_lack(self):
        parameters = sum(map(math.prod, outputs.state("lenet5-1998").values()))
        self.assertEqual(parameters, 60_000)
        self.assertEqual(outputs.state("resnet50-v1"), outputs.state("resnet50"))
        full = outputs.state("mobilenet-v1")
        half = {name: [outputs.scaled(n, 0.5) for n in shape] for name, shape in full.items()}
        self.assertEqual(half, outputs.state("mobilenet-v1-0.5"))
        with self.assertRaisesRegex(Failed, "unknown"):
            outputs.state("no-such-network")


class Comparisons(unittest.TestCase):
    def compare(self, old: list[float], new: list[float]) -> tuple[bool, str]:
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / "old.npy", Path(folder) / "new.npy"]
            for path, values in zip(paths, (old, new), strict=True):
                shape = [1, len(values)]
                outputs.write_npy(array("f", values).tobytes(), shape, path)
                self.assertEqual(outputs.read_npy(path)[0], tuple(shape))
            return outputs.compare(*paths)

    def test_equal_and_different_outputs(self):
        self.assertEqual(self.compare([1.0, -2.0], [1.0, -2.0]), (True, "identical"))
        self.assertEqual(
            self.compare([1.0, -2.0], [1.5, -2.0]),
            (False, "1 of 2 differ, by 2.5e-01 of the largest at most"),
        )
        self.assertFalse(self.compare([1.0], [1.0, 2.0])[0])
        self.assertFalse(self.compare([1.0], [math.nan])[0])

    def test_a_zero_of_another_sign_is_a_difference(self):
        self.assertFalse(self.compare([1.0, 0.0], [1.0, -0.0])[0])

    def test_outputs_that_say_nothing_are_no_agreement(self):
        for values in ([0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]):
            self.assertFalse(self.compare(values, values)[0])

    def test_a_file_that_is_no_array(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.npy"
            path.write_bytes(b"something else")
            with self.assertRaises(Failed):
                outputs.read_npy(path)


class Ratios(unittest.TestCase):
    def test_the_median_of_the_ratios_of_pairs(self):
        row, ratio = versus.table_row("vgg16", [[10.0, 9.0], [20.0, 10.0], [10.0, 11.0]])
        self.assertEqual(ratio, 0.9)
        self.assertEqual(row, ["vgg16", "10", "10", "0.900", "0.700 to 1.000"])

    def test_one_pair(self):
        self.assertEqual(versus.table_row("a", [[2.0, 1.0]])[0][3:], ["0.500", "0.500 to 0.500"])


if __name__ == "__main__":
    unittest.main()
