"""Weights, arrays, comparisons, programs and ratios of `outputs.py` and `versus.py`."""

import contextlib
import io
import json
import math
import os
import struct
import sys
import tempfile
import unittest
from array import array
from pathlib import Path
from unittest import mock

import fixtures
import outputs
import programs
import versus
from process import Failed, run


class Weights(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.block = fixtures.uniform_block()

    def test_a_file_holds_every_tensor(self):
        state = {"a.weight": [2, 3], "a.bias": [2]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.safetensors"
            fixtures.write_weights(state, self.block, path)
            content = path.read_bytes()
        length = struct.unpack("<Q", content[:8])[0]
        header = json.loads(content[8 : 8 + length])
        self.assertEqual(length % 8, 0)
        self.assertEqual({name: entry["shape"] for name, entry in header.items()}, state)
        self.assertEqual(header["a.bias"]["data_offsets"], [24, 32])
        self.assertEqual(len(content), 8 + length + 32)

    def test_values_are_deterministic_and_in_range(self):
        weight = array("f", fixtures.tensor(self.block, "a.weight", [70_000, 3]))
        self.assertEqual(len(weight), 210_000)
        self.assertLessEqual(max(map(abs, weight)), fixtures.GAIN)
        again = fixtures.tensor(fixtures.uniform_block(), "a.weight", [70_000, 3])
        self.assertEqual(weight.tobytes(), again)
        self.assertNotEqual(again, fixtures.tensor(self.block, "b.weight", [70_000, 3]))
        variance = array("f", fixtures.tensor(self.block, "a.running_var", [100]))
        self.assertTrue(all(0.5 <= value <= 1.5 for value in variance))

    def test_shapes_of_the_networks_that_the_references_lack(self):
        parameters = sum(map(math.prod, fixtures.state("lenet5-1998").values()))
        self.assertEqual(parameters, 60_000)
        self.assertEqual(fixtures.state("resnet50-v1"), fixtures.state("resnet50"))
        full = fixtures.state("mobilenet-v1")
        half = {name: [fixtures.scaled(n, 0.5) for n in shape] for name, shape in full.items()}
        self.assertEqual(half, fixtures.state("mobilenet-v1-0.5"))
        with self.assertRaisesRegex(Failed, "unknown"):
            fixtures.state("no-such-network")


class Comparisons(unittest.TestCase):
    def compare(self, old: list[float], new: list[float]) -> tuple[bool, str]:
        return outputs.compare(*({"logits": array("f", each).tobytes()} for each in (old, new)))

    def test_equal_and_different_outputs(self):
        self.assertEqual(self.compare([1.0, -2.0], [1.0, -2.0]), (True, "identical"))
        self.assertEqual(
            self.compare([1.0, -2.0], [1.5, -2.0]),
            (False, "1 of 2 differ, by 2.5e-01 of the largest at most"),
        )
        self.assertFalse(self.compare([1.0], [1.0, 2.0])[0])
        self.assertFalse(self.compare([1.0], [math.nan])[0])

    def test_a_zero_of_another_sign_is_a_difference(self):
        expected = (False, "1 of 2 differ, by 0.0e+00 of the largest at most")
        self.assertEqual(self.compare([1.0, 0.0], [1.0, -0.0]), expected)

    def test_zero_and_infinite_outputs_prove_nothing(self):
        for values in ([0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]):
            self.assertFalse(self.compare(values, values)[0])

    def test_other_tensors_are_a_difference(self):
        values = array("f", [1.0]).tobytes()
        self.assertFalse(outputs.compare({"a": values}, {"b": values})[0])
        twice = {"a": values, "b": values + values}
        self.assertFalse(outputs.compare(twice, {"a": values + values, "b": values})[0])


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_an_array_is_read_as_it_was_written(self):
        values = array("f", [1.0, 2.0]).tobytes()
        fixtures.write_npy(values, [1, 2], self.folder / "x.npy")
        self.assertEqual(fixtures.read_npy(self.folder / "x.npy"), ((1, 2), values))

    def test_a_file_that_is_no_array(self):
        path = self.folder / "x.npy"
        path.write_bytes(b"something else")
        with self.assertRaises(Failed):
            fixtures.read_npy(path)

    def test_weights_are_read_as_they_were_written(self):
        block, path = fixtures.uniform_block(), self.folder / "x.safetensors"
        fixtures.write_weights({"b.weight": [2, 3], "a.bias": [2]}, block, path)
        found = fixtures.read_weights(path)
        self.assertEqual(found["b.weight"], fixtures.tensor(block, "b.weight", [2, 3]))
        self.assertEqual(list(found), ["a.bias", "b.weight"])

    def test_a_data_set_has_two_classes(self):
        fixtures.write_images(self.folder, 8)
        found = sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*.png"))
        self.assertEqual(len(found), 10)
        self.assertEqual(found[0], "train/a/0.png")
        self.assertTrue((self.folder / found[0]).read_bytes().startswith(b"\x89PNG"))


class Programs(unittest.TestCase):
    def test_a_path_is_the_program(self):
        self.assertEqual(programs.program(sys.executable), Path(sys.executable).resolve())

    def test_an_argument_that_is_neither_path_nor_revision(self):
        with self.assertRaisesRegex(Failed, "neither a program nor a git revision"):
            programs.program("no-such-revision")

    def test_an_unknown_program_ends_with_exit_status_2(self):
        for script in (outputs, versus):
            with (
                mock.patch.object(sys, "argv", ["script", "no-such-revision", "no-such-revision"]),
                contextlib.redirect_stderr(io.StringIO()) as errors,
            ):
                self.assertEqual(script.main(), 2)
            self.assertIn("no-such-revision is neither", errors.getvalue())

    def test_a_commit_is_built_once_from_its_own_checkout(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "repository"
            author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]

            def git(*arguments: str) -> str:
                return run(["git", "-C", root, *author, *arguments]).strip()

            root.mkdir()
            git("init", "--quiet")
            commits = []
            for content in ("first", "second"):
                (root / "file").write_text(content)
                git("add", ".")
                git("commit", "--quiet", "--message", content)
                commits.append(git("rev-parse", "HEAD"))

            def build(checkout: Path, *_: object) -> Path:
                return checkout / "file"

            cache = mock.patch.dict(os.environ, {"XDG_CACHE_HOME": folder})
            with cache, mock.patch("install.build_receptive", side_effect=build) as builder:
                found = programs.built(commits[0], root)
                self.assertEqual(programs.built(commits[0], root), found)
                self.assertEqual(builder.call_count, 1)
            self.assertEqual(found.read_text(), "first")
            self.assertEqual(len(git("worktree", "list").splitlines()), 1)


class Ratios(unittest.TestCase):
    def test_the_median_of_the_ratios_of_pairs(self):
        row, ratio = versus.table_row("vgg16", [[10.0, 9.0], [20.0, 10.0], [10.0, 11.0]])
        self.assertEqual(ratio, 0.9)
        self.assertEqual(row, ["vgg16", "10", "10", "0.900", "0.700 to 1.000"])

    def test_one_pair(self):
        self.assertEqual(versus.table_row("a", [[2.0, 1.0]])[0][3:], ["0.500", "0.500 to 0.500"])


if __name__ == "__main__":
    unittest.main()
