"""Prints the classes of the compiled module with their public members, as JSON."""

import importlib.machinery
import importlib.util
import json
import sys

loader = importlib.machinery.ExtensionFileLoader("_atom", sys.argv[1])
module = importlib.util.module_from_spec(importlib.util.spec_from_loader("_atom", loader))
loader.exec_module(module)


SPECIAL = ("__aiter__", "__anext__", "__iter__", "__next__", "__aenter__", "__aexit__", "__enter__", "__exit__")


def members(cls):
    names = [name for name in vars(cls) if not name.startswith("_") or name in SPECIAL]
    nested = [f"{name}.{inner}" for name in names if isinstance(vars(cls)[name], type) for inner in members(vars(cls)[name])]
    return names + nested


print(json.dumps({name: members(value) for name, value in vars(module).items() if isinstance(value, type)}))
