"""A DICOM file as the simplified tags that Orthanc would give for it, read by pydicom."""

from __future__ import annotations

import io
import warnings
from typing import Any

from copydicom_app.errors import ConfigurationError

_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def simplified_tags(data: bytes, name: str) -> dict[str, Any]:
    """Keyword -> text, or a list of such for a sequence. Private elements and binary values are left out."""
    import pydicom
    from pydicom.errors import InvalidDicomError

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # real files break the standard; what cannot be read is left out
        try:
            dataset = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
            return _tags(dataset)
        except (InvalidDicomError, ValueError, OSError, EOFError, AttributeError, KeyError) as error:
            raise ConfigurationError(
                f"{name} is neither a DICOM file nor the JSON of Orthanc's /instances/{{id}}/tags?simplify"
            ) from error


def _tags(dataset: Any) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    for element in dataset:
        if element.tag.is_private or not element.keyword:
            continue
        if element.VR == "SQ":
            tags[element.keyword] = [_tags(item) for item in element.value or ()]
        elif element.VR not in _BINARY:
            tags[element.keyword] = _text(element.value)
    return tags


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return str(value)
    return str(value) if hasattr(value, "family_name") else "\\".join(map(str, value))
