"""The grader's end of a channel to a student's process: every wait has an end, every length a cap."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Mapping, Sequence

from grader.guest.frames import HEADER, Kind

WROTE_TO_CHANNEL = "The code wrote to the grader's channel."


class LostError(Exception):
    """The connection is of no use any more."""


class LateError(LostError):
    """Nothing came, or nothing was taken, in time."""


class BreachError(LostError):
    """Something came that the guest does not send by itself. Its text is a sentence."""


class Link:
    """A connected socket that carries frames.

    Args:
        connected: taken over; closed by `close`.
        caps: the kinds of frames that may come, and the largest payload of each.
    """

    def __init__(self, connected: socket.socket, caps: Mapping[Kind, int]) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._caps = caps
        self._buffer = bytearray()
        self.closed = False

    def fileno(self) -> int:
        """For `select` and `poll`."""
        return self._socket.fileno()

    def close(self) -> None:
        """Hang up."""
        self.closed = True
        self._socket.close()

    def send(self, kind: Kind, payload: bytes, deadline: float, passed: socket.socket | None = None) -> None:
        """Send a frame, and with it a socket for the other process.

        Raises:
            LateError: it was not taken before the deadline (of `time.monotonic`).
            LostError: nobody is there.
        """
        rest = memoryview(HEADER.pack(kind, len(payload)) + payload)
        try:
            while rest:
                try:
                    if passed is None:
                        sent = self._socket.send(rest)
                    else:
                        sent = socket.send_fds(self._socket, [rest], [passed.fileno()])
                        passed = None
                    rest = rest[sent:]
                except BlockingIOError:
                    _wait(reading=[], writing=[self], deadline=deadline)
        except OSError as error:
            raise LostError("The process is gone.") from error

    def fill(self) -> bool:
        """Take what has come and say whether something had; the end of the connection sets `closed`."""
        try:
            data = self._socket.recv(1 << 18)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self._buffer += data
        self.closed = self.closed or not data
        return bool(data)

    def frame(self) -> tuple[Kind, bytes] | None:
        """The next whole frame that has come, if any.

        Raises:
            BreachError: not a frame, one that may not come here, or too long.
        """
        if len(self._buffer) < HEADER.size:
            return None
        kind, length = HEADER.unpack_from(self._buffer)
        if kind not in self._caps or length > self._caps[Kind(kind)]:
            raise BreachError(WROTE_TO_CHANNEL)
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        payload = bytes(self._buffer[HEADER.size : end])
        del self._buffer[:end]
        return Kind(kind), payload


def wait_for(links: Sequence[Link], deadline: float) -> None:
    """Wait until something came on one of the links, and take it.

    Raises:
        LateError: nothing came before the deadline (of `time.monotonic`).
    """
    for link in _wait(reading=links, writing=[], deadline=deadline):
        link.fill()


def receive(link: Link, deadline: float) -> tuple[Kind, bytes]:
    """The next frame of one link.

    Raises:
        LostError: the other side hung up, was too slow (LateError), or sent something else (BreachError).
    """
    while (frame := link.frame()) is None:
        if link.closed:
            raise LostError("The process is gone.")
        wait_for([link], deadline)
    return frame


def _wait(reading: Sequence[Link], writing: Sequence[Link], deadline: float) -> list[Link]:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise LateError("The time is up.")
    if hasattr(select, "poll"):
        # Unlike `select`, it takes file descriptors beyond 1023.
        by_number = {link.fileno(): link for link in (*reading, *writing)}
        poll = select.poll()
        for link in reading:
            poll.register(link, select.POLLIN)
        for link in writing:
            poll.register(link, select.POLLOUT)
        ready = [by_number[number] for number, _ in poll.poll(seconds * 1000)]
    else:
        readable, writable, _ = select.select(reading, writing, [], seconds)
        ready = [*readable, *writable]
    if not ready:
        raise LateError("The time is up.")
    return ready
