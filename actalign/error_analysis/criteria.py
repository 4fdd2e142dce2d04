"""What can be measured of one clip's question to say how its prediction may have gone wrong (pure).

Each measure is a number with a formula; which numbers are unusual is for :mod:`actalign.error_analysis.modes` to say.
Shapes: K sub-actions, T frames, P pairs on a path, d the embedding width.
"""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign.errors import ActAlignError
from actalign.records import Alignment
from actalign.similarity import unit

NOT_COMPARABLE = "steps not comparable"
RELATIONS = ("same steps", "steps added or left out", "steps replaced", "no step in common", NOT_COMPARABLE)
"""How a wrong candidate's script may differ from the answer's; see :func:`relation`."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One candidate as a method read it: ``texts`` (K,), their embeddings (K, d), the matrix (K, T) and its path.

    >>> from actalign.dtw import align
    >>> matrix = np.array([[0.9, 0.1], [0.1, 0.9]])
    >>> Reading(("toss", "hit"), np.eye(2), matrix, align(matrix)).alignment.score
    0.6333333333333333
    """

    texts: tuple[str, ...]
    texts_kd: NDArray[Any]
    affinity_kt: NDArray[Any]
    alignment: Alignment

    def __post_init__(self) -> None:
        steps = {len(self.texts), len(self.texts_kd), len(self.affinity_kt), int(self.alignment.path[-1, 0]) + 1}
        frames = {self.affinity_kt.shape[1], int(self.alignment.path[-1, 1]) + 1}
        if len(steps) > 1 or len(frames) > 1:
            raise ActAlignError(
                f"texts, embeddings, matrix and path speak of {sorted(steps)} steps and {sorted(frames)} frames; "
                "give those of one script and one clip"
            )


def frame_steps(reading: Reading) -> NDArray[np.intp]:
    """The step that each frame is given, (T,): of the steps that the path visits in it, the one of largest value.

    Where several are as large it is the first.

    >>> from actalign.dtw import align
    >>> matrix = np.array([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]])
    >>> frame_steps(Reading(("toss", "hit"), np.eye(2), matrix, align(matrix))).tolist()
    [0, 0, 1]
    """
    steps, frames = reading.alignment.path.T
    order = np.lexsort((steps, -reading.affinity_kt[steps, frames], frames))
    _, first = np.unique(frames[order], return_index=True)
    return np.asarray(steps[order][first], dtype=np.intp)


def contested_similarity(answer: Reading, rival: Reading) -> float:
    """How alike the texts are that tell the answer from its rival on this clip: a mean cosine (paper, Eq. 5).

    A frame is contested where the two paths give it two different texts. The mean, over contested frames, is of
    the cosine between these two texts. It covers scripts that differ by a step's order, by its wording or by a
    step more. 1.0 where no frame is contested: nothing tells the two apart.

    Raises:
        ActAlignError: the two are not of one clip.

    >>> from actalign.dtw import align
    >>> matrix, texts = np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[1.0, 0.0], [0.6, 0.8]])
    >>> answer = Reading(("toss", "hit"), texts, matrix, align(matrix))
    >>> rival = Reading(("hit", "toss"), texts[::-1], matrix, align(matrix))
    >>> contested_similarity(answer, rival), contested_similarity(answer, answer)
    (0.6, 1.0)
    """
    if answer.affinity_kt.shape[1] != rival.affinity_kt.shape[1]:
        shapes = [reading.affinity_kt.shape for reading in (answer, rival)]
        raise ActAlignError(f"the matrices have shapes {shapes}; give two candidates of one clip")
    pairs = list(zip(frame_steps(answer), frame_steps(rival), strict=True))
    contested = np.array([(a, b) for a, b in pairs if answer.texts[a] != rival.texts[b]], dtype=np.intp)
    if not len(contested):
        return 1.0
    cosines = unit(answer.texts_kd) @ unit(rival.texts_kd).T
    return float(cosines[contested[:, 0], contested[:, 1]].mean())


def least_contrast(affinity_kt: NDArray[Any]) -> float:
    """The smallest, over steps, of a step's largest value minus its median over time: low where a step is flat.

    A step that nothing in the clip matches is flat, and so is one that most frames match. Not the mean, which sinks
    with every idle frame, so that a late start alone would look like contrast.

    >>> least_contrast(np.array([[1.0, 0.0], [0.5, 0.5]]))
    0.0
    """
    matrix = np.asarray(affinity_kt, dtype=np.float64)
    return float((matrix.max(axis=1) - np.median(matrix, axis=1)).min())


def onset(affinity_kt: NDArray[Any]) -> float:
    """The share of the clip that passes before any step is seen, in [0, 1).

    Steps are seen in the first frame in which one is at least halfway from the matrix's lowest to its highest value.
    Not from each step's own: a step that nothing matches is halfway up its own noise at any time. For the same
    reason give the rows of answer and rival: a first step that is not recognised is no late start.

    >>> onset(np.array([[0.0, 0.0, 0.9, 0.1], [0.1, 0.0, 0.1, 0.8]]))
    0.5
    """
    matrix = np.asarray(affinity_kt, dtype=np.float64)
    half = (matrix.min() + matrix.max()) / 2
    return float((matrix.max(axis=0) >= half).argmax() / matrix.shape[1])


def single_frame_share(alignment: Alignment) -> float:
    """The share of a script's steps whose stretch of the path is one frame long.

    A path that moves down within a frame lets that frame pay for a step that may never have happened (Eq. 11).

    >>> from actalign.dtw import align
    >>> single_frame_share(align([[1, 1, 0, 0], [0, 0.1, 0, 0], [0, 1, 1, 1]])) == 1 / 3
    True
    """
    return float((np.bincount(alignment.path[:, 0]) == 1).mean())


def vertical_moves(alignment: Alignment) -> int:
    """How often the path goes to the next step within a frame.

    >>> from actalign.dtw import align
    >>> vertical_moves(align([[0.9, 0.8, 0.1], [0.1, 0.2, 0.9]]))
    1
    """
    return int((np.diff(alignment.path, axis=0) == [1, 0]).all(axis=1).sum())


def readable(label: str) -> bool:
    """Whether a class label can be read: it has a letter or digit, and no character that stands for a damaged one.

    >>> readable("lob"), readable("---"), readable("caf\\ufffd")
    (True, False, False)
    """
    damaged = any(character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cn", "Co") for character in label)
    return not damaged and any(map(str.isalnum, label))


def relation(answer: Sequence[str], other: Sequence[str]) -> str:
    """How the steps of another candidate differ from the answer's; one of :data:`RELATIONS`. Repeated steps count.

    An answer whose steps are not known, for want of a script, has none: nothing can be said of the two.

    >>> relation(["toss", "hit"], ["hit", "toss"]), relation(["toss", "hit"], ["toss", "hit", "land"])
    ('same steps', 'steps added or left out')
    >>> relation(["toss", "hit"], ["toss", "push"]), relation(["toss"], ["kick"])
    ('steps replaced', 'no step in common')
    >>> relation([], ["toss"])
    'steps not comparable'
    """
    if not answer:
        return NOT_COMPARABLE
    mine, theirs = Counter(answer), Counter(other)
    if mine == theirs:
        return RELATIONS[0]
    if not mine & theirs:
        return RELATIONS[3]
    return RELATIONS[1] if mine <= theirs or theirs <= mine else RELATIONS[2]
