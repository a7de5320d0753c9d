"""What the words of a playbook get wrong: no approved text, unknown platforms and channels, forbidden phrases.

Apart from reading, since a playbook of the past must stay readable whatever is approved today.
"""

from collections.abc import Iterable, Iterator

from rules import contact, linter, packs
from rules.playbook import Ladder, Playbook, Step
from rules.toml import line_of


def problems(playbook: Playbook, source: str, also: Iterable[str] = ()) -> list[str]:
    """Every mistake as "file:line: key: what is wrong; mend". `also`: platforms of shops that have no pack."""
    platforms = tuple(dict.fromkeys((*packs.PLATFORMS, *also)))
    found = []
    for ladder in playbook.ladders:
        for number, step in enumerate(ladder.steps):
            for key, said in _step(playbook, ladder, step, platforms):
                line = line_of(playbook.text, (ladder.violation, "steps", number, key))
                found.append(f"{source}:{line}: {ladder.violation}.steps.{step.name}.{key}: {said}")
    return found


def _step(playbook: Playbook, ladder: Ladder, step: Step, platforms: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(key, what is wrong and the mend) of one step."""
    for name in sorted(step.platforms - set(platforms)):
        yield "platforms", f"no platform {name!r}; known: {', '.join(platforms)}"
    if step.channel is not None and step.channel not in _channels():
        yield "channel", f"no channel {step.channel!r}; known: {', '.join(_channels())}"
    if step.template is None:
        return
    template = playbook.template(step.template)
    if template is None:
        known = ", ".join(sorted(playbook.texts()))
        yield "template", f"no approved text {step.template!r}; known: {known}; or write [templates.{step.template}]"
        return
    if step.intent != template.intent:
        yield "intent", f"the text {step.template!r} is about {template.intent!r}, not {step.intent!r}"
        return
    for name in sorted(step.platforms or packs.PLATFORMS):
        said = _forbidden(name, ladder, step, template.intent, template.plain())
        if said is not None:
            yield "template", said
            return


def _forbidden(platform: str, ladder: Ladder, step: Step, intent: str, text: str) -> str | None:
    """What the text says that the platform punishes, where it would be sent there at all."""
    pack = packs.load(platform)
    enabled = frozenset(pack.contact.off_by_default)
    if not contact.gate(pack, ladder.violation, step.channel or "", intent, enabled=enabled).allowed:
        return None
    for fault in linter.faults(pack, text, intent):
        return (
            f"on {platform} the text {step.template!r} may not say {fault.phrase!r} in its line {fault.line} "
            f"({fault.reason}); {fault.mend}, or name the platforms it is for"
        )
    return None


def _channels() -> tuple[str, ...]:
    """Every way of contact that a pack knows."""
    known = {name for pack in packs.all_packs() for name in (*pack.contact.channels, *pack.contact.off_by_default)}
    return tuple(sorted({*known, contact.TASK}))
