"""Running commands, and the reason of a failure."""

import os
import sys
import unittest

from process import Failed, peak_kib, reason, run
from runs import comma_separated, rotated


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

    @unittest.skipUnless(sys.platform == "linux", "reads /proc")
    def test_peak_memory_includes_what_a_process_has_freed(self):
        script = "import time; x = b'x' * (64 << 20); del x; time.sleep(0.1)"
        self.assertGreater(peak_kib([sys.executable, "-c", script], dict(os.environ)), 64 << 10)


class Options(unittest.TestCase):
    def test_a_list_of_known_names(self):
        parse = comma_separated({"a": 1, "b": 2})
        self.assertEqual(parse("b,a"), ["b", "a"])
        with self.assertRaisesRegex(Exception, "unknown c; expected some of a, b"):
            parse("a,c")

    def test_the_order_of_engines_rotates(self):
        self.assertEqual([rotated(["a", "b", "c"], count)[0] for count in range(4)], list("abca"))


if __name__ == "__main__":
    unittest.main()
