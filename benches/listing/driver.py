"""What the drivers in Python share: the arguments, and the line of the protocol in README.md."""

import argparse
import json
import time

FIELDS = (
    "nextPageToken,files(id,name,mimeType,size,parents,sha256Checksum,owners(permissionId,displayName,emailAddress),"
    "createdTime,modifiedTime,webViewLink,trashed,properties)"
)


class Seen:
    """What is taken of every file."""

    def __init__(self):
        self.items = self.bytes = self.letters = 0

    def add(self, id, name, size):
        self.items += 1
        self.bytes += size
        self.letters += len(id) + len(name.encode())


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--db")
    parser.add_argument("--url", required=True)
    parser.add_argument("--lists", type=int, required=True)
    parser.add_argument("--blocking", action="store_true")
    return parser.parse_args()


def say(items, cpu, seen):
    print(json.dumps({"items": items, "cpu": cpu, "bytes": seen.bytes, "letters": seen.letters}), flush=True)


def measure(args, once):
    once()
    start, items = time.process_time(), 0
    for _ in range(args.lists):
        seen = once()
        items += seen.items
    say(items, time.process_time() - start, seen)


async def measure_awaited(args, once):
    await once()
    start, items = time.process_time(), 0
    for _ in range(args.lists):
        seen = await once()
        items += seen.items
    say(items, time.process_time() - start, seen)
