"""The rows of Splunk's search command protocol: picked and extended without being taken apart."""

from __future__ import annotations

import io

import pytest

from copydicom_app.splunk.chunked import Frame, ProtocolError, extended, picked, read_frame, write_frame

BODY = ('ID,__mv_ID,note,__mv_note\na,,"x, ""y""\nz",\n"b\nc",$b$;$c$$1$,,\n,,é,\n').encode()


def test_a_frame_comes_out_as_it_went_in() -> None:
    stream = io.BytesIO()
    write_frame(stream, Frame({"finished": False, "what": "é"}, BODY))
    write_frame(stream, Frame({}))
    stream.seek(0)
    assert read_frame(stream) == Frame({"finished": False, "what": "é"}, BODY)
    assert read_frame(stream) == Frame({})
    assert read_frame(stream) is None


def test_a_frame_that_breaks_off_is_the_end_and_stray_text_is_an_error() -> None:
    assert read_frame(io.BytesIO(b"chunked 1.0,2,10\n{}abc")) is None
    with pytest.raises(ProtocolError):
        read_frame(io.BytesIO(b"hello\n"))


def test_none_one_or_many_values_are_picked() -> None:
    assert list(picked(BODY, ["ID", "absent"])) == [[["a"], []], [["b", "c$1"], []], [[], []]]


def test_rows_are_extended_and_else_untouched() -> None:
    out = extended(BODY, ["copydicom_status"], [["copied"], ["failed"], ["missing"]])
    assert out.decode() == (
        "ID,__mv_ID,note,__mv_note,copydicom_status\n"
        'a,,"x, ""y""\nz",,copied\n'
        '"b\nc",$b$;$c$$1$,,,failed\n'
        ",,é,,missing\n"
    )


def test_fields_of_an_earlier_copydicom_are_replaced() -> None:
    once = extended(BODY, ["copydicom_status"], [["copied"], ["copied"], ["copied"]])
    twice = extended(once, ["copydicom_status"], [["present"], ["present"], ["present"]])
    assert twice == once.replace(b"copied", b"present")
    assert list(picked(twice, ["copydicom_status"])) == [[["present"]]] * 3


def test_a_header_without_rows_and_an_empty_body_stay_so() -> None:
    assert extended(b"ID,__mv_ID\n", ["x"], []) == b"ID,__mv_ID,x\n"
    assert list(picked(b"", ["ID"])) == []


def test_a_field_longer_than_python_takes_by_default_is_read() -> None:
    long = "x" * 200_000
    assert list(picked(f"ID,_raw\na,{long}\n".encode(), ["_raw"])) == [[[long]]]


def test_a_nul_is_kept_on_every_python() -> None:
    assert extended(b"ID,note\na,b\0c\n", ["x"], [["1"]]) == b"ID,note,x\na,b\0c,1\n"
    assert list(picked(b"ID,note\na,b\0c\n", ["ID"])) == [[["a"]]]


def test_a_row_that_breaks_off_is_filled_up() -> None:
    body = b"note,ID,__mv_ID\nx\ny,a,\n"
    assert list(picked(body, ["ID"])) == [[[]], [["a"]]]
    assert extended(body, ["n"], [[1], [2]]) == b"note,ID,__mv_ID,n\nx,,,1\ny,a,,2\n"


def test_a_lone_carriage_return_splits_no_row_on_any_python() -> None:
    assert extended(b'ID,note\na,"b\rc"\n', ["x"], [["1"]]) == b'ID,note,x\r\na,"b\rc",1\r\n'
