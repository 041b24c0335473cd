"""The worker in Python of the workers example: it writes a letter for each order, until it is told to stop.

    DATABASE_URL=postgres://… ATOM_KEY=… python worker.py
"""

import asyncio
import os
import signal

from atom_py import Atom, JobKind, OpenOptions, RunningJob, WorkerOptions


async def letter(job: RunningJob) -> dict[str, str]:
    await asyncio.sleep(0.005)  # what a template and a printer would take
    return {"letter": f"Dear customer, your order {job.input['order']} is on its way."}


async def main() -> None:
    kinds = [JobKind(name="order.letter", queue="python")]
    atom = await Atom.open(OpenOptions(database_url=os.environ["DATABASE_URL"], job_kinds=kinds))
    worker = await atom.start_worker({"order.letter": letter}, WorkerOptions(concurrency=4, label="python"))
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await worker.stop()
    await atom.shut_down()


asyncio.run(main())
