"""Runs a command to its end, and watches the memory that it takes."""

import subprocess
import tempfile
import time
from pathlib import Path


class Failed(Exception):
    """A command that ended badly, with the line that says why."""


def run(command: list, env: dict[str, str] | None = None) -> str:
    """The command's standard output."""
    return watched(command, env, watch=False)[0]


def peak_kib(command: list, env: dict[str, str]) -> int:
    """The peak resident size of the command's process (Linux), mapped files included."""
    return watched(command, env, watch=True)[1]


def watched(command: list, env: dict[str, str] | None, watch: bool) -> tuple[str, int]:
    with tempfile.TemporaryFile("w+") as errors:
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env
            )
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from error
        peak = 0
        while watch and process.poll() is None:
            peak = max(peak, high_water_mark(process.pid))
            time.sleep(0.0005)
        output = process.communicate()[0]
        if process.returncode:
            errors.seek(0)
            raise Failed(reason(errors.read(), process.returncode))
    return output, peak


def high_water_mark(pid: int) -> int:
    # Not getrusage's: that starts at the peak of the process that forked.
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(sizes[0]) if sizes else 0


def reason(errors: str, code: int) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("note:")]
    if code < 0:
        return f"ended by signal {-code}"
    if not lines:
        return f"ended with status {code}"
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1])
