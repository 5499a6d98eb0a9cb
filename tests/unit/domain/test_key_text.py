"""The text of a key is recognised, slips in it are told, and what is kept of it is not the text."""

from __future__ import annotations

import hashlib

from hypothesis import assume, given
from hypothesis import strategies as st

from service.domain.key_text import ALPHABET, ID_LENGTH, LENGTH, SECRET_LENGTH, compose_key, digest_of, id_in_key

IDS = st.text(ALPHABET, min_size=ID_LENGTH, max_size=ID_LENGTH)
SECRETS = st.text(ALPHABET, min_size=SECRET_LENGTH, max_size=SECRET_LENGTH)
KEYS = st.builds(compose_key, IDS, SECRETS)


def test_the_secret_has_160_bits():
    assert len(set(ALPHABET)) ** SECRET_LENGTH >= 2**160


@given(IDS, SECRETS)
def test_a_key_tells_its_id(key_id: str, secret: str):
    text = compose_key(key_id, secret)
    assert id_in_key(text) == key_id
    assert len(text) == LENGTH


@given(KEYS, st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET + "_O-é "))
def test_one_wrong_sign_is_told(text: str, place: int, sign: str):
    assume(text[place] != sign)
    assert id_in_key(text[:place] + sign + text[place + 1 :]) is None


@given(KEYS, st.integers(0, LENGTH - 1))
def test_a_key_that_was_cut_off_is_told(text: str, length: int):
    assert id_in_key(text[:length]) is None


@given(KEYS, st.integers(0, LENGTH - 2))
def test_two_signs_that_changed_places_are_told(text: str, place: int):
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    assume(swapped != text)
    assert id_in_key(swapped) is None


@given(st.text())
def test_any_other_text_is_no_key(text: str):
    assert id_in_key(text) is None


def test_a_key_with_a_line_end_is_no_key():
    assert id_in_key(compose_key("0" * ID_LENGTH, "0" * SECRET_LENGTH) + "\n") is None


def test_the_digest_is_the_sha256_of_the_whole_text():
    text = compose_key("0" * ID_LENGTH, "0" * SECRET_LENGTH).encode()
    assert digest_of(text) == hashlib.sha256(text).digest()
