"""The contract of the process: arguments, streams, time, exit codes."""

import json
import os
import signal
import sys

from . import protocol, wire

USAGE = "usage: <extension> <command> <payload-file> <timeout-seconds> | --describe"


class Failure(Exception):
    """A command failed. The message is all that an operator reads: what was attempted, on what, and why."""

    exit_code = 3


class Invalid(Failure):
    """The command line, the payload or what is registered cannot be used."""

    exit_code = 1


class NotImplementedHere(Failure):
    """The protocol knows the command, and this device does not."""

    exit_code = 5


class CalledOff(BaseException):
    """The time is over, or the process was asked to end. No `except Exception` holds it up."""

    def __init__(self, why, exit_code):
        super().__init__(why)
        self.exit_code = exit_code


class Device:
    """A device: a method for every command that it answers, named like the command with `_`.

    A method gets the details that travel with every command and the typed payload. It answers a dictionary for
    ensure-network-device and implement-network, a text or a dictionary for custom-action, else nothing; or it
    raises `Failure`. Every command may come twice, and several run at the same time, each in its own process.

    What an operator registered is `details.physical_network_extension_details`, by name, if anything is. Each is
    a `Secret`, because some are credentials: `["hosts"].expose()` is the text.
    """

    name = version = ""
    #: The services that it provides; commands of others succeed without reaching it.
    services = ()

    def ensure_network_device(self, details, request):
        return request.current_details or details.network_extension_details or {}

    def prepare_nic(self, details, request):
        pass

    def release_nic(self, details, request):
        pass

    def _method(self, command):
        return getattr(self, command.replace("-", "_"), None)

    def _provides(self, command):
        services = protocol.COMMANDS[command]
        return not services or any(service in self.services for service in services)

    def describe(self):
        """What an operator registers, and what `netext conformance` asks for."""
        commands = [name for name in protocol.COMMANDS if self._provides(name) and self._method(name)]
        return {
            "name": self.name,
            "version": self.version,
            "protocol_version": protocol.VERSION,
            "services": list(self.services),
            "commands": commands,
            "network.services": ",".join(self.services),
        }

    def answer(self, command, text):
        """Answers one command with what is to be printed."""
        document = wire.parse(text, command)
        if not self._provides(command):
            return ""
        method = self._method(command)
        if method is None:
            raise NotImplementedHere(f"{command} is not implemented by this device")
        details, request = protocol.read(command, document)
        answer = method(details, request)
        if answer is None or isinstance(answer, str):
            return answer or ""
        return json.dumps(answer, separators=(",", ":"))


def main(device):
    """The whole `main` of an extension. Whatever is printed on the way is lost, by children as well."""
    stdout, stderr = os.dup(1), os.dup(2)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    try:
        answer = _run(device, sys.argv[1:])
        if answer:
            _write(stdout, answer)
        return 0
    except (Failure, wire.Refused, CalledOff) as error:
        problem, code = str(error), getattr(error, "exit_code", Invalid.exit_code)
    except Exception as error:  # noqa: BLE001
        code, trace = 70, error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        place = os.path.basename(trace.tb_frame.f_code.co_filename)
        problem = f"internal error: {type(error).__name__} at {place}:{trace.tb_lineno}"
        # These speak of the program. What others say may be anything, a credential too.
        if isinstance(error, (AttributeError, ImportError, NameError, TypeError)):
            problem += f": {error}"
    # One line, whatever it says.
    _write(stderr, "".join(it if it.isprintable() else repr(it)[1:-1] for it in problem))
    return code


def _run(device, arguments):
    if arguments == ["--describe"]:
        return json.dumps(device.describe())
    if len(arguments) != 3:
        raise Invalid(USAGE)
    command, path, timeout = arguments
    if command not in protocol.COMMANDS:
        raise Invalid(f"{command!r} is not a command of protocol version {protocol.VERSION}")
    if not (timeout.isascii() and timeout.isdigit() and 0 < int(timeout) < 86400):
        raise Invalid(f"the timeout is {timeout!r}; it is a number of seconds")
    _end_after(int(timeout))
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "it is not UTF-8")
        raise Invalid(f"cannot read the payload file {path}: {why}") from None
    return device.answer(command, text)


def _end_after(seconds):
    def called_off(number, _frame):
        if number == signal.SIGALRM:
            raise CalledOff(f"called off: the {seconds} s are over", 4)
        raise CalledOff("called off: asked to end", 128 + number)

    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, called_off)
    signal.alarm(seconds)


def _write(stream, line):
    signal.alarm(0)
    with os.fdopen(stream, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(line + "\n")
