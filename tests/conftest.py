"""Fixtures shared by all tests: a seeded generator, a small data folder, small videos and a tiny checkpoint."""

import csv
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read when transformers is first imported: no test goes online

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from numpy.typing import NDArray

settings.register_profile(  # the same examples in every run, and no limit on time, which a busy machine would exceed
    "actalign", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("actalign")

collect_ignore = [] if sys.platform == "linux" else ["test_gpu_kernels.py"]  # Triton is for Linux alone

signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore Ctrl-C
TINY_SPORTS = ("tennis", "judo")
TINY_STEPS = {
    "a": ("step back", "swing up"),
    "b": ("swing up", "step back", "fall down"),
    "c": ("fall down", "swing up", "step back", "stand still"),
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """The tests of a file run in one process, and so do all files whose tests share the notebooks of ``tree``."""
    from project_tree import FILES_OF_THE_TREE
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "tree" if Path(file).name in FILES_OF_THE_TREE else file

    return Scheduling(config, log)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _no_figure_stays_open() -> Iterator[None]:
    """Matplotlib warns of the twenty-first, which may be another test's."""
    yield
    if (pyplot := sys.modules.get("matplotlib.pyplot")) is not None:
        pyplot.close("all")


def _write_csv(path: Path, header: list[str], rows: list[list[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


def _write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf-8")


def _write_tables(root: Path) -> None:
    """clips.csv, questions.csv, frame_labels.csv and placeholder bytes where the videos would be."""
    clips: list[list[Any]] = []
    questions: list[list[Any]] = []
    labels: list[list[Any]] = []
    (root / "clips").mkdir(parents=True)
    for sport in TINY_SPORTS:
        family = f"{sport}-01"
        for split in ("test", "validation"):
            for turn, letter in enumerate(TINY_STEPS):
                clip_id = f"{family}{letter}-{split}"
                subset = "clean" if turn % 2 == 0 else "late"
                clips.append([clip_id, split, f"clips/{clip_id}.mp4", sport, family, subset, "", ""])
                shown = [f"{family}{other}" for other in "bca"]
                questions.append([clip_id, shown.index(f"{family}{letter}") + 1, *shown])
                steps = [step.replace(" ", "_") for step in TINY_STEPS[letter]]
                labels.append([clip_id, " ".join(f"{step}*{count}" for count, step in enumerate(steps, start=2))])
                (root / "clips" / f"{clip_id}.mp4").write_bytes(b"not a video: " + clip_id.encode())
    header = ["clip_id", "split", "path", "sport", "family", "subset", "start_s", "end_s"]
    _write_csv(root / "clips.csv", header, clips)
    _write_csv(root / "questions.csv", ["clip_id", "answer", "candidate_1", "candidate_2", "candidate_3"], questions)
    _write_csv(root / "frame_labels.csv", ["clip_id", "labels"], labels)


def _write_texts(root: Path) -> None:
    """Two styles of scripts, two draws of names for each class and each class's sub-action ids."""
    classes = {f"{sport}-01{letter}": (sport, steps) for sport in TINY_SPORTS for letter, steps in TINY_STEPS.items()}
    for style, ending in (("short_fixed", ""), ("context_rich", " with both feet on the ground")):
        scripts = {
            name: {"sport": sport, "steps": [step + ending for step in steps]}
            for name, (sport, steps) in classes.items()
        }
        _write_json(root / "scripts" / f"{style}.json", {"style": style, "scripts": scripts})
    _write_json(root / "class_names.json", {name: [f"the {name} move", f"{name} classic"] for name in classes})
    step_ids = {name: [step.replace(" ", "_") for step in steps] for name, (_, steps) in classes.items()}
    _write_json(root / "class_steps.json", step_ids)


@pytest.fixture
def tiny_dataset(tmp_path: Path) -> Callable[..., Path]:
    """Call it to write a data folder and get its path; ``tiny_dataset("other")`` names the folder.

    2 sports, 1 family of 3 classes each, one test and one validation clip per class: 12 clips, 12 questions of
    3 candidates, scripts of 2-4 steps in two styles. The clip files hold placeholder bytes, not videos.
    """

    def write(name: str = "tiny") -> Path:
        root = tmp_path / name
        _write_tables(root)
        _write_texts(root)
        return root

    return write


TIME_BASE = Fraction(1, 9000)


@pytest.fixture(scope="session")
def write_video() -> Callable[..., Path]:
    """Call it to write a small real H.264 file: ``write_video(path, frames=40)`` or ``times_s=[0, 0.1, 0.5]``.

    The container follows from the suffix. Frame n is a flat colour of brightness about 6 n with a white bar that
    moves down one row a frame, so frames differ. ``size`` is (height, width); ``container`` and ``codec`` are
    FFmpeg options; ``rotation`` is in degrees counter-clockwise.
    """

    def write(
        path: Path,
        *,
        frames: int = 40,
        frame_rate: int = 15,
        times_s: Sequence[float] | None = None,
        size: tuple[int, int] = (64, 64),
        seed: int = 0,
        container: dict[str, str] | None = None,
        codec: dict[str, str] | None = None,
        rotation: int = 0,
    ) -> Path:
        import av

        noise = np.random.default_rng(seed)
        times = [n / frame_rate for n in range(frames)] if times_s is None else times_s
        with av.open(str(path), "w", container_options=container or {}) as file:
            given = dict(codec or {})
            extra = f"asm=0:{given.pop('x264-params', '')}".rstrip(":")  # its assembly varies on pictures this small
            options = {"threads": "1", "x264-params": extra, **given}
            stream = file.add_stream("libx264", rate=frame_rate, options=options)
            stream.height, stream.width = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = TIME_BASE
            if rotation:
                stream.set_display_rotation(rotation)
            for number, time_s in enumerate(times):
                picture = noise.integers(0, 20, (*size, 3), dtype=np.uint8) + np.uint8(6 * number % 200)
                picture[number % size[0]] = 255
                frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                frame.pts, frame.time_base = round(time_s / TIME_BASE), TIME_BASE
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
        return path

    return write


def tiny_tokenizer(*, lower_case: bool = True, length: int = 16) -> Any:
    """A real byte-pair tokenizer of a few hundred pieces, padded to the right, that closes a text with </s>."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    specials = ["<pad>", "</s>", "<unk>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase() if lower_case else normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    words = "swing the racket up step back fall down stand still with both feet in tennis judo Tennis Judo SWING"
    alphabet = list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-,")
    trainer = trainers.BpeTrainer(
        vocab_size=200, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([words], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", specials.index("</s>"))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=length,
        model_input_names=["input_ids"],
        padding_side="right",
    )


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a randomly initialised SiglipModel of width 32, 32 px, texts of 16 tokens. Copy it to change it."""
    import torch
    from transformers import SiglipConfig, SiglipModel, SiglipProcessor
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
    from transformers.utils import logging

    logging.disable_progress_bar()
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    tokenizer = tiny_tokenizer()
    tower = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    specials = {"pad_token_id": 0, "bos_token_id": None, "eos_token_id": 1}
    config = SiglipConfig(
        text_config={**tower, **specials, "vocab_size": len(tokenizer), "max_position_embeddings": 16},
        vision_config={**tower, "image_size": 32, "patch_size": 16},
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = SiglipModel(config)
        model.logit_scale.data.fill_(2.3)
        model.logit_bias.data.fill_(-7.5)
    model.save_pretrained(folder)
    images = SiglipImageProcessorPil(size={"height": 32, "width": 32}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    SiglipProcessor(image_processor=images, tokenizer=tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tree(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Path:
    """A project of 16 test and 8 validation clips of 8 families, with a checkpoint of random weights."""
    from project_tree import write_tree

    return write_tree(tmp_path_factory.mktemp("notebooks") / "project", tiny_checkpoint)


@pytest.fixture(scope="session")
def printed(tree: Path) -> str:
    """What the first run of every notebook over the tree printed; nothing was there before."""
    from project_tree import command

    return command(tree)


@pytest.fixture
def pictures(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Five random RGB frames, uint8 (5, 48, 40, 3)."""
    return rng.integers(0, 256, (5, 48, 40, 3), dtype=np.uint8)


@pytest.fixture
def empty_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project for ``run_notebook``: results, figures and caches go there, and nothing is there before."""
    from project_tree import QUIET

    from actalign import paths

    for name in ("FIGURES", "DATA", "SAMPLE", "CHECKPOINT", "RESULTS", "CACHE"):
        monkeypatch.setattr(paths, name, tmp_path / getattr(paths, name).relative_to(paths.ROOT))
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def sample_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project for ``run_notebook`` that has the sample and nothing else; results and caches go there."""
    from project_tree import PROJECT, QUIET

    from actalign import paths

    root = tmp_path / "project"
    (root / "data").mkdir(parents=True)
    (root / "data" / "sample").symlink_to(PROJECT / "data" / "sample")
    monkeypatch.setattr(paths, "ROOT", root)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return root
