"""The Python library of Standard Webhooks: verifies what is posted, and signs what is asked for. `python webhooks.py`"""

import sys
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook

WEBHOOK = Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
BODY = '{"type":"order.paid","data":{"name":"Zoë – 数"}}'


class Handler(BaseHTTPRequestHandler):
    def answer(self, status: int, body: bytes, headers: dict[str, str] = {}) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        now = datetime.now(tz=timezone.utc)
        signature = WEBHOOK.sign("msg_of_python", now, BODY)
        timestamp = str(int(now.timestamp()))
        headers = {"webhook-id": "msg_of_python", "webhook-timestamp": timestamp, "webhook-signature": signature}
        self.answer(200, BODY.encode(), headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            payload = WEBHOOK.verify(body, dict(self.headers))
            self.answer(200, f"genuine {payload['type']}".encode())
        except Exception as error:
            self.answer(401, repr(error).encode())

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
sys.stdin.read()  # until the process that started it ends
