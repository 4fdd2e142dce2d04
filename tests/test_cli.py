"""The command line: what it prints, where errors go, and exit codes that scripts can use."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from atlas_copy import atlas_row, write_jsonl
from endpoint import FakeEndpoint, reply
from typer.testing import CliRunner
from video_server import video_server

from actalign import __version__, cli, diagnosis, paths
from actalign.datasets.actionatlas.manifest import Manifest, read_manifest
from actalign.datasets.registry import write_registry
from actalign.encoder import load_encoder
from actalign.errors import ActAlignError
from actalign.fetching.site import Site
from actalign.options import options
from actalign.records import Dataset
from actalign.sample.classes import families
from actalign.sample.render import plan_clips, write_folder

KEY = "sk-not-to-be-seen-0123456789"


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four drawn clips with questions and scripts."""
    folder = tmp_path_factory.mktemp("drawn")
    write_folder(folder, plan_clips(families(7), 4, split="test"), seed=7, progress=False)
    return folder


@pytest.fixture
def own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "CACHE", tmp_path / "cache")
    return tmp_path / "cache" / "embeddings"


def test_every_command_has_help_with_an_example() -> None:
    listed = run("--help").stdout
    for command in cli.app.registered_commands:
        assert command.callback is not None
        name = command.callback.__name__
        assert f"  {name} " in listed
        helped = run(name, "--help")
        assert helped.exit_code == 0
        assert f"  Example: actalign {name}" in helped.stdout
    assert "--checkpoint google/siglip-so400m-patch14-384 " in run("encode", "--help").stdout, "not cut at a hyphen"
    assert run("--version").stdout == f"actalign {__version__}\n"


def test_a_wrong_command_line_is_2_and_an_error_is_1_with_one_line(drawn: Path) -> None:
    assert run("encode").exit_code == 2
    assert run("scoer").exit_code == 2
    for arguments in (("encode", "sample", "--store", ""), ("reproduce", "--out", "")):  # not the current folder
        done = run(*arguments)
        assert done.exit_code == 2 and f"'{arguments[-2]}': it is empty; name a file or folder" in done.stderr
    wrong = run("encode", "nowhere")
    assert wrong.exit_code == 1
    assert wrong.stderr.startswith("error: 'nowhere' is neither a folder nor") and wrong.stderr.count("\n") == 1
    assert "no checkpoint of its own; pass --checkpoint" in run("encode", str(drawn)).stderr
    assert "no scripts of style 'nope'" in run("score", str(drawn), "--style", "nope").stderr


def test_encode_reuses_and_says_what_failed(drawn: Path, own_store: Path, tmp_path: Path) -> None:
    arguments = ("encode", str(drawn), "--checkpoint", str(paths.CHECKPOINT), "--frame-rate", "3")
    first = run(*arguments)
    assert (first.exit_code, "computed 4, failed 0" in first.stdout) == (0, True)
    assert list(own_store.glob("*.safetensors"))
    assert "loaded 4 from cache" in run(*arguments).stdout
    broken = tmp_path / "broken"
    write_folder(broken, plan_clips(families(7), 3, split="test"), seed=7, progress=False)
    victim = sorted(broken.rglob("*.mp4"))[1]
    victim.write_bytes(victim.read_bytes()[:600])
    partly = run("encode", str(broken), "--checkpoint", str(paths.CHECKPOINT), "--frame-rate", "3")
    assert partly.exit_code == cli.PARTLY
    assert partly.stderr.count("failed: ") == 1 and str(victim) in partly.stderr
    kept = tmp_path / "kept"
    options = ("--checkpoint", str(paths.CHECKPOINT), "--frame-rate", "3", "--store", str(kept))
    scored = run("score", str(broken), *options)
    assert len(list(kept.glob("*.safetensors"))) == 2 and list(kept.glob("texts/*/*.safetensors"))
    assert scored.exit_code == cli.PARTLY and scored.stderr == partly.stderr


def test_score_prints_intervals_and_writes_the_scores(drawn: Path, own_store: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "scores.csv"
    done = run(
        *("score", str(drawn), "--style", "context_rich", "--method", "dtw", "--method", "dtw_context"),
        *("--checkpoint", str(paths.CHECKPOINT), "--out", str(out)),
    )
    assert done.exit_code == 0, done.stderr
    for label in ("DTW [context_rich]: Top-1", "DTW + context [context_rich]: Top-1"):
        assert label in done.stdout
    assert "on 4 of 4" in done.stdout
    table = pd.read_csv(out)
    assert set(table["method"]) == {"dtw", "dtw_context"} and len(table) == 2 * 4 * 5


def test_score_hands_on_its_options_and_takes_the_test_split(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = shutil.copytree(drawn, tmp_path / "data")
    clips = pd.read_csv(mine / "clips.csv")
    clips.loc[0, "split"] = "validation"
    clips.to_csv(mine / "clips.csv", index=False)
    seen: list[Any] = []

    def groups(dataset: Dataset, **options: Any) -> list[str]:
        seen.append(([question.clip_id for question in dataset.questions], options))
        return ["a text"]

    def encoder(checkpoint: str, **options: Any) -> str:
        seen.append((checkpoint, options))
        return "encoder"

    def clip_embeddings(dataset: Dataset, encoder: str, **options: Any) -> None:
        seen.append((encoder, options))

    def texts(groups: list[str], encoder: str, **options: Any) -> None:
        seen.append((groups, encoder, options))
        raise ActAlignError("enough")

    monkeypatch.setattr("actalign.questions.text_groups", groups)
    monkeypatch.setattr("actalign.encoder.load_encoder", encoder)
    monkeypatch.setattr("actalign.embeddings.embed_clips", clip_embeddings)
    monkeypatch.setattr("actalign.embeddings.embed_texts", texts)
    given = ("--checkpoint", "a/b", "--device", "cuda:1", "--dtype", "float16", "--frame-rate", "3", "--store", "kept")
    method = ("--style", "context_rich", "--method", "dtw_context_smoothing", "--smoothing-width", "5")
    assert "error: enough" in run("score", str(mine), *given, *method, "--preset", "reference").stderr
    chosen = options("reference", smoothing_width=5)
    assert seen == [
        (clips["clip_id"].tolist()[1:], {"methods": [method[3]], "styles": ["context_rich"], "options": chosen}),
        ("a/b", {"device": "cuda:1", "dtype": "float16"}),
        ("encoder", {"store_folder": Path("kept"), "frame_rate": 3.0}),
        (["a text"], "encoder", {"store_folder": Path("kept"), "group_padding": "longest"}),
    ]


def test_score_says_before_it_encodes_that_it_cannot_write(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actalign.embeddings.embed_clips", None)
    done = run("score", str(drawn), "--checkpoint", str(paths.CHECKPOINT), "--out", str(tmp_path))
    assert done.exit_code == 1 and "it is a folder; name a file" in done.stderr


def test_score_of_one_family_prints_no_interval(drawn: Path, own_store: Path, tmp_path: Path) -> None:
    mine = shutil.copytree(drawn, tmp_path / "data")
    pd.read_csv(mine / "clips.csv").assign(family="one").to_csv(mine / "clips.csv", index=False)
    done = run(
        *("score", str(mine), "--style", "context_rich", "--checkpoint", str(paths.CHECKPOINT), "--frame-rate", "3")
    )
    assert done.exit_code == 0, done.stderr
    assert re.search(r"\[context_rich\]: Top-1 [\d.]+, Top-2 [\d.]+, Top-3 [\d.]+ on 4 of 4", done.stdout)


def test_score_ranks_where_nothing_is_labelled(drawn: Path, own_store: Path, tmp_path: Path) -> None:
    questions = pd.read_csv(drawn / "questions.csv").drop(columns="answer")
    for path in (drawn / "clips.csv", *drawn.glob("scripts/*.json"), *drawn.rglob("*.mp4")):
        target = tmp_path / "data" / path.relative_to(drawn)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    questions.to_csv(tmp_path / "data" / "questions.csv", index=False)
    given = [
        "score", str(tmp_path / "data"), "--style", "context_rich", "--checkpoint", str(paths.CHECKPOINT),
        "--frame-rate", "3",
    ]  # fmt: skip
    done = run(*given)
    assert done.exit_code == 0 and "no accuracy" not in done.stderr, done.stderr
    ranked = [line for line in done.stdout.splitlines() if line.endswith(" (DTW + context [context_rich])")]
    assert [line.split(": ")[0] for line in ranked] == sorted(questions["clip_id"])
    first, then = re.fullmatch(r".*: \S+ (\S+), then \S+ (\S+) \(.*", ranked[0]).groups()  # type: ignore[union-attr]
    assert float(first) >= float(then) > 0
    drawn_often = run(*given, "--method", "random", "--out", str(tmp_path / "scores.csv"))
    means = pd.read_csv(tmp_path / "scores.csv").groupby(["clip_id", "class"])["score"].mean()
    for line in drawn_often.stdout.splitlines():
        if line.endswith(" (Random)"):
            clip_id, best, score = re.fullmatch(r"(.*): (\S+) (\S+), then .*", line).groups()  # type: ignore[union-attr]
            assert (best, score) == (means[clip_id].idxmax(), f"{means[clip_id].max():#.3g}")
    assert drawn_often.stdout.count(" (Random)") == len(questions)
    smoothed = run(*given, "--method", "dtw_context_smoothing", "--smoothing-width", "3")
    assert smoothed.exit_code == 0 and "DTW + context + smoothing (w = 3)" in smoothed.stdout
    unread = run(*given, "--smoothing-width", "3")
    assert unread.exit_code == 1 and "dtw_context would not read it" in unread.stderr
    questions.assign(answer=["", *["1"] * (len(questions) - 1)]).to_csv(
        tmp_path / "data" / "questions.csv", index=False
    )
    partly = run(*given)
    assert f"no accuracy: 1 of {len(questions)} questions, {questions['clip_id'][0]!r} first" in partly.stderr
    assert partly.stdout.splitlines()[-len(ranked) :] == ranked


def test_score_of_methods_that_read_no_scripts(drawn: Path, own_store: Path, tmp_path: Path) -> None:
    for path in (*drawn.glob("*.csv"), *drawn.rglob("*.mp4")):
        target = tmp_path / "data" / path.relative_to(drawn)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    given = ["score", str(tmp_path / "data"), "--checkpoint", str(paths.CHECKPOINT), "--frame-rate", "3"]
    done = run(*given, "--method", "random", "--method", "random")
    assert done.exit_code == 0, done.stderr
    assert len([line for line in done.stdout.splitlines() if line.startswith("Random: Top-1 ")]) == 1
    named = run(*given, "--method", "mean_pool_name")
    assert named.exit_code == 0 and "Mean-pool, class name: Top-1" in named.stdout
    scripted = run(*given, "--method", "random", "--method", "dtw")
    assert scripted.exit_code == 1 and "has no scripts; add scripts/<style>.json" in scripted.stderr
    validated = run(*given, "--method", "dtw_context_smoothing_validated")
    assert validated.exit_code == 1 and "take dtw_context_smoothing and --smoothing-width" in validated.stderr


def test_lint_counts_errors_and_warnings(drawn: Path, tmp_path: Path) -> None:
    clean = run("lint", str(drawn), "--style", "context_rich", "--checkpoint", str(paths.CHECKPOINT))
    assert (clean.exit_code, clean.stdout) == (0, "errors: 0, warnings: 0\n")
    noted = run("lint", str(drawn), "--style", "context_rich")
    assert noted.exit_code == 0 and "not checked" in noted.stdout
    for path in drawn.rglob("*"):
        if path.is_file() and path.suffix in (".csv", ".json"):
            target = tmp_path / path.relative_to(drawn)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    scripts = tmp_path / "scripts" / "short_fixed.json"
    content = json.loads(scripts.read_text(encoding="utf-8"))
    name = next(iter(content["scripts"]))
    content["scripts"][name]["steps"] = content["scripts"][name]["steps"][:4]
    scripts.write_text(json.dumps(content), encoding="utf-8")
    bad = run("lint", str(tmp_path), "--style", "short_fixed")
    assert bad.exit_code == cli.PARTLY
    assert f"error: short_fixed: {name}: " in bad.stdout and "[step_count]" in bad.stdout
    assert "errors: 1, " in bad.stdout


def test_lint_prints_the_first_warnings_of_a_kind_and_all_on_request(drawn: Path) -> None:
    few = run("lint", str(drawn), "--style", "short_fixed")
    lines = few.stdout.splitlines()
    counted = int(lines[-1].removeprefix("errors: 0, warnings: "))
    (more,) = [line for line in lines if line.endswith("--all prints them [vague]")]
    left_out = int(more.removeprefix("warning: short_fixed: ").split(" more")[0])
    vague = [line for line in lines if line.endswith("[vague]") and line != more]
    assert len(vague) == 3 and "step 2 'the settle phase': 'phase' cannot be seen" in vague[0]
    every = run("lint", str(drawn), "--style", "short_fixed", "--all").stdout.splitlines()
    assert sum(line.endswith("[vague]") for line in every) == 3 + left_out
    assert sum(line.startswith("warning: ") for line in every) == counted
    assert not any("more like these" in line for line in every) and set(vague) <= set(every)


def test_reproduce_hands_on_its_options_and_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def main(argv: list[str]) -> int:
        seen.append(argv)
        return 1 if "--force" in argv else 0

    monkeypatch.setattr("actalign.runner.main", main)
    assert run("reproduce").exit_code == 0
    assert run("reproduce", "--only", "fig_7_smoothing", "--only", "fig_5_tsne", "--force").exit_code == 1
    assert seen == [[], ["--only", "fig_7_smoothing", "fig_5_tsne", "--force"]]


def test_reproduce_with_other_parameters_goes_to_a_folder_of_its_own(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], str]] = []

    def process(command: list[str], *, env: dict[str, str]) -> int:
        seen.append((command[1:], env["ACTALIGN_OUT"]))
        return 1

    monkeypatch.setattr("actalign.cli.results._run_to_its_end", process)
    checkpoint = ["--checkpoint", str(paths.CHECKPOINT)]
    assert run("reproduce", "--preset", "reference", "--dataset", str(drawn), *checkpoint).exit_code == 1
    assert run("reproduce", "--out", str(tmp_path / "mine"), "--only", "20_scores").exit_code == 1
    settings = ["--set", f"dataset={str(drawn)!r}", f"checkpoint={str(paths.CHECKPOINT)!r}", "preset='reference'"]
    assert [command for command, _ in seen] == [
        ["-m", "actalign.runner", *settings],
        ["-m", "actalign.runner", "--only", "20_scores"],
    ]
    folders = [Path(folder) for _, folder in seen]
    assert folders[0].parent == paths.DATA / "runs" and folders[0].name.startswith(f"{drawn.name}-checkpoint-")
    assert folders[1] == tmp_path / "mine"
    monkeypatch.chdir(tmp_path)
    run("reproduce", "--out", "mine", "--checkpoint", "google/there", "--frame-rate", "3", "--only", "10_embeddings")
    command, folder = seen.pop()
    assert command[-2:] == ["checkpoint='google/there'", "frame_rate=3.0"] and folder == str(tmp_path / "mine")
    namesake = tmp_path / drawn.name  # another folder of the same name has a folder of its own
    shutil.copytree(drawn, namesake)
    run("reproduce", "--preset", "reference", "--dataset", str(namesake), *checkpoint)
    assert Path(seen.pop()[1]) != folders[0]
    unknown = run("reproduce", "--preset", "papper")
    assert (unknown.exit_code, len(seen)) == (1, 2)
    assert "preset 'papper' is unknown; choose one of" in unknown.stderr
    misspelt = run("reproduce", "--style", "rich")  # of the sample
    assert (misspelt.exit_code, len(seen)) == (1, 2) and "no scripts of style 'rich'; sample has" in misspelt.stderr
    assert run("reproduce", "--style", "rich", "--only", "50_errors").exit_code == 1 and len(seen) == 2
    bare = run("reproduce", "--dataset", str(drawn))
    assert (bare.exit_code, len(seen)) == (1, 2) and "has no checkpoint of its own; pass --checkpoint" in bare.stderr
    style = namesake / "scripts" / "context_rich.json"
    style.write_text(style.read_text().replace("context_rich", "typed"))
    style.rename(style.with_name("typed.json"))
    several = run("reproduce", "--dataset", str(namesake), *checkpoint)
    assert (several.exit_code, len(seen)) == (1, 2) and "say with --style which is that of" in several.stderr
    for other in set(style.parent.iterdir()) - {style.with_name("typed.json")}:
        other.unlink()
    run("reproduce", "--dataset", str(namesake), *checkpoint)
    assert seen.pop()[0][-2:] == ["style='typed'", "analysed_styles=['typed']"]
    shutil.rmtree(style.parent)
    run("reproduce", "--dataset", str(namesake), *checkpoint, "--only", "10_embeddings")
    assert "10_embeddings" in seen.pop()[0], "it reads no scripts"
    for rate in ("nan", "0", "1e308"):
        assert f"frame_rate is {float(rate)}" in run("reproduce", "--frame-rate", rate).stderr
    assert len(seen) == 2


def test_reproduce_without_answers_says_so_before_anything_runs(
    drawn: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def process(command: list[str], *, env: dict[str, str]) -> int:
        seen.append(command)
        return 0

    monkeypatch.setattr("actalign.cli.results._run_to_its_end", process)
    folder = tmp_path / "unlabelled"
    shutil.copytree(drawn, folder)
    questions = pd.read_csv(folder / "questions.csv").drop(columns="answer")
    questions.to_csv(folder / "questions.csv", index=False)
    arguments = ["reproduce", "--dataset", str(folder), "--checkpoint", str(paths.CHECKPOINT)]
    refused = run(*arguments)
    assert (refused.exit_code, seen) == (1, []) and "4 of 4 questions of" in refused.stderr
    assert "questions.csv" in refused.stderr and "actalign score" in refused.stderr
    assert run(*arguments, "--only", "10_embeddings").exit_code == 0 and seen
    seen.clear()
    given = pd.read_csv(drawn / "questions.csv")
    given["answer"] = given["answer"].astype("Int64").where(given["clip_id"] != given["clip_id"].iloc[0])
    given.to_csv(folder / "questions.csv", index=False)
    clips = pd.read_csv(folder / "clips.csv")
    clips.loc[clips["clip_id"] == given["clip_id"].iloc[0], "split"] = "validation"
    clips.to_csv(folder / "clips.csv", index=False)
    refused = run(*arguments)  # the width of the smoothing is chosen on these clips
    assert (refused.exit_code, seen) == (1, []) and "1 of 4 questions of" in refused.stderr


def test_an_interrupted_process_may_clear_up(tmp_path: Path) -> None:
    code = (
        "import pathlib, time\n"
        "try:\n"
        "    pathlib.Path('begun').touch()\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        "    time.sleep(1)\n"
        "    pathlib.Path('cleared').touch()\n"
    )
    starts = (
        "import os, pathlib, subprocess, sys\n"
        "from actalign.cli.results import _run_to_its_end\n"
        "class Process(subprocess.Popen):\n"
        "    def wait(self, timeout=None):\n"
        "        pathlib.Path('waiting').touch()\n"
        "        return super().wait(timeout)\n"
        "subprocess.Popen = Process\n"
        f"_run_to_its_end([sys.executable, '-c', {code!r}], env=os.environ)\n"
    )
    with subprocess.Popen([sys.executable, "-c", starts], cwd=tmp_path, start_new_session=True) as process:
        while not ((tmp_path / "begun").exists() and (tmp_path / "waiting").exists()):
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
    assert (tmp_path / "cleared").exists()


def test_output_that_nobody_reads_is_no_error(drawn: Path) -> None:
    command = [sys.executable, "-m", "actalign", "lint", str(drawn), "--all"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_a_missing_package_is_one_line_with_its_extra(drawn: Path) -> None:
    code = "import sys; sys.modules['tqdm'] = None; from actalign.cli import main; main()"
    arguments = ("encode", str(drawn), "--checkpoint", str(paths.CHECKPOINT))
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: tqdm is not installed; pip install -c constraints.txt -e '.[encode]'\n"


def test_doctor_outside_a_clone_gives_commands_that_work_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(diagnosis.EXTRAS, "llm", ("no_such_package",))
    monkeypatch.setattr(paths, "IS_CLONE", False)
    monkeypatch.setattr(paths, "ROOT", tmp_path / "not" / "there")
    monkeypatch.setattr(paths, "SAMPLE", tmp_path / "not" / "there" / "data" / "sample")
    done = run("doctor")
    assert "ok    machine" in done.stdout and "decoder" not in done.stdout
    assert "-> pip install 'actalign[llm]'" in done.stdout and "constraints.txt" not in done.stdout
    assert "-> clone the repository and set ACTALIGN_ROOT to the clone" in done.stdout


def test_an_installed_package_keeps_its_data_in_the_home_folder(tmp_path: Path) -> None:
    shutil.copytree(Path(cli.__file__).parents[1], tmp_path / "actalign", ignore=shutil.ignore_patterns("__pycache__"))
    code = "from actalign import paths; print(paths.IS_CLONE, paths.CACHE)"
    home = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home"), "PYTHONPATH": str(tmp_path)}

    def said(**more: str) -> str:
        command, around = [sys.executable, "-c", code], home | more
        return subprocess.run(command, cwd=tmp_path, env=around, capture_output=True, text=True, check=True).stdout

    assert said() == f"False {tmp_path}/home/.local/share/actalign/data/cache\n"
    assert said(XDG_DATA_HOME=str(tmp_path), ACTALIGN_ROOT="") == f"False {tmp_path}/actalign/data/cache\n"
    assert said(ACTALIGN_ROOT=str(tmp_path / "other")) == f"False {tmp_path}/other/data/cache\n"


def test_an_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(argv: list[str]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("actalign.runner.main", interrupted)
    stopped = run("reproduce")
    assert (stopped.exit_code, stopped.stderr) == (
        130,
        "interrupted; finished work is kept, the same command goes on from here\n",
    )


def test_doctor_finds_this_machine_well() -> None:
    done = run("doctor", "--checkpoint", str(paths.CHECKPOINT))
    assert done.exit_code == 0, done.stdout
    for subject in ("machine", "extra encode", "device", "decoder", "sample", "checkpoint", "LLM endpoint"):
        assert f"ok    {subject}" in done.stdout
    encoder = load_encoder(paths.CHECKPOINT)
    assert f"width {encoder.width}, scale {encoder.scale:.4g}, bias {encoder.bias:.4g}, {encoder.device}" in done.stdout


def test_doctor_compares_the_sample_with_its_registry(
    tiny_dataset: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "SAMPLE", tiny_dataset("embedded"))
    write_registry(paths.SAMPLE)
    assert "ok    sample" in run("doctor").stdout
    with (paths.SAMPLE / "questions.csv").open("a") as questions:
        questions.write("\n")
    assert "FAIL  sample" in run("doctor").stdout


def test_doctor_names_what_is_wrong_and_the_next_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mute_package.py").write_text("raise OSError", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(diagnosis.EXTRAS, "llm", ("openai", "no_such_package", "mute_package"))

    def broken() -> str:
        raise ActAlignError("file clips.csv differs from the registry")

    def mute() -> str:
        raise RuntimeError

    monkeypatch.setattr(diagnosis, "sample", broken)
    monkeypatch.setattr(diagnosis, "device", mute)
    done = run("doctor", "--checkpoint", str(tmp_path / "nowhere"))
    assert done.exit_code == cli.PARTLY
    assert "FAIL  extra llm" in done.stdout and "-> pip install -c constraints.txt -e '.[llm]'" in done.stdout
    assert "no_such_package'), mute_package (OSError)" in done.stdout
    assert "FAIL  device" in done.stdout and "RuntimeError" in done.stdout
    assert "FAIL  sample" in done.stdout and "-> get data/sample" in done.stdout
    assert "FAIL  checkpoint" in done.stdout and "does not exist" in done.stdout


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEndpoint]:
    """An endpoint on loopback, and an environment that names it with a key."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeEndpoint() as endpoint:
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("ACTALIGN_LLM_MODEL", "small")
        yield endpoint


def test_doctor_asks_the_endpoint_and_never_shows_the_key(
    environment: FakeEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = run("doctor")
    assert f"a key is set for {environment.url}" in shown.stdout
    asked = run("doctor", "--endpoint")
    assert asked.exit_code == 0 and "lists 1 models: small" in asked.stdout
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    gone = run("doctor", "--endpoint")
    assert gone.exit_code == cli.PARTLY
    assert "FAIL  LLM endpoint" in gone.stdout and "check OPENAI_BASE_URL" in gone.stdout
    for done in (shown, asked, gone):
        assert KEY not in done.stdout + done.stderr
    monkeypatch.setenv("OPENAI_BASE_URL", "https://me:hunter2@example.org/v1")
    for done in (run("doctor"), run("doctor", "--endpoint")):
        assert done.exit_code == cli.PARTLY and "FAIL  LLM endpoint" in done.stdout
        assert "hunter2" not in done.stdout + done.stderr
    monkeypatch.setenv("OPENAI_API_KEY", "")
    assert "no OPENAI_API_KEY" in run("doctor").stdout
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "set OPENAI_API_KEY" in run("doctor", "--endpoint").stdout


def test_scripts_are_asked_for_kept_and_written(environment: FakeEndpoint, drawn: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for path in (drawn / "clips.csv", drawn / "questions.csv"):
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    cache = tmp_path / "answers.jsonl"
    arguments = ("scripts", str(folder), "--style", "context_rich", "--cache", str(cache), "--price", "2.5", "10")
    dry = run(*arguments, "--dry-run")
    assert dry.exit_code == 0, dry.stderr
    assert "classes to ask of 'small'" in dry.stdout and not environment.bodies and not cache.exists()
    done = run(*arguments)
    assert done.exit_code == 0, done.stderr
    written = folder / "scripts" / "context_rich.json"
    assert f"wrote {written}" in done.stdout and written.is_file()
    asked = len(environment.bodies)
    assert run(*arguments).exit_code == 0 and len(environment.bodies) == asked
    mine = json.loads(written.read_text(encoding="utf-8"))
    mine["scripts"][min(mine["scripts"])]["steps"] = ["a step of my own"]
    written.write_text(json.dumps(mine), encoding="utf-8")
    refused = run(*arguments[:-5], "--cache", str(tmp_path / "empty.jsonl"))
    assert refused.exit_code == 1 and "is there already; move it away, or pass --replace" in refused.stderr
    assert len(environment.bodies) == asked, "nothing was paid for"
    kept = run(*arguments)
    assert kept.exit_code == 1 and "holds other scripts" in kept.stderr
    assert json.loads(written.read_text(encoding="utf-8")) == mine
    assert run(*arguments, "--replace").exit_code == 0 and "a step of my own" not in written.read_text(encoding="utf-8")
    for output in (done.stdout, done.stderr, cache.read_text(encoding="utf-8"), written.read_text(encoding="utf-8")):
        assert KEY not in output


def test_scripts_hands_on_its_options(drawn: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    def noted(dataset: Dataset, style: str, **options: Any) -> Any:
        seen.append((style, options))
        return SimpleNamespace(messages=(), failures={}, write=lambda folder, replace: folder)

    monkeypatch.setattr("actalign.llm.preview", noted)
    monkeypatch.setattr("actalign.llm.generate", noted)
    given = ("--model", "large", "--seed", "3", "--concurrency", "2", "--price", "2.5", "10")
    assert run("scripts", str(drawn), "--style", "released", "--cache", "answers.jsonl", *given).exit_code == 0
    asked = {"cache": Path("answers.jsonl"), "model": "large", "seed": 3, "price": (2.5, 10.0)}
    assert seen == [("released", asked), ("released", {**asked, "concurrency": 2})]


def test_a_class_without_a_script_is_named_and_nothing_is_written(
    environment: FakeEndpoint, drawn: Path, tmp_path: Path
) -> None:
    (tmp_path / "clips.csv").write_bytes((drawn / "clips.csv").read_bytes())
    (tmp_path / "questions.csv").write_bytes((drawn / "questions.csv").read_bytes())
    victim = pd.read_csv(drawn / "questions.csv")["candidate_1"][0]
    environment.told[victim] = [reply(None, refusal="I cannot help with that")] * 9
    partly = run("scripts", str(tmp_path), "--style", "context_rich", "--cache", str(tmp_path / "answers.jsonl"))
    assert partly.exit_code == cli.PARTLY
    assert f"failed: {victim}: " in partly.stderr and partly.stderr.count("failed: ") == 1
    assert not (tmp_path / "scripts").exists()


def test_fetch_hands_on_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[Any, ...]] = []

    def noted(*arguments: Any, **options: Any) -> Manifest:
        seen.append((*arguments, options))
        return Manifest(())

    monkeypatch.setattr("actalign.fetching.run.fetch", noted)
    monkeypatch.setattr("actalign.fetching.local.import_videos", noted)
    (tmp_path / "cookies.txt").write_text("# Netscape HTTP Cookie File\n")
    asked: dict[str, Any] = {"cookies_file": tmp_path / "cookies.txt", "cookies_from_browser": "firefox"}
    asked |= {"proxy": "http://127.0.0.1:9", "rate_limit": 5.0}
    given = [text for name, value in asked.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    common = ["--root", "a", "--copy", "b", "--revision", "c"]
    assert run("fetch", *common, *given, "--workers", "3").exit_code == 0
    assert run("fetch", *common, "--videos", "d").exit_code == 0
    table = {"copy": Path("b"), "revision": "c"}
    assert seen == [
        (Path("a"), {**table, "site": Site(**asked), "workers": 3}),
        (Path("d"), {**table, "root": Path("a")}),
    ]


def test_fetch_says_what_is_missing_and_goes_on(write_video: Callable[..., Path], tmp_path: Path) -> None:
    table = write_jsonl(tmp_path / "table.jsonl", [atlas_row(number) for number in range(3)])
    video = write_video(tmp_path / "a.mp4", frames=45).read_bytes()
    root = tmp_path / "atlas"
    with video_server() as server:
        for number in range(3):
            server.serve(f"video{number}", video, {1: 404}.get(number, "whole"))
        arguments = ("fetch", "--root", str(root), "--copy", str(table), "--url", server.template)
        partly = run(*arguments)
        assert partly.exit_code == cli.PARTLY, partly.stderr
        assert "2 of 3" in partly.stdout
    by_hand = tmp_path / "by_hand"
    by_hand.mkdir()
    (by_hand / "video1.mp4").write_bytes(video)
    done = run("fetch", "--root", str(root), "--videos", str(by_hand))
    assert done.exit_code == 0, done.stderr
    assert "3 of 3" in done.stdout
    assert len(read_manifest(root).done) == 3
    wrong = run("fetch", "--root", str(tmp_path / "none"), "--copy", str(tmp_path / "nowhere.jsonl"))
    assert wrong.exit_code == 1 and "nowhere.jsonl" in wrong.stderr
