"""Folders whose content outlives this process: in files of ``data:``, which the host writes for it."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
import zipfile
from pathlib import Path

from tapline import Context, Failure

#: Says which content is the latest; what it does not name is not there.
_CURRENT = "kept.json"
#: So much of the content is in one file, in bytes: less than the host writes at once.
_PART = 8 << 20


class Kept:
    """A folder of this process that is filled with what was kept below ``data:``, and kept there again."""

    def __init__(self, context: Context, path: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kept-"))
        self._place = f"data:/{path.strip('/')}"
        self._name = ""
        self._restore(context)

    def _restore(self, context: Context) -> None:
        try:
            current = json.loads(context.read_file(f"{self._place}/{_CURRENT}"))
        except Failure as failure:
            if failure.code == "no-such-file":
                return
            raise
        try:
            self._name, parts = str(current["name"]), range(int(current["parts"]))
            content = b"".join(context.read_file(f"{self._place}/{self._name}.{part}") for part in parts)
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                archive.extractall(self.folder)
        except (KeyError, TypeError, ValueError, OSError, zipfile.BadZipFile) as error:
            raise Failure("broken-store", f"what is kept in `{self._place}` cannot be read: {error}") from error

    def keep(self, context: Context) -> None:
        """Keeps the content of the folder: all of it, or none and what was kept before."""
        content = _packed(self.folder)
        name = hashlib.sha256(content).hexdigest()[:16]
        if name == self._name:
            return
        parts = range(0, len(content), _PART)
        for number, begin in enumerate(parts):
            context.write_file(f"{self._place}/{name}.{number}", content[begin : begin + _PART])
        context.write_file(f"{self._place}/{_CURRENT}", json.dumps({"name": name, "parts": len(parts)}))
        self._name = name
        # What is left over from before, or from a keeping that was broken off.
        for entry in context.list_folder(self._place):
            if entry.name != _CURRENT and not entry.name.startswith(f"{name}."):
                context.remove_file(f"{self._place}/{entry.name}")


def _packed(folder: Path) -> bytes:
    """The same bytes for the same content, whenever it was written."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            about = zipfile.ZipInfo(file.relative_to(folder).as_posix())
            archive.writestr(about, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return packed.getvalue()


class Keeping:
    """What is kept by this process, by its path."""

    def __init__(self) -> None:
        self._kept: dict[str, Kept] = {}

    def folder(self, context: Context, path: str) -> str:
        """The folder for what is kept under a path."""
        if path not in self._kept:
            self._kept[path] = Kept(context, path)
        return str(self._kept[path].folder)

    def keep(self, context: Context) -> None:
        """Keeps what has changed."""
        for kept in self._kept.values():
            kept.keep(context)


#: The folders of this process.
keeping = Keeping()
