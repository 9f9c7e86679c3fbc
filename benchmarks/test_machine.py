"""Processors by the text of /proc/cpuinfo, and their slugs."""

import tempfile
import unittest
from pathlib import Path

from machine import parse, slug, threads_per_core


def x86(vendor: str, family: int, model: int, flags: str = "", name: str = "a processor") -> str:
    """Two processors, as /proc/cpuinfo lists them."""
    first = (
        f"processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel\t\t: {model}\n"
        f"model name\t: {name}\nflags\t\t: {flags}\npower management:\n"
    )
    second = first.replace("processor\t: 0", "processor\t: 1")
    return f"{first}\n{second}\n"


def microarchitecture(cpuinfo: str) -> str | None:
    return parse(cpuinfo, 2, None).microarchitecture


class Processors(unittest.TestCase):
    def test_intel(self):
        expected = {207: "Emerald Rapids", 143: "Sapphire Rapids", 106: "Ice Lake", 79: "Broadwell"}
        for model, name in expected.items():
            self.assertEqual(microarchitecture(x86("GenuineIntel", 6, model)), name)
        self.assertIsNone(microarchitecture(x86("GenuineIntel", 6, 1)))
        self.assertIsNone(microarchitecture(x86("GenuineIntel", 15, 207)))

    def test_intel_generations_of_one_model_number(self):
        expected = {
            "avx512f": "Skylake-SP",
            "avx512f avx512_vnni": "Cascade Lake",
            "avx512f avx512_vnni avx512_bf16": "Cooper Lake",
        }
        for flags, name in expected.items():
            self.assertEqual(microarchitecture(x86("GenuineIntel", 6, 85, flags)), name)

    def test_amd(self):
        expected = {
            (23, 1): "Zen", (23, 8): "Zen+", (23, 49): "Zen 2", (25, 1): "Zen 3", (25, 80): "Zen 3",
            (25, 17): "Zen 4", (25, 97): "Zen 4", (25, 160): "Zen 4", (26, 2): "Zen 5",
        }  # fmt: skip
        for (family, model), name in expected.items():
            self.assertEqual(microarchitecture(x86("AuthenticAMD", family, model)), name)
        self.assertIsNone(microarchitecture(x86("AuthenticAMD", 21, 2)))

    def test_arm(self):
        cpuinfo = (
            "processor : 0\nFeatures : fp asimd sve\nCPU implementer : 0x41\nCPU part : 0xd40\n"
        )
        found = parse(cpuinfo, 4, 1)
        self.assertEqual(found.microarchitecture, "Neoverse V1")
        self.assertEqual(found.instruction_sets, ["asimd", "sve"])

    def test_flags_and_hypervisor(self):
        flags = "fpu hypervisor fma avx512f avx2"
        found = parse(x86("GenuineIntel", 6, 207, flags, "Intel(R) Xeon(R) Processor"), 2, 1)
        self.assertEqual(
            found.to_json(),
            {
                "name": "Intel(R) Xeon(R) Processor",
                "microarchitecture": "Emerald Rapids",
                "instruction_sets": ["avx2", "fma", "avx512f"],
                "cpus": 2,
                "hardware_threads_per_core": 1,
                "virtual_machine": True,
            },
        )

    def test_a_system_without_cpuinfo(self):
        found = parse("", 8, None)
        self.assertIsNone(found.microarchitecture)
        self.assertTrue(found.name)

    def test_threads_per_core(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "thread_siblings_list"
            for text, count in [("0\n", 1), ("0,64\n", 2), ("0-3\n", 4), ("", None)]:
                path.write_text(text)
                self.assertEqual(threads_per_core(path), count)
        self.assertIsNone(threads_per_core(Path("/no/such/file")))


class Slugs(unittest.TestCase):
    def test_a_known_processor_is_named_by_its_microarchitecture(self):
        for cpuinfo, expected in [
            (x86("GenuineIntel", 6, 207), "emerald-rapids-2t"),
            (x86("AuthenticAMD", 25, 17), "zen-4-2t"),
            (x86("AuthenticAMD", 23, 8), "zen-plus-2t"),
            (x86("GenuineIntel", 6, 85), "skylake-sp-2t"),
        ]:
            self.assertEqual(slug(parse(cpuinfo, 2, None), 2), expected)

    def test_another_processor_is_named_by_its_model_name(self):
        for name, expected in [
            ("Intel(R) Xeon(R) CPU E5-2690 @ 2.90GHz", "intel-xeon-e5-2690-2-90ghz-16t"),
            ("Some Processor", "some-16t"),
            ("CPU", "unknown-16t"),
        ]:
            cpuinfo = x86("Vendor", 1, 1, name=name)
            self.assertEqual(slug(parse(cpuinfo, 32, None), 16), expected)


if __name__ == "__main__":
    unittest.main()
