"""A virtual machine with a hardware watchdog (i6300esb) that takes orders; qemu resets it for real.

Its kernel and its shell are Debian's, unpacked into target/reset and never installed here. Its disk
outlives a reset, what it only had in memory does not.
"""

import atexit
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from .process import ROOT, Process, fail, until

UNPACKED = ROOT / "target/reset"
# In this order; what they need comes first by itself.
MODULES = ["virtio_pci", "virtio_net", "virtio_blk", "virtio_console"]
# The file system asks for the sum at run time only.
MODULES += ["crc32c_generic", "ext4", "i6300esb"]
MEMORY_MIB = 192
DISK_MIB = 32
# What the machine says when an order is done, followed by the order's exit code.
DONE = "\x04"

INIT = """#!/bin/sh
/bin/busybox --install -s /bin
mkdir -p /proc /sys /dev /run /node
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t cgroup2 none /sys/fs/cgroup
while read -r module options; do insmod "/modules/$module.ko" $options; done </modules/order
ip link set lo up
ip address add {address}/24 dev eth0
ip link set eth0 up
mount -t ext4 /dev/vda /node
for port in /sys/class/virtio-ports/*; do ln -s "${{port##*/}}" "/dev/$(cat "$port/name")"; done
exec 3<>/dev/orders
printf 'up {done}0\\n' >&3
while read -r order <&3; do
    eval "$order" >&3 2>&1
    printf '{done}%d\\n' $? >&3
done
"""


def boot_ns():
    """The clock that all stamps here are of, also those of acting logs."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def unpack():
    """Gets the newest kernel and busybox of this machine's Debian, once."""
    if (UNPACKED / "busybox").exists():
        return
    shutil.rmtree(UNPACKED, ignore_errors=True)
    new = UNPACKED / "new"
    new.mkdir(parents=True)
    depends = run("apt-cache", "depends", "linux-image-amd64")
    image = re.search(r"linux-image-[0-9]\S*", depends)
    if not image:
        fail("apt knows no linux-image-amd64: run apt-get update on a Debian of this processor")
    # As root: nobody else may write here.
    download = ["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root"]
    run(*download, image[0], "busybox-static", cwd=new)
    for package in new.glob("*.deb"):
        run("dpkg", "-x", package, new / "files")
    modules = next(new.glob("files/lib/modules/*"))
    (UNPACKED / "modules").mkdir()
    for name in in_order(modules):
        shutil.copy(found(modules, name), UNPACKED / "modules")
    shutil.copy(next(new.glob("files/boot/vmlinuz-*")), UNPACKED / "kernel")
    shutil.copy(new / "files/bin/busybox", UNPACKED / "shell")
    shutil.rmtree(new)
    # The last one, so that its being there says that all are.
    (UNPACKED / "shell").rename(UNPACKED / "busybox")


def run(*words, cwd=None):
    done = subprocess.run(words, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        fail(f"{' '.join(map(str, words))} ended with {done.returncode}")
    return done.stdout


def found(folder, name):
    """The file of a module, whose name may be spelled with either stroke."""
    pattern = name.replace("_", "[_-]") + ".ko"
    file = next(folder.rglob(pattern), None)
    return file or fail(f"the kernel has no module {name}")


def in_order(folder):
    """The names of the modules, each after those that it needs."""
    order = []

    def add(name):
        if name in order:
            return
        needs = re.search(rb"\0depends=([^\0]*)\0", found(folder, name).read_bytes())
        for need in needs[1].decode().split(",") if needs else []:
            if need:
                add(need)
        order.append(name)

    for name in MODULES:
        add(name)
    return order


def archive(files):
    """A cpio archive ("newc") of (name, mode, bytes), as the kernel takes for its first files."""
    data = b""
    for number, (name, mode, body) in enumerate([*files, ("TRAILER!!!", 0, b"")], 1):
        fields = [number, mode, 0, 0, 1, 0, len(body), 0, 0, 0, 0, len(name) + 1, 0]
        data += b"070701" + b"".join(b"%08X" % field for field in fields)
        data += name.encode() + b"\0"
        data += b"\0" * (-len(data) % 4) + body
        data += b"\0" * (-len(data) % 4)
    return data


def has_kvm():
    """Whether this machine's processor runs any other machine's kernel; if not, qemu plays it."""
    flags = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    is_able = flags and {"vmx", "svm"} & set(flags[1].split())
    return bool(is_able) and os.access("/dev/kvm", os.R_OK | os.W_OK)


class Lines(threading.Thread):
    """What somebody says line by line, each with the time when it came here."""

    def __init__(self, source):
        super().__init__(daemon=True)
        self.source, self.lines = source, []
        self.start()

    def run(self):
        for line in self.source:
            self.lines.append((boot_ns(), line.rstrip("\n")))


class Guest:
    """The machine. `files` are more of (name, mode, bytes) for its memory."""

    def __init__(self, place, address, timeout, files):
        self.place = Path(place)
        self.make_disk()
        self.make_memory(address, timeout, files)
        self.qemu = None

    def make_disk(self):
        self.disk = self.place / "disk"
        with open(self.disk, "wb") as disk:
            disk.truncate(DISK_MIB << 20)
        run("mke2fs", "-q", "-t", "ext4", self.disk)

    def make_memory(self, address, timeout, files):
        folder = UNPACKED / "modules"
        order = in_order(folder)
        options = {"i6300esb": f" heartbeat={timeout}"}
        names = {name: found(folder, name) for name in order}
        lines = [f"{names[name].stem}{options.get(name, '')}\n" for name in order]
        init = INIT.format(address=address, done=DONE)
        folders = [(name, 0o40755, b"") for name in ("bin", "modules")]
        memory = archive(
            [
                *folders,
                ("init", 0o100755, init.encode()),
                ("bin/busybox", 0o100755, (UNPACKED / "busybox").read_bytes()),
                ("bin/sh", 0o120777, b"busybox"),
                ("modules/order", 0o100644, "".join(lines).encode()),
                *((f"modules/{f.name}", 0o100644, f.read_bytes()) for f in names.values()),
                *files,
            ]
        )
        self.memory = self.place / "memory"
        self.memory.write_bytes(memory)

    def start(self, tap, patience):
        """Boots it; returns when it takes orders. So long may it take over each."""
        line = ["qemu-system-x86_64", "-accel", "kvm" if has_kvm() else "tcg", "-nodefaults"]
        line += ["-m", MEMORY_MIB, "-display", "none"]
        line += ["-kernel", UNPACKED / "kernel", "-initrd", self.memory]
        line += ["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]
        line += ["-serial", f"file:{self.place}/console"]
        line += ["-device", "i6300esb", "-action", "watchdog=reset"]
        line += ["-netdev", f"tap,id=net,ifname={tap},script=no,downscript=no"]
        line += ["-device", "virtio-net-pci,netdev=net,romfile="]
        line += ["-drive", f"file={self.disk},format=raw,if=none,id=disk"]
        line += ["-device", "virtio-blk-pci,drive=disk", "-device", "virtio-serial-pci"]
        doors = {name: self.place / name for name in ("orders", "lines", "qmp")}
        for name, path in doors.items():
            line += ["-chardev", f"socket,id={name},path={path},server=on,wait=off"]
        for name in ("orders", "lines"):
            line += ["-device", f"virtserialport,chardev={name},name={name}"]
        line += ["-mon", "chardev=qmp,mode=control"]
        log = open(self.place / "qemu.log", "ab")  # noqa: SIM115  (as long as the machine)
        self.qemu = Process(line, log)
        self.orders = self.connect(doors["orders"], patience)
        self.lines = Lines(self.connect(doors["lines"], None))
        self.qmp = self.connect(doors["qmp"], None)
        self.qmp.write('{"execute": "qmp_capabilities"}\n')
        self.qmp.flush()
        self.events = Lines(self.qmp)
        self.answer()

    def connect(self, path, patience):
        """A file of text over one of qemu's sockets, once that is there."""
        door = socket.socket(socket.AF_UNIX)
        door.settimeout(patience)

        def connected():
            if self.qemu.child.poll() is not None:
                fail(f"qemu ended: {(self.place / 'qemu.log').read_text()}")
            return door.connect_ex(str(path)) == 0

        until("qemu listens", connected)
        atexit.register(door.close)
        return door.makefile("rw", encoding="utf-8", errors="replace", newline="\n")

    def answer(self):
        """What it says until it is done, and the exit code."""
        said = ""
        while True:
            line = self.orders.readline()
            if not line:
                fail("the virtual machine says nothing more")
            said, sign, code = (said + line).partition(DONE)
            if sign:
                return said, int(code)

    def order(self, line):
        """Has its shell do a line; what that prints, and its exit code."""
        self.orders.write(line + "\n")
        self.orders.flush()
        return self.answer()

    def must(self, line):
        said, code = self.order(line)
        return said if code == 0 else fail(f"{line}: {code}: {said}")

    def resets(self):
        """When its watchdog reset it, each time."""
        events = [(at, json.loads(line)) for at, line in list(self.events.lines)]
        return [at for at, event in events if event.get("event") == "WATCHDOG"]
