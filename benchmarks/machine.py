"""Describes the processor of this machine: name, microarchitecture, instruction sets, slug."""

import os
import platform
import re
from dataclasses import asdict, dataclass
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
SIBLINGS = Path("/sys/devices/system/cpu/cpu0/topology/thread_siblings_list")

# Intel processors of family 6, by model number (CPUID leaf 1), as the Linux kernel names them in
# arch/x86/include/asm/intel-family.h.
INTEL = {
    0x3C: "Haswell", 0x3F: "Haswell", 0x45: "Haswell", 0x46: "Haswell",
    0x3D: "Broadwell", 0x47: "Broadwell", 0x4F: "Broadwell", 0x56: "Broadwell",
    0x4E: "Skylake", 0x5E: "Skylake", 0x8E: "Kaby Lake", 0x9E: "Kaby Lake",
    0xA5: "Comet Lake", 0xA6: "Comet Lake",
    0x6A: "Ice Lake", 0x6C: "Ice Lake", 0x7D: "Ice Lake", 0x7E: "Ice Lake",
    0x8C: "Tiger Lake", 0x8D: "Tiger Lake", 0xA7: "Rocket Lake",
    0x8F: "Sapphire Rapids", 0xCF: "Emerald Rapids",
    0xAD: "Granite Rapids", 0xAE: "Granite Rapids", 0xAF: "Sierra Forest",
    0x97: "Alder Lake", 0x9A: "Alder Lake",
    0xB7: "Raptor Lake", 0xBA: "Raptor Lake", 0xBF: "Raptor Lake",
    0xAA: "Meteor Lake", 0xAC: "Meteor Lake",
    0xB5: "Arrow Lake", 0xC5: "Arrow Lake", 0xC6: "Arrow Lake", 0xBD: "Lunar Lake",
}  # fmt: skip
# Arm's own cores (implementer 0x41), by part number.
ARM = {0xD0C: "Neoverse N1", 0xD40: "Neoverse V1", 0xD49: "Neoverse N2", 0xD4F: "Neoverse V2"}
# The flags of /proc/cpuinfo that inference engines choose kernels by, x86-64's and then AArch64's.
INSTRUCTION_SETS = [
    "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16",
    "amx_tile", "amx_int8", "amx_bf16",
    "asimd", "asimddp", "fphp", "i8mm", "bf16", "sve", "sve2",
]  # fmt: skip


@dataclass
class Processor:
    """A processor as a result file describes it."""

    # The model name that the processor or the hypervisor gives.
    name: str
    # None for a processor that this module does not know.
    microarchitecture: str | None
    # The members of INSTRUCTION_SETS that the processor has.
    instruction_sets: list[str]
    # CPUs that this process may use.
    cpus: int
    # None where the operating system does not say.
    hardware_threads_per_core: int | None
    # Whether a hypervisor runs below the operating system (x86-64 only).
    virtual_machine: bool

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def processor() -> Processor:
    """Describes the processor of this machine."""
    try:
        cpuinfo = CPUINFO.read_text()
    except OSError:
        cpuinfo = ""
    return parse(cpuinfo, cpus(), threads_per_core(SIBLINGS))


def parse(cpuinfo: str, cpus: int, threads_per_core: int | None) -> Processor:
    """Describes the processor from the text of /proc/cpuinfo."""
    fields = first_processor(cpuinfo)
    flags = (fields.get("flags") or fields.get("Features") or "").split()
    name = fields.get("model name") or platform.processor() or platform.machine() or "unknown"
    return Processor(
        name=name,
        microarchitecture=microarchitecture(fields, flags),
        instruction_sets=[name for name in INSTRUCTION_SETS if name in flags],
        cpus=cpus,
        hardware_threads_per_core=threads_per_core,
        virtual_machine="hypervisor" in flags,
    )


def first_processor(cpuinfo: str) -> dict[str, str]:
    """The fields of the first processor of /proc/cpuinfo."""
    lines = cpuinfo.strip().split("\n\n")[0].splitlines()
    pairs = [line.partition(":") for line in lines]
    return {key.strip(): value.strip() for key, _, value in pairs}


def microarchitecture(fields: dict[str, str], flags: list[str]) -> str | None:
    """The microarchitecture's name by family and model number; None for an unknown processor."""
    try:
        if fields.get("CPU implementer") == "0x41":
            return ARM.get(int(fields["CPU part"], 16))
        vendor, family, model = (
            fields["vendor_id"],
            int(fields["cpu family"]),
            int(fields["model"]),
        )
    except (LookupError, ValueError):
        return None
    if vendor == "GenuineIntel" and family == 6:
        return skylake_server(flags) if model == 0x55 else INTEL.get(model)
    if vendor == "AuthenticAMD":
        return amd(family, model)
    return None


def skylake_server(flags: list[str]) -> str:
    """Three Xeon generations share the model number 0x55 and differ in their extensions."""
    if "avx512_bf16" in flags:
        return "Cooper Lake"
    return "Cascade Lake" if "avx512_vnni" in flags else "Skylake-SP"


def amd(family: int, model: int) -> str | None:
    """AMD's Zen generations, by the ranges of the Linux kernel (arch/x86/kernel/cpu/amd.c)."""
    if family == 0x17:
        if model >= 0x30:
            return "Zen 2"
        return "Zen+" if model in (0x08, 0x18) else "Zen"
    if family == 0x19:
        zen4 = 0x10 <= model <= 0x1F or 0x60 <= model <= 0x7F or 0xA0 <= model <= 0xAF
        return "Zen 4" if zen4 else "Zen 3"
    return "Zen 5" if family == 0x1A else None


def threads_per_core(siblings: Path) -> int | None:
    """Counts the CPUs of a list such as `0,64` or `0-1`."""
    try:
        ranges = siblings.read_text().strip().split(",")
        bounds = [[int(end) for end in part.split("-")] for part in ranges]
    except (OSError, ValueError):
        return None
    return sum(bound[-1] - bound[0] + 1 for bound in bounds)


def cpus() -> int:
    """The CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def slug(processor: Processor, threads: int) -> str:
    """A file name's part such as `emerald-rapids-2t`: the processor, and the threads measured."""
    name = processor.microarchitecture or re.sub(
        r"\((r|tm)\)", "", processor.name, flags=re.IGNORECASE
    )
    name = name.replace("+", "-plus")
    words = re.findall(r"[a-z0-9]+", name.lower())
    words = [word for word in words if word not in ("cpu", "processor")] or ["unknown"]
    return f"{'-'.join(words)}-{threads}t"
