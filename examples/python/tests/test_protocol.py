"""What payloads are understood, and what is refused."""

import json
import sys
import types
import unittest
from ipaddress import IPv4Address, IPv4Interface

import generate
from netext import protocol, wire

#: In a folder that was copied from the checkout they lie beside the schemas.
PLACES = (generate.HERE / "samples", generate.HERE.parent.parent / "netext-protocol" / "fixtures" / "wire")
SAMPLES = sorted(sample for place in PLACES for sample in place.glob("*.json"))


def of_every_command():
    """The module that generate.py writes for all commands of the protocol."""
    module = types.ModuleType("netext.everything")
    module.__package__ = "netext"
    sys.modules[module.__name__] = module
    exec(generate.render(list(protocol.COMMANDS)), module.__dict__)
    return module


def network(**fields):
    return {"payload": {"network_id": "209", **fields}}


class Types(unittest.TestCase):
    def test_the_committed_types_are_those_of_the_schemas(self):
        self.assertEqual(generate.OUTPUT.read_text("utf-8"), generate.render(generate.ANSWERED))

    def test_every_sample_of_every_command_is_understood(self):
        everything = of_every_command()
        self.assertEqual({it.name.split(".")[0] for it in SAMPLES}, set(everything.COMMANDS))
        for sample in SAMPLES:
            with self.subTest(sample.name):
                command = sample.name.split(".")[0]
                everything.read(command, wire.parse(sample.read_text("utf-8"), command))

    def test_values_are_typed_and_several_ways_of_writing_them_are_one(self):
        native = {"network_id": 209, "gateway": "10.1.1.1", "cidr": "10.1.1.0/24", "vlan": 1910}
        texts = {**native, "network_id": "209", "vlan": "1910"}
        read = [protocol.read("implement-network", {"payload": it})[1] for it in (native, texts)]
        self.assertEqual(read[0], read[1])
        self.assertEqual(read[0].network_id, 209)
        self.assertEqual(read[0].gateway, IPv4Address("10.1.1.1"))
        self.assertEqual(read[0].cidr, IPv4Interface("10.1.1.0/24"))

    def test_a_range_of_ports_begins_with_the_lower_one(self):
        sample = next(it for it in SAMPLES if it.name == "add-port-forward.json").read_text("utf-8")
        everything = of_every_command()

        def forward(ports):
            return everything.read("add-port-forward", json.loads(sample.replace('"2222"', json.dumps(ports))))[1]

        self.assertEqual(forward("8080:8090").public_port, wire.Ports(8080, 8090))
        self.assertEqual(str(forward(22).public_port), "22")
        for wrong in ("90-80", "65536", "80-", "-1"):
            with self.subTest(wrong), self.assertRaises(wire.Refused) as refused:
                forward(wrong)
            self.assertIn("is not a port or a range of ports", str(refused.exception))

    def test_details_may_be_an_object_or_a_text(self):
        for value in ({"host": "192.0.2.10"}, '{"host":"192.0.2.10"}'):
            for name in ("network-extension-details", "network_extension_details"):
                details, _ = protocol.read("shutdown-network", {name: value, **network()})
                self.assertEqual(details.network_extension_details, {"host": "192.0.2.10"})

    def test_what_is_not_understood_is_refused_with_its_place(self):
        for fields, problem in (
            ({"network_id": "../etc"}, 'payload.network_id: "../etc" is not a network id'),
            ({"network_id": ""}, "payload.network_id"),
            ({"network_id": None}, "payload.network_id: it is missing"),
            ({"network_id": True}, "payload.network_id"),
            ({"network_id": "209\n"}, "payload.network_id"),
            ({"cidr": "10.1.1.0/99"}, "payload.cidr"),
            ({"gateway": "10.1.1.256"}, "payload.gateway"),
            ({"guest_type": "l3"}, "payload.guest_type"),
            ({"vlan": ["1910"]}, "payload.vlan"),
        ):
            with self.subTest(fields), self.assertRaises(wire.Refused) as refused:
                protocol.read("implement-network", network(**fields))
            self.assertIn(problem, str(refused.exception))

    def test_ambiguous_json_is_refused(self):
        for text in ('{"a":1,"a":2}', '{"a":NaN}', "{", "[" * 100_000):
            with self.subTest(text[:20]), self.assertRaises(wire.Refused):
                wire.parse(text, "payload file")

    def test_secrets_are_not_shown(self):
        everything = of_every_command()
        registered = {"physical-network-extension-details": {"password": "s3cret"}}
        payload = {**network()["payload"], "nic_id": "1", "mac": "02:01:00:d1:00:0a", "password": "s3cret"}
        read = everything.read("save-password", {**registered, "payload": payload})
        self.assertNotIn("s3cret", repr(read))
        self.assertEqual(read[1].password.expose(), "s3cret")
        with self.assertRaises(wire.Refused) as refused:
            everything.read("save-password", {"payload": {**payload, "password": ["s3cret"]}})
        self.assertNotIn("s3cret", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
