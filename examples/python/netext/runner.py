"""The process of an extension behind `netext normalize`: one answer, or one line and an exit code.

`netext` has checked the arguments and the payload, enforces the deadline, and passes on the answer or the line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any, Mapping, Sequence


class Failure(Exception):
    """A command failed. The operator reads the message only: it says what was attempted, on what, and why."""

    exit_code = 3


class NotImplementedHere(Failure):
    """This device does not implement the command."""

    exit_code = 5


class Device:
    """A device: a method for every command that it implements, named like the command with `_`.

    A method gets the payload file, a dictionary of the type with the command's name: `AssignIpFile` for assign-ip. It
    returns a dictionary for ensure-network-device and implement-network, a text or a dictionary for custom-action,
    else nothing; or it raises `Failure`. Every command may come twice, and several run at the same time, each in its
    own process.

    The payload holds secrets, and so does "physical-network-extension-details": never print values of either.
    """

    name = version = ""
    #: The services of the device; the line in minimal.sh names the same.
    services: Sequence[str] = ()
    #: Their capabilities: service to capability to value. The server needs some of them; the command reference lists
    #: them, and `netext conformance` names each missing one.
    capabilities: Mapping[str, Mapping[str, str]] = {}

    def describe(self) -> dict[str, Any]:
        """The description for the operator's registration and for `netext conformance`."""
        methods = [name for name in dir(self) if not name.startswith("_") and callable(getattr(self, name))]
        return {
            "name": self.name,
            "version": self.version,
            "services": list(self.services),
            "commands": [name.replace("_", "-") for name in methods if name != "describe"],
            "network.services": ",".join(self.services),
            "network.service.capabilities": json.dumps(self.capabilities, separators=(",", ":")),
        }


def main(device: Device) -> int:
    """The whole `main` of an extension. All other output is lost, also that of children."""
    # The deadline comes as SIGTERM: an exception ends the method, so that it can undo its work.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    stdout, stderr = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    try:
        _write(stdout, _answer(device, sys.argv[1:]))
        return 0
    except Failure as error:
        _write(stderr, str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001
        trace = error.__traceback__
        while trace and trace.tb_next:
            trace = trace.tb_next
        place = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"
        # Without its message, which may hold a credential.
        _write(stderr, f"internal error: {type(error).__name__} at {place}")
        return 70


def _answer(device: Device, arguments: Sequence[str]) -> str:
    if arguments == ["--describe"]:
        return json.dumps(device.describe())
    if len(arguments) != 3:
        raise Failure("netext normalize runs this program: see README.md")
    command, path, _timeout = arguments
    method = getattr(device, command.replace("-", "_"), None)
    if method is None:
        raise NotImplementedHere(f"{command} is not implemented by this device")
    with open(path, encoding="utf-8") as file:
        answer = method(json.load(file))
    return answer or "" if isinstance(answer, (str, type(None))) else json.dumps(answer, separators=(",", ":"))


def _write(stream: int, line: str) -> None:
    with os.fdopen(stream, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(line)
