"""Many observers in one process, which speak the daemons' own protocol over real TLS: they answer
every heartbeat and every beat of the voters, and do nothing else.

To the voters each is a member with a key, an address and two connections of its own.
"""

import base64
import json
import re
import selectors
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HOST, FIRST_PORT = "127.0.2.1", 21_000
# One TLS record, and what fits into a frame's header.
CHUNK, HEADER = 16 << 10, 5
FIELDS = re.compile(
    rb'"term":(\d+),"sequence":(\d+),"promise_ns":\d+,"position":(\{[^}]*\}),"hash":"(\w+)"'
)
PLACE = re.compile(rb'"term":(\d+),"position":(\{[^}]*\})')
BETWEEN_CALLS = 0.05
CALLS = 20
# An Ed25519 key in PKCS #8: what stands before its 32 bytes, and the oldest form up to there.
SEED = bytes.fromhex("04220420")
OLDER = bytes.fromhex("302e020100300506032b6570") + SEED


class Identity:
    """What `quorate init` made for one observer."""

    def __init__(self, program, home, number):
        self.name, self.home = f"o{number:04}", Path(home) / f"o{number:04}"
        self.address = HOST, FIRST_PORT + number
        self.home.mkdir(parents=True)
        where = f"{HOST}:{FIRST_PORT + number}"
        node_yaml = self.home / "node.yaml"
        node_yaml.write_text(f'id: {self.name}\nlisten: "{where}"\nadvertise: "{where}"\nhttp: off\n')
        line = [program, "init", "--config", node_yaml, "--state-dir", self.home / "state"]
        words = [str(word) for word in line]
        made = subprocess.run(words, capture_output=True, text=True, check=True)
        self.line = made.stdout.replace("key:", "role: observer, key:")
        self.storage = re.search(r'storage: "?(\w+)', made.stdout).group(1)


def identities(program, home, count):
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda number: Identity(program, home, number), range(count)))


class Line:
    """One TLS connection, either way."""

    def __init__(self, crowd, who, stream, context, is_server, voter=None):
        stream.setblocking(False)
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.crowd, self.who, self.voter = crowd, who, voter
        self.tls = context.wrap_socket(
            stream, server_side=is_server, do_handshake_on_connect=False
        )
        self.is_server, self.is_open, self.is_over = is_server, False, False
        self.heard, self.unsent = b"", b""
        crowd.selector.register(self.tls, selectors.EVENT_READ | selectors.EVENT_WRITE, self)

    def ready(self):
        if self.is_over:
            return
        try:
            if not self.is_open:
                self.tls.do_handshake()
                self.is_open = True
                if self.is_server:
                    self.say(b"H", self.who.hello)
            self.flush()
            while True:
                some = self.tls.recv(CHUNK)
                if not some:
                    return self.end()
                self.heard += some
                self.hear()
        except ssl.SSLWantReadError:
            self.wait_for(selectors.EVENT_READ)
        except ssl.SSLWantWriteError:
            self.wait_for(selectors.EVENT_READ | selectors.EVENT_WRITE)
        except OSError:
            self.end()

    def wait_for(self, events):
        if not self.is_over:
            events |= selectors.EVENT_WRITE if self.unsent and self.is_open else 0
            self.crowd.selector.modify(self.tls, events, self)

    def hear(self):
        while len(self.heard) >= HEADER:
            end = HEADER + int.from_bytes(self.heard[1:HEADER], "big")
            if len(self.heard) < end:
                return
            kind, payload = self.heard[:1], self.heard[HEADER:end]
            self.heard = self.heard[end:]
            if kind == b"H":
                self.voter = json.loads(payload)["node"]
                if not self.is_server:
                    self.say(b"H", self.who.hello)
                    self.crowd.lines[self.who.name, self.voter] = self
            elif kind == b"M" and self.is_server:
                self.crowd.answer(self.who, self.voter, payload)

    def say(self, kind, payload):
        self.unsent += kind + len(payload).to_bytes(4, "big") + payload
        self.flush()

    def flush(self):
        while self.unsent:
            try:
                self.unsent = self.unsent[self.tls.send(self.unsent) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self.wait_for(selectors.EVENT_READ | selectors.EVENT_WRITE)
                return

    def end(self):
        if self.is_over:
            return
        self.is_over = True
        self.crowd.selector.unregister(self.tls)
        self.tls.close()
        if not self.is_server:
            self.crowd.lines.pop((self.who.name, self.voter), None)
            self.crowd.missing.append((self.who, self.voter))


class Crowd:
    """All observers, until the process ends."""

    def __init__(self, all_of_them, voters, cluster, generation):
        self.selector, self.lines, self.answers = selectors.DefaultSelector(), {}, 0
        self.voters = voters
        for who in all_of_them:
            hello = {"version": 1, "cluster": cluster, "generation": generation, "node": who.name}
            hello |= {"storage": who.storage, "instance": 1, "sequence": 1}
            who.hello = json.dumps(hello).encode()
            who.calls = context(who, ssl.PROTOCOL_TLS_CLIENT)
            who.answers = context(who, ssl.PROTOCOL_TLS_SERVER)
            door = socket.create_server(who.address, backlog=16)
            door.setblocking(False)
            self.selector.register(door, selectors.EVENT_READ, (door, who))
        self.hears = json.dumps(sorted(voters))
        self.missing = [(who, voter) for who in all_of_them for voter in voters]

    def run(self):
        called = 0.0
        while True:
            for key, _ in self.selector.select(0.05):
                if isinstance(key.data, Line):
                    key.data.ready()
                    continue
                door, who = key.data
                Line(self, who, door.accept()[0], who.answers, True)
            # A voter has places for so many strangers at once.
            if self.missing and time.monotonic() - called > BETWEEN_CALLS:
                called = time.monotonic()
                now, self.missing = self.missing[:CALLS], self.missing[CALLS:]
                for who, voter in now:
                    self.call(who, voter)

    def call(self, who, voter):
        stream = socket.socket()
        try:
            stream.connect(self.voters[voter])
        except OSError:
            stream.close()
            self.missing.append((who, voter))
            return
        Line(self, who, stream, who.calls, False, voter)

    def presence(self, who, term, position):
        boot = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
        raw = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        return (
            f'{{"term":{term},"position":{position},"storage":"{who.storage}","vote_ready":true,'
            f'"electable":false,"healthy":true,"hears":{self.hears},'
            f'"reading":{{"boot_ns":{boot},"raw_ns":{raw}}}}}'
        )

    def answer(self, who, voter, payload):
        line = self.lines.get((who.name, voter))
        if not line:
            return
        if payload.startswith(b'{"heartbeat"'):
            found = FIELDS.search(payload).groups()
            term, sequence, position, digest = (word.decode() for word in found)
            words = (
                f'{{"heartbeat-ack":{{"term":{term},"sequence":{sequence},"position":{position},'
                f'"hash":"{digest}","verdict":"granted",'
                f'"presence":{self.presence(who, term, position)}}}}}'
            )
        elif payload.startswith(b'{"beat"'):
            term, position = (word.decode() for word in PLACE.search(payload).groups())
            words = f'{{"beat":{self.presence(who, term, position)}}}'
        else:
            return
        try:
            line.say(b"M", words.encode())
        except OSError:
            line.end()


def context(who, kind):
    made = ssl.SSLContext(kind)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.minimum_version = ssl.TLSVersion.TLSv1_3
    keys = who.home / "state" / "keys"
    made.load_cert_chain(keys / "node.crt", older_key(keys / "node.key"))
    if kind == ssl.PROTOCOL_TLS_SERVER:
        made.num_tickets = 0
    return made


def older_key(path):
    """The same Ed25519 key in the older form, without its public half, which OpenSSL reads too."""
    whole = ssl.PEM_cert_to_DER_cert(path.read_text().replace("PRIVATE KEY", "CERTIFICATE"))
    at = whole.index(SEED) + len(SEED)
    older = base64.b64encode(OLDER + whole[at : at + 32]).decode()
    file = path.with_name("older.key")
    file.write_text(f"-----BEGIN PRIVATE KEY-----\n{older}\n-----END PRIVATE KEY-----\n")
    return file


class Kept:
    """An observer that an earlier process made."""

    def __init__(self, name, home, port, storage):
        self.name, self.home, self.address, self.storage = name, Path(home), (HOST, port), storage


def main():
    """Plays whom the file names: started by the program beside it."""
    told = json.loads(Path(sys.argv[1]).read_text())
    them = [Kept(*one) for one in told["observers"]]
    voters = {name: tuple(address) for name, address in told["voters"].items()}
    crowd = Crowd(them, voters, told["cluster"], told["generation"])
    print("open", flush=True)
    crowd.run()


if __name__ == "__main__":
    main()
