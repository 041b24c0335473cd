"""Reads the library's tokens from Python, by the line protocol of README.md, awaited or `--blocking`."""

import asyncio

import driver
from atom_py import Atom, Credentials, OpenOptions, ProviderApp

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

args = driver.arguments()
google = ProviderApp(provider="google", client_id="client", redirect_uri="http://127.0.0.1/callback", export_tokens=True)
options = OpenOptions(
    database_url=f"sqlite:{args.db}", key=KEY, providers=[google], token_cache_seconds=0 if args.variant == "stored" else None
)


async def read(connection):
    return (await connection.access_token()).token


def read_blocking(connection):
    return connection.access_token_blocking().token


async def main():
    atom = await Atom.open(options)
    session = (await atom.accounts.sign_in(Credentials(email="ada@example.com", password="an engine of brass"))).session
    connections = (await atom.authenticate(session.access_token)).connections
    accounts = [await connections.open(account.id) for account in await connections.list()]
    if args.blocking:
        # From a thread without an event loop, as programs that block have it.
        await asyncio.to_thread(driver.blocking, args, accounts, read_blocking)
    else:
        await driver.awaited(args, accounts, read)
    await atom.shut_down()


asyncio.run(main())
