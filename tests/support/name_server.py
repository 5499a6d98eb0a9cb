"""A name server for one name, as an engine has it for the replicas of a service: every question gets all addresses."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from threading import Thread
from types import TracebackType
from typing import Self

_A, _IN = 1, 1


class NameServer:
    """`addresses` may be changed at any time. Questions for other kinds of records get none."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self.addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = Thread(target=self._serve, daemon=True)

    @property
    def address(self) -> str:
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def _serve(self) -> None:
        while (packet := self._socket.recvfrom(4096))[0]:
            question, client = packet
            self._socket.sendto(answer_to(question, self.addresses), client)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()


def answer_to(question: bytes, addresses: Sequence[str]) -> bytes:
    """The answer of RFC 1035: the question again, then a record for each address, which holds for a second."""
    number = question[:2]
    end = question.index(b"\0", 12) + 5
    [kind] = struct.unpack("!H", question[end - 4 : end - 2])
    given = addresses if kind == _A else ()
    records = [struct.pack("!HHHIH", 0xC00C, _A, _IN, 1, 4) + socket.inet_aton(each) for each in given]
    return number + struct.pack("!HHHHH", 0x8180, 1, len(records), 0, 0) + question[12:end] + b"".join(records)
