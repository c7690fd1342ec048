"""The list of objectives: searched, narrowed by label, the one with the least budget left first.

Every link of the page is made here: a chip adds its label or takes it away, a heading sorts, and
what was chosen before stays chosen. An objective of the default pack that never saw an event is no
promise anybody made, so it is left out and counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import quote, urlencode

from seakeeping.errors import BadInput
from seakeeping.records import Alert, AlertState, Budget, BudgetState, EstimateMethod, Reading
from seakeeping.records.codec import near
from seakeeping.web import standing
from seakeeping.web.whisker import Whisker, of_budget

HERE = "/objectives"
_LAST = float("inf")


@dataclass(frozen=True, slots=True)
class Chip:
    """A label to narrow the list by; ``url`` toggles it."""

    word: str
    url: str
    is_on: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class ObjectiveRow:
    """One objective of the list."""

    budget: Budget
    href: str
    title: str
    whisker: Whisker | None
    bounds: str
    chips: tuple[Chip, ...]
    firing: int
    is_estimate: bool
    labels_href: str

    @property
    def has_alarm(self) -> bool:
        """Whether an alert of it fires."""
        return self.firing > 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader asked for: words, labels (``name=value``), states, the order, all or not."""

    words: str = ""
    labels: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    sort: str = "budget"
    shows_all: bool = False

    @property
    def url(self) -> str:
        """The address of the list as chosen."""
        pairs = [("q", self.words)] if self.words else []
        pairs += [("label", label) for label in self.labels]
        pairs += [("state", state) for state in self.states]
        pairs += [("sort", self.sort)] if self.sort != "budget" else []
        pairs += [("all", "true")] if self.shows_all else []
        return f"{HERE}?{urlencode(pairs)}" if pairs else HERE

    def toggled(self, *, label: str = "", state: str = "") -> "Choice":
        """Return the choice with a label or a state added, or taken away where it is there."""
        return replace(self, labels=_toggle(self.labels, label), states=_toggle(self.states, state))


@dataclass(frozen=True, slots=True)
class ObjectiveList:
    """The page."""

    rows: tuple[ObjectiveRow, ...]
    choice: Choice
    states: tuple[Chip, ...]
    labels: tuple[Chip, ...]
    sorts: Mapping[str, str]
    total: int
    hidden: int
    all_url: str
    at: float | None


_Order = Callable[[Budget], tuple[object, ...]]


def _left(budget: Budget) -> float:
    return _LAST if budget.remaining_ratio is None else budget.remaining_ratio


def _worst_burn(budget: Budget) -> float:
    return -(budget.burn_rates.get("1h") or 0.0)


_STATES = (BudgetState.BREACH, BudgetState.UNCERTAIN, BudgetState.OK, BudgetState.NO_DATA)
SORTS: Mapping[str, _Order] = MappingProxyType({
    "budget": lambda b: (_left(b), b.objective.name),
    "name": lambda b: (b.objective.name,),
    "state": lambda b: (_STATES.index(b.state), _left(b), b.objective.name),
    "burn": lambda b: (_worst_burn(b), _left(b), b.objective.name),
    "owner": lambda b: (b.objective.owner is None, b.objective.owner or "", b.objective.name),
})  # fmt: skip
"""The orders of the list, by name."""


def read_choice(pairs: Iterable[tuple[str, str]]) -> Choice:
    """Return what the parameters of the address ask for; raises BadInput."""
    labels, states, rest = [], [], {}
    for name, value in pairs:
        if name == "label":
            labels.append(value)
        elif name == "state":
            states.append(value)
        elif name in ("q", "sort", "all"):
            rest[name] = value
        else:
            raise BadInput(f"unknown parameter {name!r}", hint=near(name, _PARAMETERS))
    sort = rest.get("sort") or "budget"
    if sort not in SORTS:
        raise BadInput(f"unknown order {sort!r}", hint=near(sort, SORTS))
    for state in states:
        if state not in list(BudgetState):
            raise BadInput(f"unknown state {state!r}", hint=near(state, list(BudgetState)))
    return Choice(
        rest.get("q", "").strip(), tuple(labels), tuple(states), sort, rest.get("all") == "true"
    )


_PARAMETERS = ("q", "label", "state", "sort", "all")


def build(
    readings: Sequence[Reading], alerts: Sequence[Alert], choice: Choice, at: float | None
) -> ObjectiveList:
    """Return the list as chosen."""
    budgets = [reading.budget for reading in readings]
    kept = budgets if choice.shows_all else [b for b in budgets if not is_unused(b)]
    found = [b for b in kept if _matches(b, choice)]
    firing = Counter(a.objective for a in alerts if a.state is AlertState.FIRING)
    rows = [_row(b, firing[b.objective.name], choice) for b in sorted(found, key=_key(choice))]
    counts = Counter(b.state for b in kept)
    return ObjectiveList(
        rows=tuple(rows),
        choice=choice,
        states=tuple(
            Chip(s, choice.toggled(state=s).url, s in choice.states, counts[s]) for s in _STATES
        ),
        labels=tuple(Chip(la, choice.toggled(label=la).url, True) for la in choice.labels),
        sorts={name: replace(choice, sort=name).url for name in SORTS},
        total=len(kept),
        hidden=len(budgets) - len(kept),
        all_url=replace(choice, shows_all=True).url,
        at=at,
    )


def _key(choice: Choice) -> _Order:
    return SORTS[choice.sort]


def is_unused(budget: Budget) -> bool:
    """Tell whether an objective of the default pack never saw an event."""
    return (
        budget.objective.source == "default"
        and budget.last_event_at is None
        and budget.valid_rows == 0
        and budget.valid_total == 0
    )


def href(name: str) -> str:
    """Return the address of an objective's page."""
    return f"{HERE}/{quote(name)}"


def labels_of(budget: Budget) -> tuple[str, ...]:
    """Return the labels of an objective as ``name=value``, its service first."""
    objective = budget.objective
    own = (f"{k}={v}" for k, v in sorted(objective.labels.items()) if k != "service")
    owner = (f"owner={objective.owner}",) if objective.owner else ()
    return (f"service={objective.service}", *owner, *own)


def _matches(budget: Budget, choice: Choice) -> bool:
    objective = budget.objective
    own = labels_of(budget)
    text = " ".join(
        (objective.name, objective.display_name or "", objective.description, *own)
    ).casefold()
    return (
        all(word in text for word in choice.words.casefold().split())
        and all(label in own for label in choice.labels)
        and (not choice.states or budget.state in choice.states)
    )


def _row(budget: Budget, firing: int, choice: Choice) -> ObjectiveRow:
    objective = budget.objective
    name, subject = objective.name, standing.subject(budget)
    chips = [
        Chip(label, choice.toggled(label=label).url, label in choice.labels)
        for label in labels_of(budget)
        if not label.startswith("owner=")
    ]
    review = f"/review?{urlencode({'service': objective.service, 'name': subject})}"
    return ObjectiveRow(
        budget=budget,
        href=href(name),
        title=objective.display_name or name.removeprefix(f"{objective.service}/"),
        whisker=of_budget(budget),
        bounds=standing.bounds(budget.low, budget.high),
        chips=tuple(chips),
        firing=firing,
        is_estimate=budget.method is not EstimateMethod.COUNTED,
        labels_href=review if subject and standing.needs_labels(budget) else "",
    )


def _toggle(words: tuple[str, ...], word: str) -> tuple[str, ...]:
    if not word:
        return words
    return tuple(w for w in words if w != word) if word in words else (*words, word)
