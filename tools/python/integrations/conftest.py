"""Other people's libraries warn as they like; what originates in our package is an error."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

import labtrust

OURS = str(Path(labtrust.__file__).parent)


@pytest.fixture(autouse=True)
def no_warning_is_ours() -> Iterator[None]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    ours = [f"{one.filename}:{one.lineno}: {one.message}" for one in caught if one.filename.startswith(OURS)]
    assert not ours, "\n".join(ours)
