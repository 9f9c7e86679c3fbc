"""Result files: names, merging, validation, the commit of the measured program."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import results
from results import InvalidResult, default_path, merged, save, supersedes
from test_report import measurement, result

EARLY, LATE = "2026-11-29T10:00:00Z", "2026-11-30T10:00:00Z"


class Merging(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def kinds(self, path: Path) -> list[tuple[str, str]]:
        found = results.read(path)["measurements"]
        return [(each["kind"], each["date"]) for each in found]

    def test_a_file_is_named_by_machine_and_commit(self):
        path = default_path(result(), self.folder)
        self.assertEqual(path.name, "emerald-rapids-2t-abc1234.json")

    def test_measurements_of_other_kinds_and_batches_are_kept(self):
        path = self.folder / "new folder" / "x.json"
        save(result(measurement("training", date=LATE)), path)
        save(result(measurement()), path)
        eight = {"batch": 8, "seconds": 1.0, "rounds": 1}
        save(result(measurement(date="2026-11-29T12:00:00Z", options=eight)), path)
        dates = [("inference", EARLY), ("inference", "2026-11-29T12:00:00Z"), ("training", LATE)]
        self.assertEqual(self.kinds(path), dates)

    def test_a_repeated_measurement_replaces_the_old_one(self):
        path = self.folder / "x.json"
        save(result(measurement()), path)
        save(result(measurement(date=LATE)), path)
        self.assertEqual(self.kinds(path), [("inference", LATE)])

    def test_a_file_of_another_machine_or_commit_is_overwritten(self):
        path = self.folder / "x.json"
        for other in ({"commit": "fffffff"}, {"machine": "zen-4-2t"}):
            save(result(measurement(), **other), path)
            save(result(measurement("training")), path)
            self.assertEqual(self.kinds(path), [("training", EARLY)])

    def test_a_measurement_supersedes_one_of_the_same_or_less(self):
        peaks = {"vgg16": {"receptive": 1.0}}
        row = measurement()["round_ms"]
        fewer = {"vgg16": {"receptive": [1.0]}}
        more = row | {"lenet5": {"receptive": [1.0]}}
        for new, old, expected in [
            (measurement(), measurement(), True),
            (measurement(round_ms=more), measurement(), True),
            (measurement(), measurement(round_ms=fewer), True),
            (measurement(peak_mib=peaks), measurement(), True),
            (measurement(round_ms=fewer), measurement(), False),
            (measurement(), measurement(round_ms=more), False),
            (measurement(), measurement(peak_mib=peaks), False),
            (measurement(), measurement("training"), False),
        ]:
            self.assertEqual(supersedes(new, old), expected)

    def test_merging_does_not_change_its_arguments(self):
        old, new = result(measurement("training")), result(measurement())
        self.assertEqual(len(merged(old, new)["measurements"]), 2)
        self.assertEqual((len(old["measurements"]), len(new["measurements"])), (1, 1))


class Validation(unittest.TestCase):
    def test_results_are_sorted_from_the_newest(self):
        with tempfile.TemporaryDirectory() as folder:
            for machine, date in [("a-1t", EARLY), ("b-1t", LATE)]:
                found = result(measurement(date=date), machine=machine)
                save(found, default_path(found, Path(folder)))
            found = results.read_all(Path(folder))
        self.assertEqual([each["machine"] for each in found], ["b-1t", "a-1t"])

    def test_a_folder_that_does_not_exist_has_no_results(self):
        self.assertEqual(results.read_all(Path("/no/such/folder")), [])

    def test_invalid_results(self):
        invalid = [
            result(schema=0),
            result(threads="2"),
            result(commit=None),
            result(measurement(date="yesterday")),
            result(measurement(options={"seconds": 1.0})),
            result(measurement(round_ms={"vgg16": {"receptive": ["fast"]}})),
            result(measurement(round_ms={"vgg16": {"receptive": [0]}})),
            result(measurement(peak_mib={"vgg16": {"receptive": None}})),
            result(measurement("training", batches={})),
        ]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.json"
            for content in invalid:
                path.write_text(json.dumps(content))
                with self.subTest(content), self.assertRaisesRegex(InvalidResult, r"x\.json"):
                    results.read(path)


class Commit(unittest.TestCase):
    def test_only_changes_of_the_program_make_a_commit_dirty(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)

            def git(*arguments: str) -> None:
                author = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
                subprocess.run(["git", "-C", folder, *author, *arguments], check=True)

            git("init", "--quiet")
            (root / "lib.rs").write_text("")
            git("add", ".")
            git("commit", "--quiet", "--message", "first")
            clean = results.head_commit(root)
            self.assertRegex(clean, "^[0-9a-f]{7}$")
            (root / "benchmarks" / "results").mkdir(parents=True)
            (root / "benchmarks" / "results" / "x.json").write_text("")
            (root / "README.md").write_text("")
            self.assertEqual(results.head_commit(root), clean)
            (root / "lib.rs").write_text("fn main() {}")
            self.assertEqual(results.head_commit(root), f"{clean}-dirty")

    def test_a_folder_outside_git_has_no_commit(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(results.head_commit(Path(folder)), "unknown")


if __name__ == "__main__":
    unittest.main()
