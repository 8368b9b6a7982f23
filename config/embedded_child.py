"""Turns into one embedded service: leaves root where told to, and dies with its keeper.

    embedded_child.py KEEPER_PID IDENTITY PROGRAM [ARGUMENT...]

IDENTITY is `same`, `userns` (root outside, uid 1000 to the program) or the uid to drop to.
Runs on its own, from the standard library alone, because it starts before anything is set up.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
UNPRIVILEGED = 1000


def enter_user_namespace(libc: ctypes.CDLL) -> None:
    """The kernel still sees root, so files keep their owner; the program sees uid 1000."""
    uid, gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        raise OSError(ctypes.get_errno(), "no user namespace may be made here")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/gid_map").write_text(f"{UNPRIVILEGED} {gid} 1")
    Path("/proc/self/uid_map").write_text(f"{UNPRIVILEGED} {uid} 1")


def drop_to(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def main() -> None:
    keeper, identity, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if identity == "userns":
        enter_user_namespace(libc)
    elif identity != "same":
        drop_to(int(identity))
    if sys.platform == "linux":
        # Last, because the kernel forgets this wish when credentials change.
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() != int(keeper):
        sys.exit("The keeper ended before its service had started.")
    # Python ignores SIGPIPE, and an ignored signal would stay ignored in the program.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
