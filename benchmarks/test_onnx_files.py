"""Options, tables and failures of onnx_files.py, without engines."""

import contextlib
import io
import unittest

import onnx_files
from install import Engine
from onnx_files import Files, last_line, parse_options, report


class OnnxFiles(unittest.TestCase):
    def setUp(self):
        options = parse_options(["--networks", "resnet18,vgg11", "--threads", "2"])
        engines = {name: Engine(name, "1", [name]) for name in ("receptive", "onnxruntime")}
        self.files = Files(options, "python", engines)
        self.files.times = {
            "2": {
                "resnet18": {"receptive": [2.0, 4.0], "onnxruntime": [6.0, 6.0]},
                "vgg11": {"receptive": [8.0, 8.0], "onnxruntime": [4.0, 4.0]},
            }
        }

    def test_by_default_six_networks_run_on_one_and_two_threads(self):
        options = parse_options([])
        self.assertEqual(options.threads, [1, 2])
        self.assertEqual(len(options.networks), 6)

    def test_the_table_has_medians_and_ratios(self):
        text = report(self.files.times, {"receptive": "Receptive", "onnxruntime": "ONNX Runtime"})
        self.assertIn("2 threads:", text)
        self.assertIn("| resnet18 | 3 (0.50) | 6 (1.00) |", text)
        self.assertIn("| geometric mean | 1.00 | 1.00 |", text)
        self.assertIn("67%, Receptive on resnet18", text)

    def test_an_engine_with_other_outputs_is_left_out(self):
        self.files.outputs = {
            "resnet18": {"receptive": [1.0, 2.1], "onnxruntime": [1.0, 2.0]},
            "vgg11": {"receptive": [1.0, 2.0], "onnxruntime": [1.0, 2.0]},
        }
        with contextlib.redirect_stderr(io.StringIO()):
            self.files.check_outputs()
        self.assertEqual(list(self.files.times["2"]["resnet18"]), ["onnxruntime"])
        self.assertEqual(list(self.files.times["2"]["vgg11"]), ["receptive", "onnxruntime"])
        self.assertIn("Receptive on resnet18", self.files.measured.errors)

    def test_the_last_line_is_the_result(self):
        self.assertEqual(last_line('warning\n{"median_ms": 1}\n'), {"median_ms": 1})

    def test_the_file_names_the_processor_and_the_commit(self):
        self.files.options.commit, self.files.options.machine = "abc1234", "zen-4"
        result = self.files.result()
        self.assertEqual((result["machine"], result["commit"]), ("zen-4", "abc1234"))
        (measurement,) = result["measurements"]
        self.assertEqual(measurement["options"]["threads"], [2])
        self.assertEqual(list(measurement["options"]), list(onnx_files.OPTIONS))


if __name__ == "__main__":
    unittest.main()
