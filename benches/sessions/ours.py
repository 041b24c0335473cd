"""Verifies with the library from Python, by the protocol of README.md, awaited or `--blocking`."""

import asyncio

import driver
from atom_py import Atom, OpenOptions

args = driver.arguments()
options = OpenOptions(database_url=args.given["database"], key=args.given["key"])


async def main():
    atom = await Atom.open(options)

    async def verify(token):
        return (await atom.authenticate(token)).principal.user_id

    def verify_blocking(token):
        return atom.authenticate_blocking(token).principal.user_id

    if args.blocking:
        # From a thread without an event loop, as programs that block have it.
        await asyncio.to_thread(driver.blocking, args, verify_blocking)
    else:
        await driver.awaited(args, verify)
    await atom.shut_down()


asyncio.run(main())
