"""The formula, the comparison and the table of cases, without PyTorch.

Run with `python3 -m unittest discover tests/reference`.
"""

import contextlib
import copy
import io
import json
import tempfile
import unittest
from math import inf, nan
from pathlib import Path

import bitmaps
import cases
import formula
import generate
from comparison import differences


class Formula(unittest.TestCase):
    def test_hashes_have_their_published_values(self):
        self.assertEqual(formula.fnv1a64(""), 0xCBF29CE484222325)
        self.assertEqual(formula.fnv1a64("foobar"), 0x85944171F73967E8)
        self.assertEqual(formula.splitmix64(0), 0xE220A8397B1DCDAF)

    def test_values_are_those_of_the_rust_implementation(self):
        values = [formula.value("public", "input", index) for index in range(4)]
        expected = [-0.0055149794, 0.5063175, 0.36494863, -0.29542267]
        for value, number in zip(values, expected, strict=True):
            self.assertAlmostEqual(value, number, places=7)

    def test_indices_are_added_modulo_2_to_64(self):
        # splitmix64's first output from state 0 is 0xE220A8397B1DCDAF.
        wrapped = 2**64 - formula.fnv1a64("public/x")
        self.assertEqual(formula.value("public", "x", wrapped), 0xE220A8 / 2**23 - 1)

    def test_the_kind_of_a_tensor_determines_its_scale(self):
        self.assertEqual(formula.offset_and_scale("bn1.running_var", (3,), 1.4), (1, 0.5))
        self.assertEqual(formula.offset_and_scale("bn1.weight", (3,), 1.4), (1, 0.5))
        self.assertEqual(formula.offset_and_scale("s2.coefficient", (6,), 1.4), (1, 0.5))
        self.assertEqual(formula.offset_and_scale("bn1.running_mean", (3,), 1.4), (0, 0.1))
        self.assertEqual(formula.offset_and_scale("fc.bias", (3,), 1.4), (0, 0.1))
        self.assertEqual(formula.offset_and_scale("conv.weight", (8, 3, 2, 2), 2.0), (0, 1.0))


class Comparison(unittest.TestCase):
    def setUp(self):
        self.committed = {
            "name": "tiny",
            "salt": "public",
            "gain": 1.0,
            "input": [1, 1, 2, 2],
            "parameters": 5,
            "state": {"fc.weight": [1, 4], "fc.bias": [1]},
            "logits": [[10.0], [0.5]],
            "grad": {
                "input": [1, 1, 2, 2],
                "target": [0],
                "loss": 2.0,
                "norms": {"fc.weight": 4.0, "fc.bias": 1e-16},
                "dots": {"fc.weight": 0.5, "fc.bias": -1e-16},
            },
        }
        self.found = copy.deepcopy(self.committed)

    def lines(self) -> list[str]:
        return differences(self.found, self.committed)

    def test_rounding_is_accepted(self):
        self.found["logits"] = [[10.000001], [0.500001]]
        self.found["grad"]["loss"] = 2.0000001
        self.found["grad"]["norms"]["fc.weight"] = 4.000001
        self.found["grad"]["dots"]["fc.weight"] = 0.500001
        self.assertEqual(self.lines(), [])

    def test_a_zero_gradient_is_compared_with_the_largest_norm(self):
        self.found["grad"]["norms"]["fc.bias"] = 5e-15
        self.found["grad"]["dots"]["fc.bias"] = 5e-15
        self.assertEqual(self.lines(), [])
        self.found["grad"]["norms"]["fc.bias"] = 0.004
        self.assertEqual(self.lines(), ["grad: norms: fc.bias: differs by 1.0e-03 of the norm"])

    def test_the_sign_of_a_gradient_counts(self):
        self.found["grad"]["dots"]["fc.weight"] = -0.5
        self.assertEqual(self.lines(), ["grad: dots: fc.weight: differs by 2.5e-01 of the norm"])

    def test_every_field_counts(self):
        for key, value in (("gain", 1.4), ("parameters", 6), ("state", {}), ("input", [1])):
            self.found = self.committed | {key: value}
            self.assertEqual(self.lines(), [f"{key}: another value"])

    def test_logits_and_losses_count(self):
        for wrong in (10.001, nan, inf):
            self.found["logits"][0][0] = wrong
            self.assertEqual(len(self.lines()), 1)
        self.found["logits"] = [[10.0]]
        self.assertEqual(self.lines(), ["logits: another shape"])
        self.found["logits"] = self.committed["logits"]
        self.found["grad"]["loss"] = 2.001
        self.assertEqual(self.lines(), ["grad: loss: differs by 5.0e-04 of the loss"])

    def test_a_missing_step_and_missing_parameters_count(self):
        del self.found["grad"]["dots"]["fc.bias"]
        self.assertEqual(self.lines(), ["grad: other parameters"])
        del self.found["grad"]
        self.assertEqual(self.lines(), ["grad: another value"])


class Cases(unittest.TestCase):
    def test_every_file_is_a_case_and_has_its_inputs(self):
        table = cases.table()
        files = {path.stem: generate.read(path) for path in generate.HERE.glob("*.json")}
        self.assertEqual(files.keys(), table.keys())
        for name, case in table.items():
            found = files[name]
            self.assertEqual(found["name"], name)
            self.assertEqual((tuple(found["input"]), found["gain"]), (case.input, case.gain))
            step = tuple(found["grad"]["input"]) if "grad" in found else None
            self.assertEqual(step, case.step, name)

    def test_codes_are_84_pixels_of_ink_or_background(self):
        codes = bitmaps.codes()
        self.assertEqual([len(code) for code in codes], [84] * 10)
        self.assertEqual({pixel for code in codes for pixel in code}, {-1.0, 1.0})
        self.assertEqual(codes[1].count(1.0), 25)


class CommandLine(unittest.TestCase):
    def run_with(self, *arguments: str) -> tuple[int, str]:
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            status = generate.main(list(arguments))
        return status, errors.getvalue()

    def test_an_unknown_network_is_an_error_that_lists_the_known_ones(self):
        status, message = self.run_with("--check", "resnet19")
        self.assertEqual(status, 2)
        self.assertIn("unknown network 'resnet19', expected one of alexnet, ", message)

    def test_a_missing_or_invalid_file_is_an_error_that_names_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lenet5.json"
            with self.assertRaisesRegex(generate.Failed, r"lenet5\.json: .*No such file"):
                generate.read(path)
            path.write_text("{")
            with self.assertRaisesRegex(generate.Failed, r"lenet5\.json: "):
                generate.read(path)

    def test_differences_are_printed_with_the_file(self):
        path = generate.HERE / "lenet5.json"
        found = json.loads(path.read_text())
        self.assertTrue(generate.check(found, path))
        found["grad"]["dots"]["c1.weight"] *= -1
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            self.assertFalse(generate.check(found, path))
        self.assertIn("lenet5.json: grad: dots: c1.weight: differs by", output.getvalue())


if __name__ == "__main__":
    unittest.main()
