"""The Stripe of `localstripe`, which refuses parameters that Stripe does not know. `python localstripe_server.py`"""

import asyncio
import sys

from aiohttp import web
from localstripe.resources import Store
from localstripe.server import app, get_api_key

# Several of these servers run at once, and none has anything to keep.
Store.dump_to_disk = lambda self: None


# It has no accounts: here every key is of one of its own (https://docs.stripe.com/api/accounts/retrieve).
async def account(request):
    name = get_api_key(request).removeprefix("sk_test_")
    return web.json_response({"id": f"acct_{name}", "object": "account", "country": "GB", "email": f"{name}@example.com"})


async def main():
    app.router.add_get("/v1/account", account)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print("ready http://127.0.0.1:%d" % runner.addresses[0][1], flush=True)
    # The test has it open for as long as it runs.
    await asyncio.to_thread(sys.stdin.read)


asyncio.run(main())
