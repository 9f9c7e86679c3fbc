"""Tests of check_packages.py: `python3 -m unittest discover .ci`."""

import io
import os
import tarfile
import tempfile
import unittest

from check_packages import LIMIT, REQUIRED, contents, faults

SOUND = {name: b"text\n" for name in REQUIRED} | {"src/lib.rs": b""}


def found(files, size=1):
    return list(faults("a.crate", files, size))


class Faults(unittest.TestCase):
    def test_a_sound_package_has_none(self):
        self.assertEqual(found(SOUND), [])

    def test_every_required_file_is_missed(self):
        for name in REQUIRED:
            files = {file: text for file, text in SOUND.items() if file != name}
            self.assertEqual(found(files), [f"a.crate: no {name}"])

    def test_the_path_of_a_licence_is_not_its_text(self):
        files = SOUND | {"LICENSE-MIT": b"../LICENSE-MIT"}
        self.assertEqual(found(files), ["a.crate: LICENSE-MIT is not the text of a licence"])

    def test_tests_and_their_data_are_not_for_users(self):
        for file in (
            "src/tests.rs", "src/a/tests/mod.rs", "tests/a.rs", "src/snapshots/a.snap",
            "proptest-regressions/a.txt",
        ):
            self.assertEqual(found(SOUND | {file: b""}), [f"a.crate: {file} is not for users"])
        self.assertEqual(found(SOUND | {"src/latest.rs": b"", "src/test_images.rs": b""}), [])

    def test_files_of_others_need_their_licence(self):
        files = SOUND | {"assets/mobilenet_v2-f16.safetensors": b""}
        self.assertEqual(len(found(files)), 1)
        self.assertEqual(found(files | {"assets/LICENSE-torchvision": b"text\n"}), [])
        digits = SOUND | {"assets/mnist/train-images-idx3-ubyte.gz": b""}
        self.assertEqual(len(found(digits)), 1)
        self.assertEqual(found(digits | {"assets/README.md": b"text\n"}), [])

    def test_the_size_is_limited(self):
        self.assertEqual(found(SOUND, LIMIT), [])
        self.assertEqual(len(found(SOUND, LIMIT + 1)), 1)


class Contents(unittest.TestCase):
    def test_names_are_without_the_outer_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a-1.0.0.crate")
            with tarfile.open(path, "w:gz") as archive:
                entry = tarfile.TarInfo("a-1.0.0/src/lib.rs")
                entry.size = 4
                archive.addfile(entry, io.BytesIO(b"text"))
            self.assertEqual(contents(path), {"src/lib.rs": b"text"})


if __name__ == "__main__":
    unittest.main()
