"""Where the time of a run goes: functions wrapped from outside, each charged without those it calls."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from time import perf_counter
from typing import Any, TypeVar

Item = TypeVar("Item")


@dataclass(slots=True)
class Phases:
    """Seconds and calls by phase. A phase inside a phase is charged to the inner one only."""

    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: Counter[str] = field(default_factory=Counter)
    _inner: list[float] = field(default_factory=list)

    @contextmanager
    def watching(self, *places: tuple[Any, str, str]) -> Iterator[None]:
        """Watch functions, each (owner, attribute, phase), inside the block."""
        before = [(owner, name, getattr(owner, name)) for owner, name, _ in places]
        for (owner, name, phase), (_, _, function) in zip(places, before, strict=True):
            setattr(owner, name, self._wrapped(function, phase))
        try:
            yield
        finally:
            for owner, name, function in before:
                setattr(owner, name, function)

    def reading(self, items: Iterable[Item], phase: str) -> Iterator[Item]:
        """The items, with the time it takes to get each."""
        following = self._wrapped(iter(items).__next__, phase)
        while True:
            try:
                item = following()
            except StopIteration:
                return
            yield item

    def shares(self, whole: float) -> list[list[str]]:
        """Rows of a table: phase, calls, seconds, share of the whole; what nobody watched last."""
        rows = [(phase, self.calls[phase], seconds) for phase, seconds in self._longest()]
        rows.append(("everything else", 0, max(whole - sum(self.seconds.values()), 0.0)))
        return [
            [phase, f"{calls:,}" if calls else "", f"{seconds:.2f}", f"{seconds / whole:.1%}"]
            for phase, calls, seconds in rows
        ]

    def _longest(self) -> list[tuple[str, float]]:
        return sorted(self.seconds.items(), key=lambda phase: -phase[1])

    def _wrapped(self, function: Callable[..., Any], phase: str) -> Callable[..., Any]:
        @wraps(function)
        def watched(*args: Any, **named: Any) -> Any:
            self._inner.append(0.0)
            began = perf_counter()
            try:
                return function(*args, **named)
            finally:
                took = perf_counter() - began
                self.seconds[phase] += took - self._inner.pop()
                self.calls[phase] += 1
                if self._inner:
                    self._inner[-1] += took

        return watched


PHASE_HEADER = ["phase", "calls", "seconds", "share"]
