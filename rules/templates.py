"""Texts to buyers: approved, versioned, with nothing to fill in but named fields. No logic in texts."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from string import Template as Filling
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, field_validator

FIELDS = frozenset({"order_id"})
"""What a text may name; nothing of it is written by a buyer."""


class Template(BaseModel):
    """An approved text: which edition of it, what it is about (an intent of the packs), the words."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: int = Field(ge=1, strict=True)
    intent: str
    text: str = Field(min_length=1)

    @field_validator("text")
    @classmethod
    def _fields(cls, text: str) -> str:
        filling = Filling(text)
        if not filling.is_valid():
            raise ValueError("a $ stands alone; write $$ for a dollar sign")
        unknown = sorted(set(filling.get_identifiers()) - FIELDS)
        if unknown:
            raise ValueError(f"unknown field ${unknown[0]}; known: {', '.join(sorted(FIELDS))}")
        return text

    def filled(self, order_id: str) -> str:
        """The text as it is sent."""
        return Filling(self.text).substitute(order_id=order_id)

    def plain(self) -> str:
        """The text without what is filled in: a platform's own order number is no telephone number."""
        return self.filled("")


@lru_cache(maxsize=1)
def shipped() -> Mapping[str, Template]:
    """The texts that come with Forestall (rules/data/templates.toml), by name."""
    document = tomllib.loads(files("rules").joinpath("data/templates.toml").read_text("utf-8"))
    return MappingProxyType({name: Template.model_validate(table) for name, table in document.items()})


def edition(name: str, template: Template) -> str:
    """How a decision names a text: delay_notice@1."""
    return f"{name}@{template.version}"
