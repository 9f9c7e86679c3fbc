"""`python -m unittest discover benchmarks`: what is computed from measurements, without an engine."""

import sys
import unittest
from math import inf, nan

from process import Failed, reason, run
from report import departure, number, times_table, widest_spread

TITLES = {"receptive": "Receptive 1", "onnxruntime": "ONNX Runtime 2"}


class Report(unittest.TestCase):
    def test_ratios_of_medians_and_their_geometric_mean(self):
        times = {
            "vgg16": {"receptive": [50.0, 900.0, 40.0], "onnxruntime": [100.0, 101.0, 99.0]},
            "lenet5": {"receptive": [0.04], "onnxruntime": [0.02]},
        }
        self.assertEqual(
            times_table(times, TITLES).splitlines(),
            [
                "| ms | Receptive 1 | ONNX Runtime 2 |",
                "| --- | --: | --: |",
                "| vgg16 | 50 (0.50) | 100 (1.00) |",
                "| lenet5 | 0.04 (2.00) | 0.02 (1.00) |",
                "| geometric mean | 1.00 | 1.00 |",
            ],
        )

    def test_a_mean_of_some_networks_says_so(self):
        times = {"a": {"receptive": [1.0], "onnxruntime": [2.0]}, "b": {"onnxruntime": [3.0]}}
        last = times_table(times, TITLES).splitlines()[-1]
        self.assertEqual(last, "| geometric mean | 0.50 (of 1) | 1.00 |")

    def test_no_ratios_without_the_reference(self):
        times = {"a": {"receptive": [1.5], "onnxruntime": []}}
        self.assertEqual(times_table(times, TITLES).splitlines()[2:], ["| a | 1.5 |  |"])

    def test_spread_is_the_range_over_the_median(self):
        times = {"a": {"x": [9.0, 10.0, 12.0], "y": [1.0]}}
        self.assertEqual(widest_spread(times), (0.3, "x", "a"))
        self.assertIsNone(widest_spread({"a": {"y": [1.0]}}))

    def test_departure(self):
        self.assertEqual(departure([1.0, -4.0], [1.0, -4.0]), 0)
        self.assertEqual(departure([2.0, -4.0], [1.0, -4.0]), 0.25)
        self.assertEqual(departure([1.0, nan], [1.0, 2.0]), inf)
        self.assertEqual(departure([1.0], [1.0, 2.0]), inf)

    def test_numbers_keep_three_digits(self):
        self.assertEqual([number(n) for n in (1234.5, 99.94, 0.02861)], ["1234", "99.9", "0.0286"])


class Process(unittest.TestCase):
    def test_output_and_failure(self):
        self.assertEqual(run([sys.executable, "-c", "print(1)"]), "1\n")
        with self.assertRaisesRegex(Failed, "NameError"):
            run([sys.executable, "-c", "nothing"])
        with self.assertRaisesRegex(Failed, "No such file"):
            run(["/no/such/program"])

    def test_the_reason_is_the_last_line_about_an_error(self):
        self.assertEqual(
            reason("error: no such model\n\nFor more, try --help.\n", 2), "error: no such model"
        )
        self.assertEqual(reason("it panicked\nnote: run with a backtrace\n", 101), "it panicked")
        self.assertEqual(reason("", 3), "ended with status 3")
        self.assertEqual(reason("x", -9), "ended by signal 9")


if __name__ == "__main__":
    unittest.main()
