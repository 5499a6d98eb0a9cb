"""The file of an import, and what is no table."""

from __future__ import annotations

import io

import pytest

from service.cli.importing_source import Source
from service.domain.interchange import Format
from service.errors import InvalidInputError


@pytest.mark.parametrize("header", [b"id,body\rx,1\r", b'id,"body\r"x\n', b"id\n", b"id,id,body\n", b"id,body,more\n"])
def test_a_first_row_that_names_no_columns_is_refused_whatever_is_wrong_with_it(header: bytes):
    with pytest.raises(InvalidInputError, match="the first row"):
        Source(io.BytesIO(header), Format.CSV)
