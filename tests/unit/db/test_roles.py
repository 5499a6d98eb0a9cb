"""The verifier of a password, against the example that RFC 7677 prints."""

from base64 import b64decode

import pytest

from service.db.roles import verifier
from service.errors import InvalidInputError


def test_the_verifier_is_that_of_the_standard():
    made = verifier("pencil", salt=b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
    # The exchange in RFC 7677 ends with this signature, which only the right server key makes.
    assert made.startswith("SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$")
    assert made == (
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
        "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
    )


def test_each_verifier_has_a_salt_of_its_own():
    assert verifier("pencil") != verifier("pencil")


@pytest.mark.parametrize("password", ["é", "a\nb"])
def test_what_would_have_to_be_prepared_first_is_refused(password):
    with pytest.raises(InvalidInputError):
        verifier(password)
