"""`python -m unittest discover benchmarks`: how measurements for the cost model are merged and written."""

import json
import unittest

from cost_model import fastest, text_of


def network(other: float, **seconds: float) -> dict:
    convolution = {"name": "conv", "seconds": dict(seconds)}
    return {"name": "net", "isa": "avx2", "other_seconds": other, "convolutions": [convolution]}


class CostModel(unittest.TestCase):
    def test_the_fastest_measurement_of_each_algorithm_counts(self):
        best = fastest(None, network(2.0, direct=3.0, winograd=5.0))
        best = fastest(best, network(4.0, direct=1.0, winograd=6.0))
        self.assertEqual(best, network(2.0, direct=1.0, winograd=5.0))

    def test_the_text_is_json_with_a_line_for_each_convolution(self):
        networks = [network(1.0, direct=2.0), network(3.0, direct=4.0)]
        text = text_of({"machine": "m", "commit": "c"}, networks)
        self.assertEqual(
            json.loads(text), {"machine": "m", "commit": "c", "networks": networks}
        )
        self.assertEqual(text.count("\n"), 2 * 3 + 2)


if __name__ == "__main__":
    unittest.main()
