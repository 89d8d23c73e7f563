#!/usr/bin/env python3
"""The smallest useful extension: every network is a file in a folder, for another tool to act on."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from netext.runner import Device, Failure, main

if TYPE_CHECKING:
    # For the type checker and the editor; at run time a payload is a dictionary.
    from netext import protocol


class Spool(Device):
    """Keeps a file `network-<id>.json` for every implemented network."""

    name = "python-minimal"
    version = "0.1.0"

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def _path(self, network_id: int) -> str:
        return os.path.join(self._folder, f"network-{network_id:d}.json")

    def ensure_network_device(self, file: protocol.EnsureNetworkDeviceFile) -> protocol.DeviceDetails:
        return file["payload"].get("current_details") or file["network-extension-details"]

    def implement_network(self, file: protocol.ImplementNetworkFile) -> None:
        network = file["payload"]
        path = self._path(network["network_id"])
        # Written under another name, unique to this process, and renamed: no reader sees half a file.
        new = f"{path}.{os.getpid()}"
        network.pop("extension_ip", None)
        try:
            os.makedirs(self._folder, exist_ok=True)
            try:
                with open(new, "w", encoding="utf-8") as spooled:
                    json.dump(network, spooled, indent=2)
                os.replace(new, path)
            except BaseException:
                _remove(new)
                raise
        except OSError as error:
            raise Failure(f"cannot write {path}: {error.strerror}") from error

    def shutdown_network(self, file: protocol.ShutdownNetworkFile | protocol.DestroyNetworkFile) -> None:
        path = self._path(file["payload"]["network_id"])
        try:
            _remove(path)
        except OSError as error:
            raise Failure(f"cannot remove {path}: {error.strerror}") from error

    destroy_network = shutdown_network

    def prepare_nic(self, file: protocol.PrepareNicFile) -> None:
        """Does nothing: the network's file is enough."""

    def release_nic(self, file: protocol.ReleaseNicFile) -> None:
        """Does nothing."""


def _remove(path: str) -> None:
    """Removing a file that does not exist succeeds: the server may ask twice."""
    try:
        os.remove(path)
    except FileNotFoundError:
        pass


if __name__ == "__main__":
    sys.exit(main(Spool(os.environ.get("NETEXT_MINIMAL_FOLDER", "/var/spool/netext-minimal"))))
