"""How values are read: lenient in how a scalar is written, strict in what it may be.

The classes in protocol.py declare their fields with these kinds; nothing here knows a command.
"""

import dataclasses
import json
import re
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface


class Refused(Exception):
    """A payload that cannot be understood: where, and why. Never shows the value of a secret."""

    def __init__(self, place, problem):
        super().__init__(f"{place}: {problem}")


class Secret:
    """A text that is not shown by accident."""

    __slots__ = ("_text",)

    def __init__(self, text):
        self._text = text

    def expose(self):
        return self._text

    def __repr__(self):
        return "[redacted]"


def parse(text, place):
    """Reads JSON. A key that is given twice would let two readers see two things; it is refused."""

    def unique(pairs):
        found = dict(pairs)
        if len(found) < len(pairs):
            raise Refused(place, "a field is given twice")
        return found

    def constant(name):
        raise Refused(place, f"{name} is no JSON")

    try:
        return json.loads(text, object_pairs_hook=unique, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        # The text may hold credentials; the message of a JSON error does not repeat it.
        problem = error.msg if isinstance(error, json.JSONDecodeError) else "it cannot be read"
        raise Refused(place, f"not JSON: {problem}") from None


def _excerpt(value):
    text = json.dumps(value)
    return text if len(text) <= 80 else text[:80] + "..."


def _boolean(text):
    return text.lower() == "true"


@dataclasses.dataclass(frozen=True)
class Ports:
    """A port, or all from one to another. No pattern says that the first is the lower one, so the type does."""

    first: int
    last: int

    @classmethod
    def of(cls, text):
        ends = [int(end) for end in re.split("[-:]", text)]
        if ends[0] > ends[-1]:
            raise ValueError(text)
        return cls(ends[0], ends[-1])

    def __str__(self):
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


@dataclasses.dataclass(frozen=True)
class Scalar:
    """A text, a number or a boolean, of which most may be written as any of them."""

    type: type
    written_as: tuple
    pattern: str = ""
    expected: str = ""
    least: int = 0
    secret: bool = False

    def read(self, raw, place):
        text, written_as = self._text(raw)
        if written_as not in self.written_as or len(text) < self.least:
            self._refuse(raw, place)
        if self.pattern and not re.fullmatch(self.pattern, text):
            self._refuse(raw, place)
        if self.secret:
            return Secret(text)
        try:
            return {bool: _boolean, Ports: Ports.of}.get(self.type, self.type)(text)
        except ValueError:
            self._refuse(raw, place)

    @staticmethod
    def _text(raw):
        if isinstance(raw, bool):
            return ("true" if raw else "false"), "boolean"
        if isinstance(raw, (int, float)):
            return str(raw), "number"
        return (raw, "string") if isinstance(raw, str) else ("", "something else")

    def _refuse(self, raw, place):
        found = "the value given" if self.secret else _excerpt(raw)
        raise Refused(place, f"{found} is not {self.expected or 'of the form ' + self.pattern}")


@dataclasses.dataclass(frozen=True)
class JsonObject:
    """An object, or a text that holds one."""

    secret: bool = False

    def read(self, raw, place):
        if isinstance(raw, str):
            raw = parse(raw, place) if raw.strip() else {}
        if not isinstance(raw, dict):
            raise Refused(place, "it is not an object")
        if not self.secret:
            return raw
        if any(isinstance(value, (dict, list)) for value in raw.values()):
            raise Refused(place, "its values are not texts")
        return {name: Secret(value) for name, value in raw.items()}


@dataclasses.dataclass(frozen=True)
class Each:
    """A list of things of one kind."""

    kind: object

    def read(self, raw, place):
        if not isinstance(raw, list):
            raise Refused(place, "it is not a list")
        return [self.kind.read(item, f"{place}[{index}]") for index, item in enumerate(raw)]


def required(kind, *names):
    """A field that has to be there, by its spellings on the wire: by default its name."""
    return dataclasses.field(metadata={"kind": kind, "names": names, "required": True})


def optional(kind, *names):
    """A field that may be absent; null and the empty text count as absent."""
    return dataclasses.field(default=None, metadata={"kind": kind, "names": names, "required": False})


class Fields:
    """What the fields of an object are. Fields that are not declared are ignored: newer servers add some."""

    #: Of each of these groups one field has to be there.
    ONE_OF = ()
    #: Whether the fields stand beside the details, and not in an object of their own.
    FLAT = False

    @classmethod
    def read(cls, raw, place):
        if not isinstance(raw, dict):
            raise Refused(place, "it is not an object")
        values = {}
        for field in dataclasses.fields(cls):
            names = field.metadata["names"] or (field.name,)
            given = [name for name in names if name in raw]
            if len(given) > 1:
                raise Refused(place, f"both {given[0]} and {given[1]} are given")
            name = given[0] if given else names[0]
            value = raw.get(name)
            if value is None or (value == "" and not field.metadata["required"]):
                if field.metadata["required"]:
                    raise Refused(f"{place}.{name}", "it is missing")
            else:
                values[field.name] = field.metadata["kind"].read(value, f"{place}.{name}")
        for group in cls.ONE_OF:
            if not any(name in values for name in group):
                raise Refused(place, f"neither {' nor '.join(group)} is given")
        return cls(**values)

    def to_json(self):
        """The fields that are there, as texts; secrets stay secret."""
        there = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        return {name: str(value) for name, value in there.items() if value is not None}
