"""Processes and mounts of one's own, which end with this program however it ends."""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile

import lab

CLONE_NEWNS, CLONE_NEWPID = 0x00020000, 0x20000000
PR_SET_PDEATHSIG = 1


def inside(body, keep):
    """Runs `body(place)` as the first process of a process namespace, with mounts that nobody
    else sees; gives its exit code. When that process ends, the kernel ends all others with it."""
    libc = ctypes.CDLL(None, use_errno=True)
    place = tempfile.mkdtemp(prefix="quorate-chaos-")
    if libc.unshare(CLONE_NEWPID):
        lab.fail("this machine forbids namespaces: run as root")
    child = os.fork()
    if child == 0:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        # So that Ctrl-C reaches the parent only, which passes it on.
        os.setsid()
        os._exit(enclosed(libc, body, place))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if keep or code == 1:
        print(f"logs: {place}")
    else:
        shutil.rmtree(place, ignore_errors=True)
    return code if code >= 0 else 128 - code


def enclosed(libc, body, place):
    try:
        if libc.unshare(CLONE_NEWNS):
            lab.fail("this machine forbids mount namespaces: run as root")
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        subprocess.run(["mount", "-t", "proc", "proc", "/proc"], check=True)
        return body(place)
    except SystemExit as end:
        if isinstance(end.code, str):
            print(end.code, flush=True)
            return 1
        return end.code or 0
    except BaseException:  # noqa: BLE001  (the interpreter must not unwind into the parent's code)
        import traceback

        traceback.print_exc()
        return 1
