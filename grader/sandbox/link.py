"""The grader's end of a channel to a student's process: every wait has an end, every length a cap."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Mapping

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
        self._caps: dict[int, int] = {int(kind): cap for kind, cap in caps.items()}
        self._full = HEADER.size + max(caps.values())
        self._buffer = bytearray()
        self.closed = False

    def fileno(self) -> int:
        """For `select` and `poll`."""
        return self._socket.fileno()

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come that was not taken as a frame, and the other side is there."""
        return not self._buffer and not self.closed

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
                    self._wait_for_room(deadline)
        except OSError as error:
            raise LostError("The process is gone.") from error

    def _wait_for_room(self, deadline: float) -> None:
        seconds = deadline - time.monotonic()
        if seconds <= 0 or not self._has_room(seconds):
            raise LateError("The time is up.")

    def _has_room(self, seconds: float) -> bool:
        if not hasattr(select, "poll"):
            return bool(select.select([], [self], [], seconds)[1])
        poll = select.poll()  # unlike `select`, it takes file descriptors beyond 1023
        poll.register(self, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))

    def fill(self) -> bool:
        """Take what has come and say whether something had; the end of the connection sets `closed`.

        Nothing more is taken while enough is there for the longest frame: who sends without end waits for `frame`.
        """
        if len(self._buffer) >= self._full:
            return False
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
        if length > self._caps.get(kind, -1):
            raise BreachError(WROTE_TO_CHANNEL)
        end = HEADER.size + length
        if len(self._buffer) < end:
            return None
        with memoryview(self._buffer) as view:
            payload = bytes(view[HEADER.size : end])
        del self._buffer[:end]
        return Kind(kind), payload


class Watch:
    """Waits for several links at once."""

    def __init__(self, *links: Link) -> None:
        self._links = {link.fileno(): link for link in links}
        self._poll = select.poll() if hasattr(select, "poll") else None
        if self._poll is not None:
            for number in self._links:
                self._poll.register(number, select.POLLIN)

    def wait(self, deadline: float) -> None:
        """Wait until something came on one of the links, and take it.

        Raises:
            LateError: nothing came before the deadline (of `time.monotonic`), or it is over: who never stops sending
                gets no more time than who is silent.
        """
        seconds = deadline - time.monotonic()
        if self._poll is not None:
            # Unlike `select`, it takes file descriptors beyond 1023.
            ready = [number for number, _ in self._poll.poll(max(0.0, seconds * 1000))]
        else:
            ready = select.select(list(self._links), [], [], max(0.0, seconds))[0]
        if not ready or seconds < 0:
            raise LateError("The time is up.")
        for number in ready:
            self._links[number].fill()


def receive(link: Link, deadline: float) -> tuple[Kind, bytes]:
    """The next frame of one link.

    Raises:
        LostError: the other side hung up, was too slow (LateError), or sent something else (BreachError).
    """
    watch = Watch(link)
    while (frame := link.frame()) is None:
        if link.closed:
            raise LostError("The process is gone.")
        watch.wait(deadline)
    return frame
