"""systemd's notification socket: READY, STATUS, WATCHDOG. Does nothing where systemd did not start us."""

import os
import socket


def notify(*lines: str) -> bool:
    """Send state lines (READY=1, STATUS=…) to systemd; returns whether anybody listens."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.sendto("\n".join(lines).encode(), address)
        except OSError:
            return False
    return True


def watchdog_s() -> float | None:
    """How often systemd wants a sign of life (half of WatchdogSec), None when it wants none."""
    every = os.environ.get("WATCHDOG_USEC", "")
    if not every.isdigit() or os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(every) / 2_000_000
