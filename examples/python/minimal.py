#!/usr/bin/env python3
"""The smallest useful extension: every network is a file in a folder, for whatever tool acts on it."""

import json
import os
import sys

from netext.runner import Device, Failure, main


class Spool(Device):
    """Keeps a file `network-<id>.json` for every network that is implemented."""

    name = "python-minimal"
    version = "0.1.0"

    def __init__(self, folder):
        self.folder = folder

    def _file(self, network_id):
        return os.path.join(self.folder, f"network-{network_id}.json")

    def implement_network(self, _details, request):
        path = self._file(request.network_id)
        # Written beside and renamed, by a name that no other process uses: nobody ever reads half of it.
        new = os.path.join(self.folder, f".network-{request.network_id}.{os.getpid()}")
        network = request.to_json()
        network.pop("extension_ip", None)
        try:
            os.makedirs(self.folder, exist_ok=True)
            try:
                with open(new, "w", encoding="utf-8") as file:
                    json.dump(network, file, indent=2)
                os.replace(new, path)
            except BaseException:
                _remove(new)
                raise
        except OSError as error:
            raise Failure(f"cannot write {path}: {error.strerror}") from error

    def shutdown_network(self, _details, request):
        path = self._file(request.network_id)
        try:
            _remove(path)
        except OSError as error:
            raise Failure(f"cannot remove {path}: {error.strerror}") from error

    destroy_network = shutdown_network


def _remove(path):
    """Removing what is not there is no failure: the server may ask twice."""
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


if __name__ == "__main__":
    sys.exit(main(Spool(os.environ.get("NETEXT_MINIMAL_FOLDER", "/var/spool/netext-minimal"))))
