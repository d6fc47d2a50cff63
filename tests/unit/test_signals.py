"""A stop is heard wherever it finds the process: within a lock that it wants, within a callback."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from copydicom_app.signals import on_signal

INPUT = Path(__file__).resolve().parents[2] / "bin" / "orthanc.py"

# The module that the input's script imports, which asks for a stop from within a callback.
STOPPED_IN_A_CALLBACK = """
import os, runpy, signal, sys, types, weakref

class Held:
    pass

def main(name):
    def released(reference):
        os.kill(os.getpid(), signal.SIGTERM)
        for _ in range(1000):
            pass

    held = Held()
    reference = weakref.ref(held, released)
    del held
    print("went on")
    return lambda: None

late = types.ModuleType("copydicom_app.splunk.modular_input")
late.__getattr__ = main
sys.modules[late.__name__] = late
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.mark.timeout(20)
def test_a_stop_is_heard_while_the_main_thread_holds_the_lock_that_it_takes() -> None:
    stop = threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    try:
        on_signal(signal.SIGTERM, stop.set)
        with stop._cond:  # as within stop.wait()
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_stop_while_the_input_is_loaded_is_not_lost_in_a_callback() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_IN_A_CALLBACK, str(INPUT)], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
