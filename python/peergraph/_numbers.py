"""Enumerations whose members are numbers, and print as names in every version of Python."""

from __future__ import annotations

from enum import Enum, Flag, IntEnum, IntFlag


def formatted(number: int, spec: str) -> str:
    """A format that asks for a number gets one; any other, which may give a width, is of the name."""
    return int.__format__(number, spec) if spec[-1:] in tuple("bcdoxXneEfFgG%") else format(str(number), spec)


class Number(IntEnum):
    """A number of the API."""

    def __str__(self) -> str:
        return Enum.__str__(self)

    def __format__(self, spec: str) -> str:
        return formatted(self, spec)


class Flags(IntFlag):
    """Bits of the API."""

    def __str__(self) -> str:
        return Flag.__str__(self)

    def __format__(self, spec: str) -> str:
        return formatted(self, spec)
