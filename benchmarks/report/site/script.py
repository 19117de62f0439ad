"""Data as scripts: a page that is opened from a folder may load those, and nothing else."""

import json


def script(name: str, content: object) -> str:
    """Write JavaScript that keeps JSON under a name, for ``BENCHMARK[name]``.

    Nothing in it can end the script or mean anything but itself, whatever pictures and datasets
    are called: it is ASCII, and has no ``<``.
    """
    return f"(self.BENCHMARK ??= {{}})[{_literal(name)}] = {_literal(content)};\n"


def _literal(content: object) -> str:
    text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")
