"""Orders from files: canonical JSON Lines and CSV, platform exports, any CSV through mapped columns.

Two entrances: `adapters.files.feed.FilesFeed` watches a drop folder, `adapters.files.read.read` reads one
file for `forestall replay`. Both are streams in constant memory: a bad row becomes a `Rejected` with its
line, reason and mend and never stops the others; receiver data never leaves the parsers.

Layers inside, top to bottom: `feed` → `read` → `canonical`, `exports`, `columns` → `fields` → `sheet` →
`opening`. Allowed imports: the standard library, msgspec, openpyxl, defusedxml, `rules`, `adapters.base`.
"""
