"""The main job of Atom from beginning to end: a user, a connected account, its files, an expired token, a sealed row.

    python quickstart.py                    with a stand-in for Google that this program starts
    python quickstart.py --provider google  with Google itself (GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET: a "Desktop app" client)

It leaves `atom.db` and `atom.key` in the current folder; run it again and the same user and connection are found.
"""

import argparse
import asyncio
import os
import sqlite3
import webbrowser
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import atom_py
from atom_py import Atom, Credentials, GoogleStandIn, ListFiles, NewAccount, NewFile, OpenOptions, ProviderApp, StartConnection

DATABASE, KEY_FILE = "sqlite:./atom.db", "./atom.key"
EMAIL, PASSWORD = "ada@example.com", "an engine of brass and thought"


async def main(provider: str) -> None:
    redirect_uri, redirected = await listen()
    google = await GoogleStandIn.start() if provider == "stand-in" else None
    print("1. Google     ", f"a stand-in listens on {google.url}" if google else "the real one")

    app = google_app(google, redirect_uri)
    atom = await Atom.open(OpenOptions(database_url=DATABASE, key_file=KEY_FILE, create_key_file=True, providers=[app]))
    print(f"2. Atom        opened {DATABASE} with the key in {KEY_FILE}")

    try:
        session = await atom.accounts.sign_up(NewAccount(email=EMAIL, password=PASSWORD, display_name="Ada"))
    except atom_py.ConflictError:
        session = (await atom.accounts.sign_in(Credentials(email=EMAIL, password=PASSWORD))).session
    print(f'3. User        {session.user.email} in workspace "{session.workspace.name}", role {session.role}')

    scope = await atom.authenticate(session.access_token)
    authorization = await scope.connections.start(StartConnection(provider="google", services=["drive"]))
    if google:
        redirect = await google.approve(authorization.url, EMAIL)
        await asyncio.to_thread(lambda: urlopen(redirect).close())  # what the browser does next
    else:
        print(f"               open this page and agree:\n\n{authorization.url}\n")
        webbrowser.open(authorization.url)
    connection = await scope.connections.complete(await redirected)
    account = await connection.account()
    print(f"4. Connection  {account.email} ({account.state}), {len(account.scopes)} scopes granted")

    content = b"A note that was written through Atom."
    stored = await connection.files.upload(NewFile(name="note from atom.txt", content=content, mime_type="text/plain"))
    size = len(await connection.files.download(stored.id))
    print(f'5. Upload      "{stored.name}", {size} bytes, read back')

    if google:
        await google.expire_access_tokens()
        print("6. Expiry      every access token has just died")
    before = await connection.access_token()
    files = await connection.files.list(ListFiles(page_size=10))
    after = await connection.access_token()
    renewed = "the same token" if before.token == after.token else "a token that was renewed on the way"
    print(f"7. Files       {len(files.items)} listed, with {renewed}:")
    for file in files.items[:5]:
        print(f"               - {file.name}")

    # Only now: two copies of SQLite in one process (Atom's and Python's) must not have the same file open.
    await atom.shut_down()
    with closing(sqlite3.connect("atom.db")) as db:
        (sealed,) = db.execute("SELECT sealed FROM atom_token_sets ORDER BY updated_at DESC LIMIT 1").fetchone()
    database = Path("atom.db").read_bytes()
    found = "READABLE" if after.token.encode() in database else "nowhere"
    print(f"8. At rest     the token row is {len(sealed)} sealed bytes: {sealed[:24].hex()}…")
    print(f"               the token itself is {found} in the {len(database)} bytes of atom.db")


def google_app(google: GoogleStandIn | None, redirect_uri: str) -> ProviderApp:
    """This program as the provider knows it."""
    if google:
        app = google.app
        return ProviderApp(
            provider=app.provider,
            client_id=app.client_id,
            client_secret=app.client_secret,
            redirect_uri=redirect_uri,
            development_endpoint=app.development_endpoint,
            export_tokens=app.export_tokens,
        )
    try:
        client_id, client_secret = os.environ["GOOGLE_CLIENT_ID"], os.environ["GOOGLE_CLIENT_SECRET"]
    except KeyError as missing:
        raise SystemExit(f'set {missing.args[0]} to the one of a "Desktop app" OAuth client') from None
    # This program compares tokens. Most have no need to see them.
    return ProviderApp(
        provider="google", client_id=client_id, client_secret=client_secret, redirect_uri=redirect_uri, export_tokens=True
    )


async def listen() -> tuple[str, asyncio.Future[str]]:
    """Listens on a loopback port for the redirect of a native app (RFC 8252 §7.3): the redirect URI, and the URL that came."""
    redirected: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).decode().split()
        path = words[1] if len(words) > 1 else ""
        ours = path.startswith("/callback?")  # a browser also asks for an icon
        status, text = ("200 OK", "Connected. You can close this page.") if ours else ("404 Not Found", "")
        writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(text)}\r\nconnection: close\r\n\r\n{text}".encode())
        await writer.drain()
        writer.close()
        if ours and not redirected.done():
            redirected.set_result(origin + path)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    origin = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    return f"{origin}/callback", redirected


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--provider", choices=["stand-in", "google"], default="stand-in")
    asyncio.run(main(parser.parse_args().provider))
