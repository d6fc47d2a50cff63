"""Run the unit tests under each Python that Splunk bundles and this machine has; say which it lacks.

    python -m testbench.unit_tests_on_pythons

The tests of the packaged app under those Pythons are live tests and run with the others.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from testbench.splunkd.pythons import WANTED, pythons

# The bench's own tests run on the developer's Python, with all the others.
OF_THE_BENCH = ("tests/unit/test_sample_data.py", "tests/unit/test_hospital_dose.py")
PYTEST = ("-m", "pytest", "--quiet", "--numprocesses", "auto", "tests/unit")
PYTEST += tuple(f"--ignore={path}" for path in OF_THE_BENCH)
ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    """0 when all pass; the first failing run's code otherwise."""
    found = pythons()
    for version in WANTED:
        if version not in found:
            print(f"Python {version}: SKIPPED, not on this machine (COPYDICOM_PYTHONS names interpreters)")
            continue
        print(f"Python {version}: unit tests", flush=True)
        python = _environment(version, found[version])
        code = subprocess.run([python, *PYTEST], cwd=ROOT, check=False).returncode
        if code:
            return code
    return 0


def _environment(version: str, interpreter: Path) -> Path:
    """A virtual environment with what a unit test needs."""
    folder = ROOT / f".venv-{version}"
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists() or ready.stat().st_mtime < (ROOT / "pyproject.toml").stat().st_mtime:
        subprocess.run([interpreter, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--editable", ".[test]"], cwd=ROOT, check=True)
        ready.touch()
    return python


if __name__ == "__main__":
    sys.exit(main())
