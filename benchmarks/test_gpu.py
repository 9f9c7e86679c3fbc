"""GPU measurements: cards, commands, tables, result files, and the exit without a GPU."""

import contextlib
import io
import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import gpu
from gpu import Card, command, engines, parse_cards, parse_options, read_line, save, table
from process import Failed

H100 = Card("NVIDIA H100 80GB HBM3", "580.65.06", 81559)
PROGRAMS = {name: Path(f"/programs/{name}") for name in gpu.DEVICES}


def silent(*arguments: str) -> tuple[int, str]:
    """The exit code and the standard error of the script."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = gpu.main(list(arguments))
        except SystemExit as stop:
            code = stop.code
    return code, errors.getvalue()


class Cards(unittest.TestCase):
    def test_the_output_of_nvidia_smi_is_read(self):
        text = "NVIDIA H100 80GB HBM3, 580.65.06, 81559\nNVIDIA A10, 580.65.06, 23028\n"
        self.assertEqual(parse_cards(text), [H100, Card("NVIDIA A10", "580.65.06", 23028)])
        self.assertEqual(parse_cards("No devices were found\n"), [])
        self.assertEqual(parse_cards("NVIDIA H100, 580.65.06, [N/A]\n"), [])

    def test_the_slug_has_the_words_of_the_name(self):
        self.assertEqual(H100.slug, "nvidia-h100-80gb-hbm3")
        self.assertEqual(Card("", "1", 1).slug, "unknown")

    def test_a_missing_nvidia_smi_means_no_card(self):
        with mock.patch("subprocess.run", side_effect=FileNotFoundError()):
            self.assertEqual(gpu.cards(), [])
        failed = mock.Mock(returncode=9, stdout="NVIDIA H100, 580.65.06, 81559\n")
        with mock.patch("subprocess.run", return_value=failed):
            self.assertEqual(gpu.cards(), [])


class Exits(unittest.TestCase):
    def test_without_a_gpu_the_script_exits_with_2_and_says_why(self):
        with mock.patch("gpu.cards", return_value=[]):
            code, message = silent()
        self.assertEqual(code, 2)
        self.assertEqual(
            message, "error: gpu.py needs an NVIDIA GPU: nvidia-smi is missing or lists no GPU\n"
        )

    def test_wrong_arguments_exit_with_2(self):
        for arguments, expected in [
            (["--networks", "resnet51"], "unknown resnet51; expected some of"),
            (["--devices", "metal"], "unknown metal; expected some of wgpu, vulkan, cuda"),
            (["--batches", "1,x"], "expected numbers above 0"),
            (["--batches", "0"], "expected numbers above 0"),
            (["--precisions", "int8"], "unknown int8"),
        ]:
            code, message = silent(*arguments)
            self.assertEqual(code, 2)
            self.assertIn(expected, message)


class Commands(unittest.TestCase):
    def test_every_device_has_its_own_program(self):
        options = parse_options(["--seconds", "2"])
        found = command(options, PROGRAMS, "receptive-vulkan", "resnet50", 32)
        expected = "/programs/vulkan bench resnet50 --device vulkan --batch 32 --seconds 2.0 --json"
        self.assertEqual(found, expected.split())

    def test_pytorch_runs_in_a_worker_of_one_precision(self):
        options = parse_options(["--python", "/venv/python"])
        found = command(options, PROGRAMS, "pytorch-tf32", "vgg16", 256)
        self.assertEqual(found[0], "/venv/python")
        self.assertEqual(Path(found[2]).name, "gpu_worker.py")
        self.assertEqual(found[3:], ["vgg16", "256", "tf32", "3"])

    def test_the_engines_are_the_chosen_devices_and_precisions(self):
        options = parse_options(["--devices", "cuda", "--precisions", "tf32,float32"])
        titles = ["Receptive, cuda", "PyTorch, float32", "PyTorch, TF32"]
        self.assertEqual(list(engines(options).values()), titles)

    def test_a_line_has_the_median_and_the_warm_up(self):
        line = '{"median_ms": 4.25, "warm_up": {"runs": 7, "seconds": 31.5}}'
        self.assertEqual(read_line(f"a warning\n{line}\n"), (4.25, 31.5))


class Measuring(unittest.TestCase):
    def test_an_engine_that_fails_is_left_out_and_named(self):
        arguments = ["--networks", "resnet50", "--batches", "1", "--rounds", "2"]
        options = parse_options([*arguments, "--devices", "wgpu", "--precisions", "float32"])
        options.python = Path("/venv/python")

        def run(arguments):
            if arguments[0] == "/programs/wgpu":
                raise Failed("no adapter")
            return '{"median_ms": 2.5, "warm_up": {"runs": 10, "seconds": 1}}'

        with mock.patch("gpu.run", side_effect=run), contextlib.redirect_stderr(io.StringIO()):
            times, warm_ups, errors = gpu.measure(options, PROGRAMS)
        self.assertEqual(times, {"resnet50": {"1": {"pytorch-float32": [2.5, 2.5]}}})
        self.assertEqual(warm_ups, {"resnet50": {"1": {"pytorch-float32": [1, 1]}}})
        self.assertEqual(errors, {"Receptive, wgpu on resnet50, batch 1": "no adapter"})

    def test_the_table_has_medians_and_ratios_to_float32(self):
        times = {"resnet50": {"32": {"receptive-cuda": [9.0, 10, 30], "pytorch-float32": [5.0]}}}
        titles = {"receptive-cuda": "Receptive, cuda", "pytorch-float32": "PyTorch, float32"}
        self.assertEqual(
            table(times, titles | {"pytorch-tf32": "PyTorch, TF32"}).splitlines(),
            [
                "| ms | images | Receptive, cuda | PyTorch, float32 | PyTorch, TF32 |",
                "| --- | --: | --: | --: | --: |",
                "| resnet50 | 32 | 10 (2.00) | 5 (1.00) |  |",
            ],
        )


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "gpu" / "x.json"

    def result(self, date: str, commit: str = "abc1234") -> dict:
        return gpu.result(parse_options([]), H100, commit, {"date": date})

    def dates(self) -> list[str]:
        return [each["date"] for each in json.loads(self.path.read_text())["measurements"]]

    def test_a_file_names_the_card_its_driver_and_the_commit(self):
        found = self.result("2026-11-29T10:00:00Z")
        self.assertEqual(found["machine"], "nvidia-h100-80gb-hbm3")
        card = {"name": H100.name, "driver": "580.65.06", "memory_mib": 81559}
        self.assertEqual((found["card"], found["commit"]), (card, "abc1234"))
        json.dumps(found)

    def test_measurements_of_one_card_and_commit_are_kept(self):
        save(self.result("2026-11-29T10:00:00Z"), self.path)
        save(self.result("2026-11-30T10:00:00Z"), self.path)
        self.assertEqual(self.dates(), ["2026-11-29T10:00:00Z", "2026-11-30T10:00:00Z"])
        save(self.result("2026-12-01T10:00:00Z", "fffffff"), self.path)
        self.assertEqual(self.dates(), ["2026-12-01T10:00:00Z"])


if __name__ == "__main__":
    unittest.main()
