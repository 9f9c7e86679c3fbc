"""Runs a command to its end and, where wanted, samples the peak memory of its process."""

import subprocess
import tempfile
import time
from pathlib import Path

# Seconds between two samples of a process's memory.
SAMPLE_SECONDS = 0.0005


class Failed(Exception):
    """A command failed; the message is the line of its standard error that says why."""


def run(command: list, env: dict[str, str] | None = None) -> str:
    """Returns the command's standard output.

    Raises Failed where the command cannot start or exits with another status than 0.
    """
    return execute(command, env, sample_memory=False)[0]


def peak_kib(command: list, env: dict[str, str]) -> int:
    """Returns the peak resident size of the command's process (Linux), mapped files included."""
    return execute(command, env, sample_memory=True)[1]


def execute(command: list, env: dict[str, str] | None, sample_memory: bool) -> tuple[str, int]:
    """Returns the standard output and the peak resident size in KiB (0 where not sampled)."""
    with tempfile.TemporaryFile("w+") as errors:
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, text=True, env=env
            )
        except OSError as error:
            raise Failed(f"{command[0]}: {error.strerror}") from error
        peak = 0
        while sample_memory and process.poll() is None:
            peak = max(peak, high_water_mark(process.pid))
            time.sleep(SAMPLE_SECONDS)
        output = process.communicate()[0]
        if process.returncode:
            errors.seek(0)
            raise Failed(reason(errors.read(), process.returncode))
    return output, peak


def high_water_mark(pid: int) -> int:
    """The peak resident size of a running process in KiB; 0 where /proc does not have it.

    The peak of getrusage is not used: it starts at the peak of the process that forked.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    sizes = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(sizes[0]) if sizes else 0


def reason(errors: str, code: int) -> str:
    """The line of a failed command's standard error that says why it failed.

    The last line with the word "error", else the last line; `note:` lines are ignored.
    """
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("note:")]
    if code < 0:
        return f"ended by signal {-code}"
    if not lines:
        return f"ended with status {code}"
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1])
