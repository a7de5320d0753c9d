"""The edges: feeds that say what a shop said, sinks that carry an action out.

`adapters.base` holds the ports. An adapter may use `rules.model`, `rules.instant` and its own
transport; it never imports `daemon` or another adapter. Adapters are async, parsing is pure.
Shared and no adapters themselves: `http` (one POST), `options` (a sink's settings), `robot` (chat robots).
"""
