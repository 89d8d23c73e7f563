"""The extension, run as CloudStack runs it: `netext` must be on the PATH."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).resolve().parent.parent
#: In a copy of the folder they are in `samples`.
PLACES = (HERE / "samples", HERE.parent.parent / "netext-protocol" / "fixtures" / "wire")
SAMPLES = sorted(sample for place in PLACES for sample in place.glob("**/*.json"))
SECRET = "s3cret-of-the-operator"


class Extension(unittest.TestCase):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.scratch)
        self.folder = self.scratch / "spool"
        self.program = [str(HERE / "minimal.sh")]
        self.temporary = self.scratch / "temporary"
        self.temporary.mkdir()

    def tearDown(self):
        self.assertEqual(os.listdir(self.temporary), [], "a payload is left behind")

    def call(self, *arguments):
        """Runs the extension; returns its exit code, standard output and standard error."""
        ours = {
            "NETEXT_MINIMAL_FOLDER": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self.temporary),
        }
        done = subprocess.run(
            [*self.program, *arguments], capture_output=True, text=True, env={**os.environ, **ours}, timeout=60
        )
        return done.returncode, done.stdout, done.stderr

    def send(self, command, network_id="209", document=None, **fields):
        payload = {"network_id": network_id, "vlan": "1910", "cidr": "10.1.1.0/24", **fields}
        document = document or {
            "physical-network-extension-details": {"host": "192.0.2.10", "password": SECRET},
            "network-extension-details": {"host": "192.0.2.10"},
            "payload": payload,
        }
        with tempfile.NamedTemporaryFile("w", dir=self.scratch, suffix=".json") as file:
            file.write(document if isinstance(document, str) else json.dumps(document))
            file.flush()
            return self.call(command, file.name, "60")

    def files(self):
        return sorted(os.listdir(self.folder)) if self.folder.exists() else []

    def assert_refused(self, answer, code, *words):
        self.assertEqual((answer[0], answer[1]), (code, ""), answer)
        self.assertEqual(answer[2].count("\n"), 1, answer)
        for word in words:
            self.assertIn(word, answer[2])

    def test_a_network_is_a_file_from_implement_to_destroy(self):
        for _ in range(2):
            self.assertEqual(self.send("implement-network", extension_ip="10.1.1.1"), (0, "", ""))
        self.assertEqual(self.files(), ["network-209.json"])
        network = json.loads((self.folder / "network-209.json").read_text())
        self.assertEqual(network, {"network_id": 209, "vlan": "1910", "cidr": "10.1.1.0/24"})
        for command in ("shutdown-network", "destroy-network", "destroy-network"):
            self.assertEqual(self.send(command), (0, "", ""))
        self.assertEqual(self.files(), [])

    def test_readers_see_whole_files(self):
        path = self.folder / "network-209.json"
        self.send("implement-network")
        with ThreadPoolExecutor(4) as pool:
            vlans = map(str, range(2000, 2020))
            running = [pool.submit(self.send, "implement-network", vlan=vlan) for vlan in vlans]
            while not all(it.done() for it in running):
                self.assertEqual(json.loads(path.read_text())["network_id"], 209)
        self.assertEqual({it.result() for it in running}, {(0, "", "")})
        self.assertEqual(self.files(), ["network-209.json"])

    def test_a_failed_write_is_a_device_failure_and_keeps_the_old_file(self):
        self.send("implement-network")
        shutil.rmtree(self.folder)
        self.folder.write_text("not a folder")
        self.assert_refused(self.send("implement-network"), 3, "network-209.json", "File exists")
        self.assert_refused(self.send("destroy-network"), 3, "network-209.json")

    def test_the_details_of_the_device_stay(self):
        self.assertEqual(self.send("ensure-network-device"), (0, '{"host":"192.0.2.10"}\n', ""))
        given = self.send("ensure-network-device", current_details='{"host":"192.0.2.11"}')
        self.assertEqual(given, (0, '{"host":"192.0.2.11"}\n', ""))

    def test_commands_of_other_services_do_nothing(self):
        for command in ("assign-ip", "apply-fw-rules", "save-password", "custom-action"):
            self.assertEqual(self.send(command), (0, "", ""))
        self.assertEqual(self.files(), [])

    def test_malformed_payloads_are_refused_and_change_nothing(self):
        self.assert_refused(self.call(), 1, "usage: minimal.sh <command>")
        self.assert_refused(self.call("implement-network", "/nonexistent", "60"), 1, "/nonexistent")
        self.assert_refused(self.send("make-coffee"), 1, "make-coffee")
        self.assert_refused(self.send("implement-vpc", vpc_id="7"), 5, "implement-vpc")
        self.assert_refused(self.send("implement-network", document="{"), 1, "payload file: not JSON")
        self.assert_refused(self.send("implement-network", network_id="../../etc"), 1, "payload.network_id")
        self.assert_refused(self.send("implement-network", gateway="10.1.1.256\nok"), 1, "payload.gateway")
        self.assertEqual(self.files(), [])

    def test_secrets_are_never_shown(self):
        document = {
            "physical-network-extension-details": {"password": SECRET, "sshkey": [SECRET]},
            "payload": {"network_id": SECRET[:0], "password": SECRET},
        }
        for command in ("implement-network", "save-password", "ensure-network-device"):
            for text in (document, json.dumps(document)[:-1]):
                self.assertNotIn(SECRET, "".join(map(str, self.send(command, document=text))))

    def device(self, body):
        """An extension with another device, in its own folder beside the package, as deployed."""
        shutil.copytree(HERE / "netext", self.scratch / "netext")
        shutil.copy(HERE / "minimal.sh", self.scratch)
        program = self.scratch / "minimal.py"
        program.write_text(
            f"#!{sys.executable}\nimport os, subprocess, sys, time\nfrom netext.runner import Device, main\n"
            f"class Ours(Device):\n    def implement_network(self, file):\n        {body}\n"
            "sys.exit(main(Ours()))\n"
        )
        program.chmod(0o755)
        self.program = [str(self.scratch / "minimal.sh")]

    def test_nothing_but_the_answer_is_printed(self):
        self.device("print('progress'); sys.stderr.write('warning'); os.system('echo child; echo child >&2')")
        self.assertEqual(self.send("implement-network"), (0, "", ""))

    def test_a_defect_shows_its_place_only(self):
        self.device(f"raise ValueError('{SECRET}')")
        self.assert_refused(self.send("implement-network"), 70, "ValueError", "minimal.py:6")
        self.assertNotIn(SECRET, "".join(map(str, self.send("implement-network"))))

    def test_the_deadline_ends_the_work(self):
        self.device("time.sleep(60)")
        payload = self.scratch / "payload.json"
        payload.write_text('{"payload":{"network_id":"209"}}')
        self.assert_refused(self.call("implement-network", str(payload), "1"), 4, "timed out after 1 s")

    def test_work_that_is_called_off_is_undone(self):
        begun, undone = self.scratch / "begun", self.scratch / "undone"
        self.device(
            f"open({str(begun)!r}, 'w')\n"
            f"        try: time.sleep(60)\n        finally: open({str(undone)!r}, 'w')"
        )
        payload = self.scratch / "payload.json"
        payload.write_text('{"payload":{"network_id":"209"}}')
        arguments = [*self.program, "implement-network", str(payload), "60"]
        with subprocess.Popen(arguments, stderr=subprocess.PIPE) as program:
            while not begun.exists() and program.poll() is None:
                time.sleep(0.01)
            program.terminate()
            line = program.stderr.read()
        self.assertEqual((program.returncode, line), (143, b"implement-network: interrupted by SIGTERM\n"))
        self.assertTrue(undone.exists())

    def test_every_sample_is_understood(self):
        commands = json.loads(self.call("--describe")[1])["commands"]
        vpc = {"implement-vpc", "shutdown-vpc", "destroy-vpc", "update-vpc-source-nat-ip"}
        self.assertGreater(len(SAMPLES), 90)
        for sample in SAMPLES:
            command = sample.name.split(".")[0]
            with self.subTest(sample.name):
                code, printed, said = self.call(command, str(sample), "60")
                self.assertEqual(code, 5 if command in vpc else 0, said)
                if command == "implement-network":
                    strict = subprocess.run(["netext", "normalize", command, sample], capture_output=True, check=True)
                    payload = json.loads(strict.stdout)["payload"]
                    payload.pop("extension_ip", None)
                    path = self.folder / f"network-{payload['network_id']}.json"
                    self.assertEqual(json.loads(path.read_text()), payload)
        self.assertLess(set(commands), {sample.name.split(".")[0] for sample in SAMPLES})


if __name__ == "__main__":
    unittest.main()
