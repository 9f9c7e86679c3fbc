"""Shared by `compare.py` and `training.py`: options, progress, and the result file."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import machine
import report
import results
from install import cache_folder
from results import Measurement, Result
from tables import Peaks, Times

# The load average over the CPUs from which a run prints a warning.
BUSY = 0.2


@dataclass
class Run:
    """The measurements of one run of a script."""

    times: Times = field(default_factory=dict)
    peaks: Peaks = field(default_factory=dict)
    # An engine, or an engine on a network, that could not be measured -> the reason.
    errors: dict[str, str] = field(default_factory=dict)
    # The instruction set of Receptive's kernels.
    isa: str | None = None
    date: str = field(default_factory=results.now)
    load: float = field(default_factory=lambda: round(os.getloadavg()[0], 2))

    def fail(self, subject: str, reason: object) -> None:
        say(f"\n{subject} is not measured: {reason}")
        self.errors[subject] = str(reason).replace(str(Path.home()), "~")

    def to_json(
        self,
        kind: str,
        options: argparse.Namespace,
        versions: dict[str, str],
        batch: int | None = None,
        batches: dict[str, int] | None = None,
    ) -> Measurement:
        """The measurement as result files hold it (see results.py)."""
        batch_option = {} if batch is None else {"batch": batch}
        return {
            "kind": kind,
            "date": self.date,
            "options": {
                **batch_option,
                "networks": options.networks,
                "seconds": options.seconds,
                "rounds": options.rounds,
                "memory": options.memory,
            },
            "load_average": self.load,
            **({} if batches is None else {"batches": batches}),
            "engines": versions,
            "isa": self.isa,
            "round_ms": self.times,
            "peak_mib": self.peaks,
            "errors": self.errors,
        }

    def finish(self, measurement: Measurement, options: argparse.Namespace) -> None:
        """Adds the measurement to the result file and prints its tables."""
        commit = options.commit or results.head_commit()
        if options.receptive and not options.commit:
            say(f"\nThe program is recorded as commit {commit}; --commit names another one.")
        slug = options.machine or machine.slug(machine.processor(), options.threads)
        result: Result = results.new_result(slug, commit, options.threads)
        result["measurements"] = [measurement]
        path = results.save(result, options.out or results.default_path(result))
        print(report.joined(*(generate([result]) for generate in report.DETAILS.values())))
        say(f"\nwritten to {path}")


def add_run_options(parser: argparse.ArgumentParser, seconds: float, rounds: int) -> None:
    """Adds the options that both scripts have."""
    add, venv = parser.add_argument, cache_folder() / "venv"
    add("--seconds", type=float, default=seconds, help=f"of one process (default {seconds:g})")
    add("--rounds", type=int, default=rounds, help=f"processes of each engine (default {rounds})")
    add("--memory", action="store_true", help="measure peak memory too (Linux)")
    add("--out", type=Path, help="result file (default results/MACHINE-COMMIT.json)")
    add("--machine", metavar="SLUG", help="MACHINE of the result file (default: the processor's)")
    add("--commit", help="COMMIT of the result file (default: the checked-out commit)")
    add("--venv", type=Path, default=venv, help="virtual environment (default in ~/.cache)")
    add("--receptive", type=Path, metavar="PATH", help="a built program, instead of building")


def comma_separated(names: Iterable[str]) -> Callable[[str], list[str]]:
    """A parser of lists such as `vgg16,resnet50`, whose items must be among the names."""
    known = list(names)

    def parse(text: str) -> list[str]:
        chosen = text.split(",")
        if unknown := [name for name in chosen if name not in known]:
            message = f"unknown {', '.join(unknown)}; expected some of {', '.join(known)}"
            raise argparse.ArgumentTypeError(message)
        return chosen

    return parse


def rotated(names: list[str], count: int) -> list[str]:
    """Rotates the names to the left, so that no engine always follows the same one."""
    start = count % len(names)
    return names[start:] + names[:start]


def warn_of_load() -> None:
    """Prints a warning where other processes use this machine's CPUs."""
    load, count = os.getloadavg()[0], machine.cpus()
    if load > BUSY * count:
        say(f"The machine is busy: load {load:.1f} on {count} CPUs. Expect noise.")


def say(text: str, end: str = "\n") -> None:
    """Prints progress on standard error."""
    print(text, end=end, file=sys.stderr, flush=True)
