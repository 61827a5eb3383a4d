"""A small drawn set and its audit, made once per module."""

import pytest

from sg_keras.curation.audit import Audit
from tests.curation.drawn_set import Seen, audited, drawn_set


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    return drawn_set(tmp_path_factory.mktemp("set"))


@pytest.fixture(scope="module")
def found(path: str) -> Audit:
    return audited(path, extractor=Seen())
