"""Run Splunk's AppInspect over the package, by the tags below; no failure and no error is allowed.

python packaging/inspect_package.py [PACKAGE]
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

BAD = ("error", "failure", "future_failure")
TAGS = ("cloud", "private_app", "private_victoria", "private_classic", "aarch64_compatibility")


def main() -> int:
    """Print every finding; 0 when none of them is bad."""
    packages = [Path(arg) for arg in sys.argv[1:]] or sorted(Path("dist").glob("copydicom_app-*.spl"))
    return max(show(package, findings(package)) for package in packages)


def findings(package: Path) -> list[dict[str, Any]]:
    """What AppInspect has to say besides success: check name, result, messages."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [str(Path(sys.executable).with_name("splunk-appinspect")), "inspect", str(package)]
        tags = [word for tag in TAGS for word in ("--included-tags", tag)]
        options = ["--mode", "precert", *tags, "--output-file", str(report)]
        done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
        if not report.is_file():
            raise RuntimeError(f"AppInspect gave no report:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        groups = json.loads(report.read_text())["reports"][0]["groups"]
    checks = [check for group in groups for check in group["checks"]]
    return [check for check in checks if check["result"] in (*BAD, "warning")]


def show(package: Path, checks: list[dict[str, Any]]) -> int:
    """Print the findings of one package; 1 when one is bad."""
    print(f"{package.name}: {len(checks)} findings")
    for check in checks:
        print(f"  {check['result']}: {check['name']}")
        for message in check["messages"][:3]:
            print(f"      {message['message'][:160]}")
    return int(any(check["result"] in BAD for check in checks))


if __name__ == "__main__":
    sys.exit(main())
