"""Prints the codes among the arguments that have no exception class of their own."""

import importlib.util
import json
import sys

spec = importlib.util.spec_from_file_location("errors", sys.argv[1])
errors = importlib.util.module_from_spec(spec)
spec.loader.exec_module(errors)


def known(code):
    error = errors.from_core(code, "reason", "text", None, None, None, False)
    return type(error) is not errors.AtomError and isinstance(error, errors.AtomError) and error.code == code


print(json.dumps([code for code in sys.argv[2:] if not known(code)]))
