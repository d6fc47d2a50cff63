"""Splunk's XML event stream."""

import io
import json
import xml.etree.ElementTree as ET

from copydicom_app.models import Event
from copydicom_app.splunk.stream import StreamSink


def sink(out: io.BytesIO) -> StreamSink:
    return StreamSink(out, stanza='orthanc://a"<b>&', index="dicom", host="h<1>")


def test_the_stream_is_xml_whatever_the_values_hold() -> None:
    out = io.BytesIO()
    stream = sink(out)
    fields = {"PatientName": "]]><data>&amp;\x00\x1f\u5c71\ud800\n</event>"}
    stream.write(Event("dicom:instance", fields, 1.5))
    stream.write(Event("dicom:instance", {"n": 2}, -1))
    stream.close()
    first, second = ET.fromstring(out.getvalue())
    assert json.loads(first.findtext("data") or "") == fields
    assert (first.get("stanza"), first.get("unbroken")) == ('orthanc://a"<b>&', "1")
    assert [first.findtext(tag) for tag in ("time", "source", "index", "host", "sourcetype")] == [
        "1.500",
        'orthanc://a"<b>&',
        "dicom",
        "h<1>",
        "dicom:instance",
    ]
    assert first.find("done") is not None
    assert second.findtext("time") == "-1.000"


def test_without_an_event_nothing_is_written() -> None:
    out = io.BytesIO()
    sink(out).close()
    assert out.getvalue() == b""
