"""Which classes there are: families of five sibling classes that differ in order or in one sub-action."""

from dataclasses import dataclass

import numpy as np

from actalign.sample.sports import SPORTS

FAMILIES_PER_SPORT = 8
NAME_DRAWS = 5
Steps = tuple[int, ...]


@dataclass(frozen=True)
class Family:
    """Five classes of one sport, ``{class id: ordered sub-action indices}``; they are each other's candidates."""

    id: str
    sport: str
    classes: dict[str, Steps]


def _reordered(base: Steps, rng: np.random.Generator, taken: list[Steps]) -> Steps:
    while True:
        order = list(base)
        i, j = rng.choice(len(base), 2, replace=False)
        order[i], order[j] = order[j], order[i]
        if tuple(order) not in taken:
            return tuple(order)


def _siblings(rng: np.random.Generator) -> list[Steps]:
    """A base of four to six steps; two other orders of it; one step replaced; one step more."""
    base: Steps = tuple(int(step) for step in rng.permutation(12)[: rng.integers(4, 7)])
    spare = [step for step in rng.permutation(12) if step not in base]
    swapped = _reordered(base, rng, [base])
    swapped_again = _reordered(base, rng, [base, swapped])
    place = int(rng.integers(len(base)))
    replaced = (*base[:place], int(spare[0]), *base[place + 1 :])
    place = int(rng.integers(1, len(base)))
    longer = (*base[:place], int(spare[1]), *base[place:])
    return [base, swapped, swapped_again, replaced, longer]


def families(seed: int) -> list[Family]:
    """All families, the same for the same seed.

    >>> len(families(0)), sorted(len(set(map(len, family.classes.values()))) for family in families(0))[0]
    (64, 2)
    """
    rng = np.random.default_rng([seed, 1])
    made = []
    for sport in SPORTS:
        for number in range(FAMILIES_PER_SPORT):
            family_id = f"{sport.replace(' ', '-')}-{number + 1:02d}"
            letters = rng.permutation(list("abcde"))  # the letter says nothing about the kind of variant
            variants = dict(zip((f"{family_id}{letter}" for letter in letters), _siblings(rng), strict=True))
            made.append(Family(family_id, sport, dict(sorted(variants.items()))))
    return made


def invented_names(class_ids: list[str], seed: int) -> dict[str, list[str]]:
    """``NAME_DRAWS`` made-up names for each class, such as trick names nobody has heard of.

    >>> len(invented_names(["a", "b"], 0)["a"])
    5
    """
    rng = np.random.default_rng([seed, 2])
    starts = "bra del fro gal hen jor kal lin mor nev pol quin ras sol tev var wil yan zet".split()
    ends = "bert dini dorf gan kov lani mark nier ota pin rell ston tani vek zov".split()
    nouns = "turn move special combination twist number pass routine trick sequence".split()
    names: dict[str, list[str]] = {class_id: [] for class_id in class_ids}
    used: set[str] = set()
    for _ in range(NAME_DRAWS):
        for class_id in class_ids:
            name = ""
            while not name or name in used:
                name = f"{rng.choice(starts)}{rng.choice(ends)} {rng.choice(nouns)}"
            used.add(name)
            names[class_id].append(name)
    return names
