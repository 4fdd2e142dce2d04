"""One clip's maps and ranking, worked out step by step as the first notebook does: what the explorer must show."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actalign import dtw, similarity
from actalign.datasets.folder import read_folder
from actalign.encoder import load_encoder
from actalign.text import in_sport
from actalign.video import read_frames


class ByHand:
    """The clip ``clip_id`` of a data folder with its scripts of one style."""

    def __init__(self, root: Path, clip_id: str, *, encoder: Any = None, style: str = "context_rich"):
        self.data, self.clip_id = read_folder(root, verify=False), clip_id
        (self.question,) = (one for one in self.data.questions if one.clip_id == clip_id)
        self.encoder = encoder or load_encoder(root / "checkpoint")
        self.scripts = {self.name(one): self.data.scripts[style][one] for one in self.question.candidates}

    def name(self, class_name: str) -> str:
        return self.data.class_names[class_name][0]

    @property
    def answer(self) -> str:
        return self.name(self.question.truth)

    @cached_property
    def _frames(self) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[Any]]:
        frames_thwc, times_s = read_frames(self.data.clips[self.clip_id])
        return frames_thwc, times_s, self.encoder.encode_frames(frames_thwc)

    @property
    def frames_thwc(self) -> NDArray[np.uint8]:
        return self._frames[0]

    @property
    def times_s(self) -> NDArray[np.float64]:
        return self._frames[1]

    def maps(
        self, *, width: int = 1, context: bool = True, edited: Mapping[tuple[str, int], str] | None = None
    ) -> dict[str, NDArray[np.float64]]:
        """Each candidate's affinities (K, T). ``edited``: (class, step counted from 1) to the words in its place."""
        frames_td = self._frames[2] if width == 1 else similarity.smooth(self._frames[2], width)
        made = {}
        for name, script in self.scripts.items():
            steps = [(edited or {}).get((name, number), step) for number, step in enumerate(script.steps, start=1)]
            wording = [in_sport(step, script.sport) if context else step for step in steps]
            cosine_kt = similarity.cosine(self.encoder.encode_texts(wording).embeddings, frames_td)
            made[name] = similarity.affinity(cosine_kt, scale=self.encoder.scale, bias=self.encoder.bias)
        return made

    def ranking(self, **settings: Any) -> list[tuple[str, float]]:
        """Names with scores, best first, for the settings of :meth:`maps`."""
        scores = {name: dtw.align(matrix_kt).score for name, matrix_kt in self.maps(**settings).items()}
        return sorted(scores.items(), key=lambda item: -item[1])
