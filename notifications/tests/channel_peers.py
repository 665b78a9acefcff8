"""The other side of each channel, for tests: real servers on sockets that say what the test wants."""

from __future__ import annotations

import socket
import socketserver
import threading
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message


class MailServer:
    """A small SMTP server. ``answers`` maps a verb (``RCPT``, ``DATA``, ``MAIL``, ``connect``, or an address) to what
    is said instead of "250 ok"; an answer of ``close`` ends the connection without a word, ``hang`` says nothing."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.mails: list[tuple[str, Message]] = []
        self.connections = 0
        self.ended = threading.Event()
        self._open: set[socket.socket] = set()
        self._server = _Server(("127.0.0.1", 0), _Session)
        self._server.mail = self
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def subjects(self) -> list[str]:
        return [str(make_header(decode_header(mail["Subject"]))) for _to, mail in self.mails]

    def drop_connections(self) -> None:
        """As a server does with those that lie idle."""
        for line in list(self._open):
            line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    mail: MailServer


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.mail.connections += 1
        self.server.mail._open.add(self.connection)
        try:
            self._talk()
        except OSError:
            return
        finally:
            self.server.mail._open.discard(self.connection)

    def _talk(self) -> None:
        if not self._say("connect", "220 mail.test ready"):
            return
        recipient = ""
        while line := self.rfile.readline():
            words = line.decode().strip().split(" ", 1)
            verb = words[0].upper()
            if verb == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            if verb == "RCPT":
                recipient = words[1].partition("<")[2].partition(">")[0]
            if verb == "DATA":
                go_on = self._receive(recipient)
            else:
                go_on = self._say(recipient if verb == "RCPT" and recipient in self.server.mail.answers else verb)
            if not go_on:
                return

    def _receive(self, recipient: str) -> bool:
        if not self._say("before data", "354 go ahead"):
            return False
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        refused = "DATA" in self.server.mail.answers
        if not refused:
            self.server.mail.mails.append((recipient, message_from_bytes(b"".join(lines))))
        return self._say("DATA")

    def _say(self, occasion: str, otherwise: str = "250 ok") -> bool:
        answer = self.server.mail.answers.get(occasion, otherwise)
        if answer == "hang":
            self.server.mail.ended.wait()
        if answer in ("close", "hang"):
            return False
        self.wfile.write(answer.encode() + b"\r\n")
        return True
