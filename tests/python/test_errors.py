"""Every code has its class, and every class is what a Python programmer would expect to catch."""

from __future__ import annotations

import copy
import pickle

import peergraph
import pytest
from peergraph import _codes, _native, errors

ERRORS = sorted(code for code in _codes.STATUS if code < 0)
BUILTINS = {
    _codes.E_INVALIDARG: ValueError,
    _codes.E_OUTOFMEMORY: MemoryError,
    _codes.E_ACCESSDENIED: PermissionError,
    _codes.PEER_E_DISK_FULL: OSError,
    _codes.PEER_E_NOT_INITIALIZED: RuntimeError,
    _codes.PEER_E_RECORD_NOT_FOUND: KeyError,
    _codes.PEER_E_DATABASE_NOT_PRESENT: FileNotFoundError,
    _codes.PEER_E_DATABASE_ALREADY_PRESENT: FileExistsError,
    _codes.PEER_E_DATABASE_ACCESSDENIED: PermissionError,
    _codes.PEER_E_NOT_AUTHORIZED: PermissionError,
    _codes.PEER_E_INVALID_ATTRIBUTES: ValueError,
    _codes.PEER_E_CONNECTION_FAILED: ConnectionError,
    _codes.PEER_E_CONNECTION_REFUSED: ConnectionRefusedError,
    _codes.PEER_E_CONNECT_SELF: peergraph.ConnectionFailed,
    _codes.PEER_E_DATABASE_IN_USE: peergraph.DatabaseError,
    _codes.PEER_E_TOO_MANY_ATTRIBUTES: peergraph.InvalidAttributes,
}


@pytest.mark.parametrize("code", ERRORS, ids=lambda code: _codes.STATUS[code][0])
def test_every_error_code_has_a_class(code):
    error = errors.error_for(code, "about this")
    assert type(error) is not peergraph.PeerError
    assert type(error).__name__ == _codes.EXCEPTIONS[code]
    assert getattr(peergraph, type(error).__name__) is type(error)
    assert (error.code, error.message) == (code, "about this")
    assert str(error) == f"{error.name}: about this"
    assert repr(error) == f"{_codes.EXCEPTIONS[code]}({error.name}, 'about this')"


@pytest.mark.parametrize("code", ERRORS, ids=lambda code: _codes.STATUS[code][0])
def test_the_table_and_the_library_agree(code):
    assert _native.status_name(code) == _codes.STATUS[code][0]
    assert _native.status_text(code) == _codes.STATUS[code][1]


@pytest.mark.parametrize("code", BUILTINS, ids=lambda code: _codes.STATUS[code][0])
def test_errors_are_the_built_in_ones_too(code):
    assert isinstance(errors.error_for(code), BUILTINS[code])


def test_every_class_is_reachable_and_documented():
    used = {errors._CLASSES[code] for code in ERRORS}
    bases = {base for cls in used for base in cls.__mro__}
    for name in errors.__all__:
        cls = getattr(peergraph, name)
        assert cls in bases, f"no code leads to {name}"
        assert cls.__doc__, name
        assert name in peergraph.__all__


def test_an_error_reads_well():
    error = errors.error_for(_codes.PEER_E_DATABASE_IN_USE, '"film club/bob" is open in process 4711')
    assert str(error) == 'PEER_E_DATABASE_IN_USE: "film club/bob" is open in process 4711'
    assert f"{type(error).__module__}.{type(error).__name__}" == "peergraph.DatabaseInUse"
    missing = errors.error_for(_codes.PEER_E_RECORD_NOT_FOUND, "there is no 1")
    assert str(missing) == "PEER_E_RECORD_NOT_FOUND: there is no 1"  # KeyError alone would show its repr


def test_an_error_without_a_message_says_what_its_code_means():
    assert str(errors.error_for(_codes.PEER_E_DISK_FULL)) == "PEER_E_DISK_FULL: the disk is full"


def test_an_unknown_code_is_a_plain_error():
    error = errors.error_for(-2140930000, "from the future")
    assert type(error) is peergraph.PeerError
    assert error.name == f"0x{-2140930000 & 0xFFFFFFFF:08X}"


@pytest.mark.parametrize("code", ERRORS, ids=lambda code: _codes.STATUS[code][0])
def test_errors_travel(code):
    error = errors.error_for(code, "about this")
    for other in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert type(other) is type(error)
        assert (other.code, other.message, str(other)) == (code, "about this", str(error))


def test_a_failure_says_which_value_it_is_about(runtime):
    with pytest.raises(peergraph.DatabaseNotPresent) as caught:
        runtime.delete_graph("no such graph", peer_id="alice")
    assert "no such graph" in str(caught.value)
    assert _native.last_error_message() == caught.value.message


def test_text_that_c_cannot_hold_is_refused(runtime):
    for text in ("a\0b", "\udc80"):
        with pytest.raises(peergraph.InvalidArgument):
            runtime.open_graph(text, peer_id="alice")
        with pytest.raises(peergraph.InvalidArgument):
            runtime.open_graph("film club", peer_id=text)
