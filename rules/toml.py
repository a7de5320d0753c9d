"""Where a key stands in a TOML text, for messages: tomllib tells no lines."""


def line_of(text: str, place: tuple[str | int, ...]) -> int:
    """The line (from 1) of a key such as ("late_shipment", "steps", 2, "lead"), as near as can be told.

    The key's own line, else that of its step or table, else 1. Steps may be tables of their own or one line each.
    """
    names = [part for part in place if isinstance(part, str)]
    number = next((part for part in place if isinstance(part, int)), None)
    rows = list(enumerate(text.splitlines(), 1))
    if len(names) < 2 or number is None:
        return _key_line(rows, names)
    header = f"[[{names[0]}.{names[1]}]]"
    starts = [n for n, row in rows if row.strip().startswith(header)]
    if number < len(starts):
        block = [(n, row) for n, row in rows if n > starts[number]]
        return next((n for n, row in _until_header(block) if _is_key(row, names[-1])), starts[number])
    table = next((n for n, row in rows if row.strip().startswith(f"[{names[0]}]")), 1)
    entries = [
        n for n, row in _until_header([r for r in rows if r[0] > table]) if row.strip().startswith(("{", "steps = [{"))
    ]
    return entries[number] if number < len(entries) else table


def _key_line(rows: list[tuple[int, str]], names: list[str]) -> int:
    """The line of a key of a table, or of a key at the top."""
    table = 0
    for depth in range(len(names), 0, -1):
        header = f"[{'.'.join(names[:depth])}]"
        table = next((n for n, row in rows if row.strip().startswith(header)), 0)
        if table:
            break
    inside = _until_header([row for row in rows if row[0] > table])
    return next((n for n, row in inside if names and _is_key(row, names[-1])), table or 1)


def _until_header(rows: list[tuple[int, str]]) -> list[tuple[int, str]]:
    end = next((place for place, (_, row) in enumerate(rows) if row.startswith("[")), len(rows))
    return rows[:end]


def _is_key(row: str, name: str) -> bool:
    return row.strip().startswith(name) and row.strip()[len(name) :].lstrip().startswith("=")
