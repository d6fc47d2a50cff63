"""Copies over HTTPS: verified by the server's own bundle, refused without it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from copydicom_app.errors import ConfigurationError
from copydicom_app.orthanc import Orthanc
from copydicom_app.replication.replicate import Replicator
from tests.live.replication.pairs import Pair, config, refs, statuses


def test_a_copy_over_https_is_verified_by_the_bundle_and_by_no_other(pair: Pair) -> None:
    secure = pair.server("secure", tls=True)
    known = replace(config(secure), ca_bundle=str(secure.ca_bundle))
    engine = Replicator(Orthanc(config(pair.source)), Orthanc(known))
    assert statuses(engine.outcomes(refs(pair.cohort))) == {"copied": len(pair.cohort)}
    with pytest.raises(ConfigurationError, match="certificate is not trusted"):
        Orthanc(config(secure)).system()
    assert Orthanc(replace(config(secure), verify_tls=False)).system()["Name"] == "secure"
