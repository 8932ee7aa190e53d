"""Prints what a plugin declares: ``python3 -m tapline.manifest FOLDER``.

The module ``plugin`` of the folder is run, and what it prints goes to standard error. On standard output comes one JSON
object: ``manifest``, ``places`` (the line of each part, by its path in the manifest), or ``error``.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from typing import Any

from .declaration import DeclarationError
from .definition import declared_in


def described(folder: str) -> dict[str, Any]:
    """What the plugin of a folder declares, or what is wrong with it."""
    sys.path.insert(0, folder)
    try:
        declaration = declared_in(importlib.import_module("plugin"))
    except DeclarationError as error:
        return {"error": str(error)}
    except SyntaxError as error:
        # The line and the place in it, without the way on which it was come to.
        return {"error": "".join(traceback.format_exception_only(error)).rstrip()}
    except BaseException as error:
        return {"error": "".join(traceback.format_exception(_of_author(error))).rstrip()}
    return {"manifest": declaration.manifest, "places": declaration.places}


def _of_author(error: BaseException) -> BaseException:
    """The error with the author's frames alone."""
    step = error.__traceback__
    while step is not None and _is_machinery(step.tb_frame.f_code.co_filename):
        step = step.tb_next
    return error.with_traceback(step)


def _is_machinery(file: str) -> bool:
    own = os.path.dirname(__file__)
    return file.startswith("<frozen") or os.path.dirname(file) == own or "importlib" in file


def main() -> None:
    output, sys.stdout = sys.stdout, sys.stderr
    json.dump(described(sys.argv[1]), output)


if __name__ == "__main__":
    main()
