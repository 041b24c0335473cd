"""The server side of OAuth 1.0a as `oauthlib` has it, with both signatures. `python oauth1.py`

A test may decide a request as the user would: `GET /decide?oauth_token=…` answers the callback.
"""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from oauthlib.oauth1 import SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256, RequestValidator, WebApplicationServer

CLIENT = ("atomsclientatomsclient", "a secret: 50% & more")
CALLBACK = "https://app.example.com/callback/oauth1"


class Memory(RequestValidator):
    """What this server knows. `oauthlib` asks it, and does everything else."""

    allowed_signature_methods = (SIGNATURE_HMAC_SHA1, SIGNATURE_HMAC_SHA256)
    enforce_ssl = False
    dummy_client = dummy_request_token = dummy_access_token = "dummydummydummydummydu"

    def __init__(self):
        self.nonces, self.requests, self.access = set(), {}, {}

    def validate_timestamp_and_nonce(self, client_key, timestamp, nonce, request, request_token=None, access_token=None):
        seen = (client_key, timestamp, nonce) in self.nonces
        self.nonces.add((client_key, timestamp, nonce))
        return not seen

    def validate_client_key(self, client_key, request):
        return client_key == CLIENT[0]

    def get_client_secret(self, client_key, request):
        return CLIENT[1]

    def validate_redirect_uri(self, client_key, redirect_uri, request):
        return redirect_uri == CALLBACK

    def validate_requested_realms(self, client_key, realms, request):
        return True

    def validate_realms(self, client_key, token, request, uri=None, realms=None):
        return True

    def get_default_realms(self, client_key, request):
        return []

    def get_realms(self, token, request):
        return []

    def verify_realms(self, token, realms, request):
        return True

    def save_request_token(self, token, request):
        self.requests[token["oauth_token"]] = {"secret": token["oauth_token_secret"], "callback": request.redirect_uri}

    def get_request_token_secret(self, client_key, token, request):
        return self.requests.get(token, {}).get("secret", "none")

    def validate_request_token(self, client_key, token, request):
        return token in self.requests

    def verify_request_token(self, token, request):
        return token in self.requests

    def get_redirect_uri(self, token, request):
        return self.requests[token]["callback"]

    def save_verifier(self, token, verifier, request):
        self.requests[token]["verifier"] = verifier["oauth_verifier"]

    def validate_verifier(self, client_key, token, verifier, request):
        return self.requests[token].get("verifier") == verifier

    def invalidate_request_token(self, client_key, request_token, request):
        del self.requests[request_token]

    def save_access_token(self, token, request):
        self.access[token["oauth_token"]] = token["oauth_token_secret"]

    def get_access_token_secret(self, client_key, token, request):
        return self.access.get(token, "none")

    def validate_access_token(self, client_key, token, request):
        return token in self.access


SERVER = WebApplicationServer(Memory())


class Handler(BaseHTTPRequestHandler):
    def handle_request(self) -> None:
        url = f"http://{self.headers['host']}{self.path}"
        body = self.rfile.read(int(self.headers["content-length"] or 0)).decode()
        headers = {name.title(): value for name, value in self.headers.items()}
        request = (url, self.command, body, headers)
        path = urlsplit(self.path).path
        if path == "/request":
            _, answer, status = SERVER.create_request_token_response(*request)
        elif path == "/access":
            _, answer, status = SERVER.create_access_token_response(*request, credentials={"user_id": "ada", "screen_name": "Ada L"})
        elif path == "/decide":
            headers, answer, status = SERVER.create_authorization_response(*request, realms=[], credentials={})
            answer, status = headers["Location"], 200
        else:
            valid, _ = SERVER.validate_protected_resource_request(*request)
            answer, status = json.dumps({"query": parse_qs(urlsplit(self.path).query), "body": body}), 200 if valid else 401
        answer = (answer or "").encode()
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = handle_request

    def log_message(self, *_: object) -> None:
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"ready http://127.0.0.1:{server.server_address[1]}", flush=True)
sys.stdin.read()  # until the process that started it ends
