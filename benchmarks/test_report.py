"""Tables, markers and `report.py --check`. Run with `python -m unittest discover benchmarks`."""

import contextlib
import copy
import io
import json
import tempfile
import unittest
from math import inf, nan
from pathlib import Path

import report
import tables
from results import default_path
from tables import number, relative_difference, times_table, widest_spread

TITLES = {"receptive": "Receptive 1", "onnxruntime": "ONNX Runtime 2"}


def measurement(kind: str = "inference", **changes) -> dict:
    """A measurement of one network in two engines."""
    found = {
        "kind": kind,
        "date": "2026-11-29T10:00:00Z",
        "options": {"batch": 1, "seconds": 2.0, "rounds": 3},
        "engines": {"receptive": "1", "onnxruntime": "2"},
        "isa": "avx512",
        "round_ms": {"vgg16": {"receptive": [50.0, 40.0, 60.0], "onnxruntime": [100.0] * 3}},
        "peak_mib": {},
        "errors": {},
    }
    if kind == "training":
        found["options"] = {"seconds": 1.0, "rounds": 3}
        found["batches"] = {"lenet5": 64}
        found["engines"] = {"receptive": "1", "pytorch": "3", "pytorch-channels-last": "3"}
        times = {"receptive": [8.0], "pytorch": [20.0], "pytorch-channels-last": [16.0]}
        found["round_ms"] = {"lenet5": times}
    return found | changes


def result(*measurements: dict, **changes) -> dict:
    """A result of a virtual machine with two threads."""
    return {
        "schema": 1,
        "machine": "emerald-rapids-2t",
        "commit": "abc1234",
        "processor": {
            "name": "Intel(R) Xeon(R) Processor",
            "microarchitecture": "Emerald Rapids",
            "instruction_sets": ["avx2", "avx512f"],
            "cpus": 2,
            "hardware_threads_per_core": 1,
            "virtual_machine": True,
        },
        "threads": 2,
        "system": "Linux x86_64",
        "measurements": list(measurements),
    } | changes


class Tables(unittest.TestCase):
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

    def test_a_mean_of_fewer_networks_than_the_table_has_gives_their_number(self):
        times = {"a": {"receptive": [1.0], "onnxruntime": [2.0]}, "b": {"onnxruntime": [3.0]}}
        last = times_table(times, TITLES).splitlines()[-1]
        self.assertEqual(last, "| geometric mean | 0.50 (of 1) | 1.00 |")

    def test_no_ratios_without_the_reference(self):
        times = {"a": {"receptive": [1.5], "onnxruntime": []}}
        self.assertEqual(times_table(times, TITLES).splitlines()[2:], ["| a | 1.5 |  |"])
        self.assertIsNone(tables.mean_ratio(times))

    def test_spread_is_the_range_over_the_median(self):
        times = {"a": {"x": [9.0, 10.0, 12.0], "y": [1.0]}}
        self.assertEqual(widest_spread(times), (0.3, "x", "a"))
        self.assertIsNone(widest_spread({"a": {"y": [1.0]}}))

    def test_relative_difference(self):
        self.assertEqual(relative_difference([1.0, -4.0], [1.0, -4.0]), 0)
        self.assertEqual(relative_difference([2.0, -4.0], [1.0, -4.0]), 0.25)
        self.assertEqual(relative_difference([1.0, nan], [1.0, 2.0]), inf)
        self.assertEqual(relative_difference([1.0], [1.0, 2.0]), inf)

    def test_numbers_keep_three_digits(self):
        self.assertEqual([number(n) for n in (1234.5, 99.94, 0.02861)], ["1234", "99.9", "0.0286"])

    def test_training_ratios_are_to_the_faster_layout(self):
        peaks = {"lenet5": {"receptive": 32.0, "pytorch-channels-last": 836.2}}
        shown = tables.view([measurement("training", peak_mib=peaks)], "training")
        pytorch = "PyTorch 3 | PyTorch 3, channels last"
        self.assertEqual(
            tables.training_table(shown).splitlines(),
            [
                f"| ms | images | Receptive 1 | {pytorch} | ratio | Receptive, MiB | PyTorch, MiB |",
                "| --- | --: | --: | --: | --: | --: | --: | --: |",
                "| lenet5 | 64 | 8 | 20 | 16 | 0.50 | 32 | 836 |",
                "| geometric mean |  |  |  |  | 0.50 |  |  |",
            ],
        )

    def test_training_without_pytorch_has_no_ratio(self):
        shown = tables.view(
            [measurement("training", round_ms={"lenet5": {"receptive": [8.0]}})], "training"
        )
        rows = tables.training_table(shown).splitlines()
        self.assertEqual(rows[0], "| ms | images | Receptive 1 | ratio |")
        self.assertEqual(rows[2:], ["| lenet5 | 64 | 8 |  |"])


class Views(unittest.TestCase):
    def test_rows_are_in_the_order_of_the_networks(self):
        ms = {"receptive": [1.0]}
        networks = {"zebra": ms, "mobilenetv1": ms, "lenet5": ms}
        shown = tables.view([measurement(round_ms=networks)], "inference", 1)
        self.assertEqual(list(shown.times), ["lenet5", "mobilenetv1", "zebra"])

    def test_columns_are_in_the_order_of_the_engines(self):
        row = {"vgg16": {"ncnn": [1.0], "onnxruntime": [1.0], "receptive": [1.0]}}
        shown = tables.view([measurement(round_ms=row)], "inference", 1)
        self.assertEqual(list(shown.titles(shown.times)), ["receptive", "onnxruntime", "ncnn"])
        plain = shown.titles(shown.times, with_version=False)
        self.assertEqual(list(plain.values()), ["Receptive", "ONNX Runtime", "ncnn"])

    def test_the_newest_measurement_of_a_network_counts(self):
        later = "2026-11-30T10:00:00Z"
        row = {"vgg16": {"receptive": [30.0], "onnxruntime": [90.0]}}
        new = measurement(date=later, round_ms=row)
        shown = tables.view([new, measurement()], "inference", 1)
        self.assertEqual(shown.times, row)
        self.assertEqual(shown.timed, [new])

    def test_a_newer_row_with_fewer_engines_does_not_count(self):
        row = {"vgg16": {"receptive": [30.0]}, "lenet5": {"receptive": [0.1]}}
        new = measurement(date="2026-11-30T10:00:00Z", round_ms=row)
        shown = tables.view([measurement(), new], "inference", 1)
        self.assertEqual(shown.times["vgg16"], measurement()["round_ms"]["vgg16"])
        self.assertEqual(shown.times["lenet5"], {"receptive": [0.1]})
        self.assertEqual(len(shown.timed), 2)

    def test_batches_and_kinds_are_separate(self):
        eight = measurement(options={"batch": 8, "seconds": 1.0, "rounds": 2})
        found = [measurement(), eight, measurement("training")]
        self.assertEqual(tables.view(found, "inference", 8).timed, [eight])
        self.assertEqual(list(tables.view(found, "training").times), ["lenet5"])


class Blocks(unittest.TestCase):
    CONDITIONS = (
        "Emerald Rapids (Intel(R) Xeon(R) Processor), AVX-512, virtual machine, 2 threads, "
        "2026-11-29, commit abc1234"
    )

    def test_headline_has_the_newest_result_and_its_conditions(self):
        old = measurement(date="2026-11-01T10:00:00Z", round_ms={"vgg16": {"receptive": [1.0]}})
        found = [result(old, machine="zen-4-2t"), result(measurement())]
        self.assertEqual(
            report.headline(found),
            "| ms | Receptive | ONNX Runtime |\n"
            "| --- | --: | --: |\n"
            "| vgg16 | 50 | 100 |\n\n"
            f"Milliseconds for one image, float32: {self.CONDITIONS}. "
            "Receptive takes 0.50x the time of ONNX Runtime (geometric mean).",
        )

    def test_the_chinese_headline(self):
        self.assertEqual(
            report.chinese_headline([result(measurement())]),
            "| 毫秒 | Receptive | ONNX Runtime |\n"
            "| --- | --: | --: |\n"
            "| vgg16 | 50 | 100 |\n\n"
            "单张图像，float32，单位为毫秒。测试环境：Emerald Rapids (Intel(R) Xeon(R) Processor)，"
            "AVX-512，虚拟机，2 个线程，2026-11-29，提交 abc1234。"
            "Receptive 的用时是 ONNX Runtime 的 0.50 倍（几何平均）。",
        )

    def test_inference_has_conditions_ratios_spread_and_errors(self):
        errors = {"ncnn on vgg16": "ended by signal 9"}
        self.assertEqual(
            report.one_image([result(measurement(errors=errors))]),
            f"1 image; {self.CONDITIONS}; 3 rounds of 2 s:\n\n"
            "| ms | Receptive 1 | ONNX Runtime 2 |\n"
            "| --- | --: | --: |\n"
            "| vgg16 | 50 (0.50) | 100 (1.00) |\n"
            "| geometric mean | 0.50 | 1.00 |\n\n"
            "Widest spread of rounds: 40%, Receptive on vgg16.\n\n"
            "Not measured:\n\n- ncnn on vgg16: ended by signal 9",
        )

    def test_every_machine_has_a_table(self):
        found = [result(measurement()), result(measurement(), machine="zen-4-2t")]
        self.assertEqual(report.one_image(found).count("| vgg16 |"), 2)

    def test_batches_are_ascending_and_without_one_image(self):
        def of(batch: int) -> dict:
            return measurement(options={"batch": batch, "seconds": 1.0, "rounds": 1})

        text = report.batches([result(of(64), measurement(), of(8))])
        lines = [line for line in text.splitlines() if "image" in line]
        self.assertEqual([line.split(";")[0] for line in lines], ["8 images", "64 images"])
        self.assertIn("; 1 round of 1 s:", text)

    def test_memory_has_the_conditions_of_its_own_measurement(self):
        peaks = {"vgg16": {"receptive": 933.0, "onnxruntime": 1002.4}}
        later = measurement(date="2026-11-30T10:00:00Z")
        text = report.memory([result(measurement(peak_mib=peaks), later)])
        self.assertEqual(text.splitlines()[0], f"1 image; {self.CONDITIONS}:")
        self.assertEqual(text.splitlines()[-1], "| vgg16 | 933 | 1002 |")

    def test_training(self):
        text = report.training([result(measurement("training"))])
        self.assertTrue(text.startswith(f"Training step; {self.CONDITIONS}; 3 rounds of 1 s:"))
        self.assertIn("| lenet5 | 64 | 8 | 20 | 16 | 0.50 |", text)

    def test_measurements_of_two_days_have_both_dates(self):
        row = {"lenet5": {"receptive": [1.0]}}
        later = measurement(date="2026-11-30T10:00:00Z", round_ms=row)
        text = report.one_image([result(measurement(), later)])
        self.assertIn("2026-11-29 to 2026-11-30", text)

    def test_an_unknown_processor_is_described_by_its_name(self):
        self.assertEqual(report.describe_processor({"name": "Some CPU"}), "Some CPU")
        arm = {"name": "a", "microarchitecture": "Neoverse N1", "instruction_sets": ["asimd"]}
        self.assertEqual(report.describe_processor(arm), "Neoverse N1 (a), Neon")


def block(name: str, content: str = "") -> str:
    begin = f"<!-- benchmarks:{name} begin (generated by benchmarks/report.py) -->"
    return f"{begin}\n{content}\n<!-- benchmarks:{name} end -->"


class Markers(unittest.TestCase):
    def test_the_text_between_markers_is_replaced(self):
        text = f"before\n{block('memory', 'old')}\nafter\n"
        generators = {"memory": report.memory}
        new = report.fill(text, generators, [])
        filled = block("memory", f"\n{report.NO_RESULT}\n")
        self.assertEqual(new, f"before\n{filled}\nafter\n")
        self.assertEqual(report.fill(new, generators, []), new)

    def test_missing_repeated_swapped_and_unknown_markers_are_errors(self):
        begin, _, end = block("memory").split("\n")
        for text in ("", begin, end, f"{end}\n{begin}", block("memory") * 2, block("mystery")):
            with self.subTest(text), self.assertRaises(report.InvalidMarkers):
                report.fill(text, {"memory": report.memory}, [])


class Check(unittest.TestCase):
    """`report.py` on a folder with both READMEs and one result."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.results = self.root / "benchmarks" / "results"
        self.results.mkdir(parents=True)
        for name, markers in report.FILES.items():
            blocks = "\n\n".join(block(marker) for marker in markers)
            (self.root / name).write_text(f"# Title\n\n{blocks}\n")
        self.write(result(measurement()))

    def write(self, content: dict) -> None:
        path = default_path(content, self.results)
        path.write_text(json.dumps(content))

    def run_report(self, check: bool) -> tuple[int, str]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            status = report.run(self.root, check)
        return status, output.getvalue()

    def test_check_fails_before_and_passes_after_a_rewrite(self):
        status, output = self.run_report(check=True)
        self.assertEqual(status, 1)
        self.assertIn("+| vgg16 | 50 (0.50) | 100 (1.00) |", output)
        self.assertEqual(self.run_report(check=False)[0], 0)
        self.assertEqual(self.run_report(check=True), (0, ""))

    def test_check_changes_no_file(self):
        before = (self.root / "README.md").read_text()
        self.run_report(check=True)
        self.assertEqual((self.root / "README.md").read_text(), before)

    def test_check_fails_on_a_changed_number_of_a_readme(self):
        self.run_report(check=False)
        path = self.root / "README.md"
        path.write_text(path.read_text().replace("| vgg16 | 50 |", "| vgg16 | 5 |"))
        status, output = self.run_report(check=True)
        self.assertEqual(status, 1)
        self.assertIn("-| vgg16 | 5 | 100 |\n+| vgg16 | 50 | 100 |", output)

    def test_check_fails_on_a_changed_number_of_a_result(self):
        self.run_report(check=False)
        changed = measurement()
        changed["round_ms"]["vgg16"]["receptive"] = [70.0]
        self.write(result(changed))
        status, output = self.run_report(check=True)
        self.assertEqual(status, 1)
        self.assertIn("+| vgg16 | 70 (0.70) | 100 (1.00) |", output)

    def test_a_readme_without_markers_is_an_error(self):
        (self.root / "README.md").write_text("# Title\n")
        for check in (True, False):
            status, output = self.run_report(check)
            self.assertEqual(status, 1)
            self.assertIn("error: README.md: expected the lines", output)

    def test_an_invalid_result_is_an_error(self):
        for content in ("{", "[]", json.dumps(result(measurement(kind="speed")))):
            (self.results / "x.json").write_text(content)
            status, output = self.run_report(check=True)
            self.assertEqual(status, 1)
            self.assertIn("error: x.json", output)

    def test_a_result_under_another_name_is_an_error(self):
        (self.results / "zen-4-2t-abc1234.json").write_text(json.dumps(result(measurement())))
        status, output = self.run_report(check=True)
        self.assertEqual(status, 1)
        self.assertIn("expected the name emerald-rapids-2t-abc1234.json", output)

    def test_without_results_the_tables_say_so(self):
        default_path(result(), self.results).unlink()
        self.run_report(check=False)
        for name in report.FILES:
            no_result = report.CHINESE_NO_RESULT if ".zh." in name else report.NO_RESULT
            self.assertIn(no_result, (self.root / name).read_text())

    def test_a_result_is_not_changed_by_a_report(self):
        found = result(measurement(), measurement("training"))
        before = copy.deepcopy(found)
        for generators in report.FILES.values():
            for generate in generators.values():
                generate([found])
        self.assertEqual(found, before)


if __name__ == "__main__":
    unittest.main()
