"""What real archives hold and programs stumble over: each is one instance that is added to a study."""

from __future__ import annotations

from datetime import datetime

from pydicom import Dataset
from pydicom.uid import SecondaryCaptureImageStorage

from testbench import phantoms
from testbench.dicom_objects import enhanced_mr, instance, pixels, series
from testbench.hospital_images import SIZE, ct_image
from testbench.hospital_protocols import Plan


def _multiframe(header: Dataset, when: datetime) -> Dataset:
    size, count = 32, 72
    levels = (n % 20 / 19 for n in range(count))
    frames = [phantoms.draw(phantoms.head(x, scalp=90, bone=20, brain=410, fluid=700), size) for x in levels]
    return enhanced_mr(series(header, 90, "DWI multiframe tra", when), frames, size, when)


def _screenshot(header: Dataset, when: datetime) -> Dataset:
    """A secondary capture whose comment is longer than the 256 characters that Orthanc shows."""
    of_series = series(header, 99, "Screenshot", when, Modality="OT")
    ds = instance(of_series, 1, SecondaryCaptureImageStorage, when, ConversionType="WSD")
    ds.ImageComments = " ".join(
        f"Line {n}: compared with the previous study, no change." for n in range(1, 13)
    )
    return pixels(ds, phantoms.draw(phantoms.upright(soft=120, air=40, bone=200), SIZE, bits=8), SIZE, bits=8)


def _private(header: Dataset, when: datetime) -> Dataset:
    """A CT image with a manufacturer's private elements: text, numbers, bytes and a sequence."""
    plan = Plan("Private MPR 2.0", 1, "trunk", {"SliceThickness": 2.0})
    ds = ct_image(series(header, 80, plan.description, when), plan, 0, when)
    block = ds.private_block(0x0029, "COPYDICOM BENCH 1.0", create=True)
    block.add_new(0x01, "LO", "reconstruction job 4711")
    block.add_new(0x02, "FD", [0.25, -1.5])
    block.add_new(0x03, "OB", bytes(range(256)))
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = "X1", "private step"
    block.add_new(0x04, "SQ", [inner])
    return ds


ODDITIES = {"multiframe": _multiframe, "screenshot": _screenshot, "private": _private}
