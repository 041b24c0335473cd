"""Mail servers as `aiosmtpd` has them: in the clear, with STARTTLS and a sign-in, and encrypted from the beginning. `python smtp.py`

What a server does depends on the name before the `@`: `later` is deferred once, `never` is refused, `hang` is never answered, `drop` ends the
connection, and all others are taken. `GET /` answers the ports and the certificate of the authority, `GET /mails` what was taken.
"""

import asyncio
import json
import ssl
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

MAILS, DEFERRED = [], set()


class Taker:
    """What becomes of a mail."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        name = address.split("@")[0]
        if name == "never":
            return f"550 5.1.1 <{address}>: no such mailbox"
        if name == "later" and address not in DEFERRED:
            DEFERRED.add(address)
            return f"450 4.2.0 <{address}>: greylisted, come again"
        if name == "hang":
            await asyncio.sleep(3600)
        if name == "drop":
            server.transport.abort()
            return "421 4.3.2 going away"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        is_encrypted = server.transport.get_extra_info("sslcontext") is not None
        mail = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode()}
        MAILS.append({**mail, "encrypted": is_encrypted, "signed_in": bool(session.authenticated)})
        return f"250 2.0.0 Ok: queued as {len(MAILS):06d}A7"


def sign_in(server, session, envelope, mechanism, data):
    fine = isinstance(data, LoginPassword) and (data.login, data.password) == (b"acme", b"a password")
    return AuthResult(success=fine, handled=False)


def certificate(folder: Path) -> tuple[ssl.SSLContext, str]:
    """A certificate for this machine by an authority of its own, for two days."""
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    authority = ["-keyout", folder / "ca.key", "-out", folder / "ca.pem", "-subj", "/CN=authority of a test"]
    subprocess.run([*new, *authority], check=True, capture_output=True)
    signed = ["-CA", folder / "ca.pem", "-CAkey", folder / "ca.key", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*new, *signed, *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context, (folder / "ca.pem").read_text()


async def listen(context: ssl.SSLContext) -> dict[str, int]:
    loop = asyncio.get_running_loop()
    signs_in = {"authenticator": sign_in, "auth_required": True}

    async def serve(encrypted: ssl.SSLContext | None = None, **options) -> int:
        make = lambda: SMTP(Taker(), hostname="localhost", **options)
        server = await loop.create_server(make, "127.0.0.1", 0, ssl=encrypted)
        return server.sockets[0].getsockname()[1]

    return {
        "plain": await serve(enable_SMTPUTF8=True),
        "ascii": await serve(),
        "start_tls": await serve(tls_context=context, require_starttls=True, **signs_in),
        "tls": await serve(context, auth_require_tls=False, **signs_in),
    }


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps(MAILS if self.path == "/mails" else ABOUT).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


with tempfile.TemporaryDirectory() as folder:
    context, authority = certificate(Path(folder))
loop = asyncio.new_event_loop()
ABOUT = {"ports": loop.run_until_complete(listen(context)), "authority": authority}
threading.Thread(target=loop.run_forever, daemon=True).start()
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
sys.stdin.read()  # until the process that started it ends
