"""Lists files with the library from Python, by the protocol of README.md, awaited or `--blocking`."""

import asyncio

import driver
from atom_py import Atom, Credentials, ListFiles, OpenOptions, ProviderApp

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

args = driver.arguments()
google = ProviderApp(provider="google", client_id="client", redirect_uri="http://127.0.0.1/callback", development_endpoint=args.url)
options = OpenOptions(database_url=f"sqlite:{args.db}", key=KEY, providers=[google])


async def awaited(files):
    seen, cursor = driver.Seen(), None
    while True:
        page = await files.list(ListFiles(page_size=1000, cursor=cursor))
        for file in page.items:
            seen.add(file.id, file.name, file.size)
        cursor = page.next_cursor
        if not cursor:
            return seen


def blocking(files):
    seen, cursor = driver.Seen(), None
    while True:
        page = files.list_blocking(ListFiles(page_size=1000, cursor=cursor))
        for file in page.items:
            seen.add(file.id, file.name, file.size)
        cursor = page.next_cursor
        if not cursor:
            return seen


async def main():
    atom = await Atom.open(options)
    session = (await atom.accounts.sign_in(Credentials(email="ada@example.com", password="an engine of brass"))).session
    connections = (await atom.authenticate(session.access_token)).connections
    files = (await connections.open((await connections.list())[0].id)).files
    if args.blocking:
        # From a thread without an event loop, as programs that block have it.
        await asyncio.to_thread(driver.measure, args, lambda: blocking(files))
    else:
        await driver.measure_awaited(args, lambda: awaited(files))
    await atom.shut_down()


asyncio.run(main())
