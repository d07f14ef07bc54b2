import json
import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.comparison.findings import Finding, FindingKind
from dropout_lab.comparison.guard import check_confounds, refuse
from dropout_lab.comparison.question import Question
from dropout_lab.comparison.selection import select_runs
from dropout_lab.errors import UsageError
from dropout_lab.records import Claim, RunRecord, RunStatus

MakeRun = Callable[..., RunRecord]
SEEDS = range(3)


def check(runs: list[RunRecord], **options: Any) -> tuple[Finding, ...]:
    random.Random(0).shuffle(runs)
    return check_confounds(select_runs(runs), **options)


def twins(make_run: MakeRun, **dropout_differs_in: Any) -> list[RunRecord]:
    """Return runs of two conditions, of which `dropout` alone has the values given."""
    own = [
        {
            key: f"other at seed {seed}" if value == "other" else value
            for key, value in dropout_differs_in.items()
        }
        for seed in SEEDS
    ]
    return [make_run("baseline", seed) for seed in SEEDS] + [
        make_run("dropout", seed, **own[seed]) for seed in SEEDS
    ]


CHANGES_RESULTS: dict[str, dict[str, Any]] = {
    "training.epochs": {"spec": {"training.epochs": "3"}},
    "training.batch_size": {"spec": {"training.batch_size": "100"}, "batch_order": "other"},
    "training.optimizer": {"spec": {"training.optimizer": "sgd"}},
    "training.learning_rate": {"spec": {"training.learning_rate": "0.01"}},
    "training.precision": {"spec": {"training.precision": "mixed_float16"}},
    "training.engine": {"engine": "stock"},
    "model.hidden_units": {"spec": {"model.hidden_units": "64"}, "initial_weights": "other"},
    "model.filters": {"spec": {"model.filters": "16,32"}, "initial_weights": "other"},
    "data.validation": {"spec": {"data.validation": "test"}, "batch_order": "other"},
    "data.split_seed": {"spec": {"data.split_seed": "1"}, "batch_order": "other"},
    "data.num_train": {"spec": {"data.num_train": "1000"}, "batch_order": "other"},
    "data.num_test": {"spec": {"data.num_test": "1000"}, "data_digest": "other images"},
    "data_digest": {"data_digest": "other images", "batch_order": "other"},
    **{
        key: {"spec": {key: "another"}, "data_digest": "other images", "batch_order": "other", **shapes}
        for keys, shapes in (
            (("data.scale", "data.test_split", "data.test_seed", "data.resample"), {}),
            (
                ("data.dataset", "data.arguments.size", "data.image_size", "data.color_mode"),
                {"initial_weights": "other"},
            ),
        )
        for key in keys
    },
    "device": {"device": "/GPU:0"},
    "initial_weights": {"initial_weights": "other"},
    "batch_order": {"batch_order": "other"},
    "versions.tensorflow": {"versions": {"tensorflow": "2.20.0"}},
    "versions.keras": {"versions": {"keras": "3.13.0"}},
    "versions.dropout_lab": {"versions": {"dropout_lab": "0.2.0"}},
    "code": {"code": "f00d"},
    "a.key.of.a.later.version": {"spec": {"a.key.of.a.later.version": "1"}},
}
MAY_MATTER: dict[str, dict[str, Any]] = {
    "device_name": {"device_name": "another processor"},
    "git_commit": {"git_commit": "decaf"},
    "git_dirty": {"git_dirty": True},
    "versions.python": {"versions": {"python": "3.12.1"}},
    "versions.numpy": {"versions": {"numpy": "2.3.0"}},
    "data.folder": {"spec": {"data.folder": "elsewhere"}},
    "instruction_set": {"instruction_set": "another set"},
    "onednn": {"onednn": "off"},
    "num_threads": {"num_threads": "1"},
}


def test_matched_twins_raise_no_finding(make_run: MakeRun) -> None:
    assert check(twins(make_run)) == ()


@pytest.mark.parametrize(
    "harmless",
    [
        {"versions": {"mlflow": "3.10.0"}},
        {"device": "/CPU:1"},
        {"device": "/device:CPU:0"},
        {"spec": {"device": "cpu"}},
        {"spec": {"training.engine": "fast"}},
        {"spec": {"model.dropout_position": "after_pooling"}},
    ],
)
def test_what_cannot_matter_or_is_compared_raises_no_finding(
    make_run: MakeRun, harmless: dict[str, Any]
) -> None:
    assert check(twins(make_run, **harmless)) == ()


@pytest.mark.parametrize("key", CHANGES_RESULTS)
def test_what_changes_results_is_named_and_refused(make_run: MakeRun, key: str) -> None:
    findings = check(twins(make_run, **CHANGES_RESULTS[key]))
    (finding,) = findings
    assert (finding.key, finding.kind) == (key, FindingKind.REFUSED)
    assert finding.conditions == ("baseline", "dropout")
    assert finding.values[0] != finding.values[1]
    for part in (key, "baseline", "dropout", *finding.values, "--allow", "--varying"):
        assert part in finding.sentence
    with pytest.raises(UsageError, match=f"- {key} differs"):
        refuse(findings)


@pytest.mark.parametrize("key", CHANGES_RESULTS)
def test_what_is_allowed_becomes_a_caution(make_run: MakeRun, key: str) -> None:
    findings = check(twins(make_run, **CHANGES_RESULTS[key]), allow=[key])
    (finding,) = findings
    assert (finding.key, finding.kind) == (key, FindingKind.CAUTION)
    assert "allowed by --allow" in finding.sentence
    refuse(findings)


@pytest.mark.parametrize("key", MAY_MATTER)
def test_what_may_matter_is_a_caution(make_run: MakeRun, key: str) -> None:
    (finding,) = check(twins(make_run, **MAY_MATTER[key]))
    assert (finding.key, finding.kind) == (key, FindingKind.CAUTION)
    assert finding.values[0] != finding.values[1]
    assert key in finding.sentence


def test_varying_replaces_what_the_comparison_is_about(make_run: MakeRun) -> None:
    runs = [
        make_run(name, seed, rates=(0.2, 0.2, 0.2), spec={"training.optimizer": name})
        for name in ("adam", "sgd")
        for seed in SEEDS
    ]
    assert check(runs, varying=["training.optimizer"]) == ()
    found = check(twins(make_run), varying=["training.optimizer"])
    refused = {finding.key for finding in found if finding.kind is FindingKind.REFUSED}
    assert refused == {"model.dropout.conv1", "model.dropout.conv2", "model.dropout.dense"}
    assert check(twins(make_run), varying=["model.dropout"]) == ()


def test_a_shape_that_varies_explains_other_initial_weights(make_run: MakeRun) -> None:
    runs = twins(make_run, **CHANGES_RESULTS["model.hidden_units"])
    assert check(runs, varying=["model"]) == ()


def test_a_number_of_images_that_varies_explains_other_images(make_run: MakeRun) -> None:
    same = {"rates": (0.0, 0.0, 0.0)}
    settings = {"data.num_train": "1000"}
    few = [
        make_run("few", seed, spec=settings, data_digest="few", batch_order=f"few {seed}", **same)
        for seed in SEEDS
    ]
    all_images = [make_run("baseline", seed) for seed in SEEDS]
    assert check([*all_images, *few], varying=("data.num_train",)) == ()
    assert {one.key for one in check([*all_images, *few])} == {"data.num_train", "varying"}
    settings = {"data.folder": "/other"}
    elsewhere = [make_run("few", seed, spec=settings, data_digest="other", **same) for seed in SEEDS]
    assert "data_digest" in {one.key for one in check([*all_images, *elsewhere], varying=("data.folder",))}


@pytest.mark.parametrize("option", ["varying", "allow"])
def test_a_key_that_no_run_has_is_refused(make_run: MakeRun, option: str) -> None:
    with pytest.raises(UsageError, match=r"--\w+ training.epoch: .*did you mean 'training.epochs'"):
        check(twins(make_run), **{option: ["training.epoch"]})


@pytest.mark.parametrize("key", ["training.epochs", "model.dropout.conv1", "data_digest", "versions.keras"])
def test_runs_of_one_condition_must_be_of_one_setting(make_run: MakeRun, key: str) -> None:
    changed: dict[str, Any] = CHANGES_RESULTS.get(key, {"rates": (0.9, 0.2, 0.5)})
    runs = twins(make_run)
    runs += [make_run("dropout", seed, **changed) for seed in (3, 4)]
    found = [one for one in check(runs) if one.kind is FindingKind.REFUSED]
    assert [one.key for one in found] == [key]
    assert found[0].conditions == ("dropout",)
    assert "seed 0-2" in found[0].sentence
    assert "seed 3, 4" in found[0].sentence
    assert [one.kind for one in check(runs, allow=[key])] == [FindingKind.CAUTION]


def test_machines_that_trained_whole_pairs_confound_nothing(make_run: MakeRun) -> None:
    runs = [
        make_run(condition, seed, device_name=f"machine {seed}", git_commit=f"commit {seed}")
        for condition in ("baseline", "dropout")
        for seed in SEEDS
    ]
    assert check(runs) == ()
    swapped = [
        make_run(condition, seed, device_name=f"machine {abs(seed - (condition == 'dropout'))}")
        for condition in ("baseline", "dropout")
        for seed in (0, 1)
    ]
    assert [one.key for one in check(swapped)] == ["device_name"]


def test_only_pairs_must_match_where_seeds_are_not_shared(make_run: MakeRun) -> None:
    runs = [make_run("baseline", seed) for seed in (0, 1, 2)]
    runs += [make_run("dropout", seed) for seed in (3, 4, 5)]
    assert check(runs) == ()
    runs += [make_run("other", seed, engine="stock") for seed in (6, 7)]
    assert [one.key for one in check(runs)] == ["training.engine"]


@pytest.mark.parametrize("key", ["initial_weights", "final_weights"])
def test_one_run_under_several_seeds_is_no_replicate(make_run: MakeRun, key: str) -> None:
    runs = twins(make_run)
    runs += [make_run("dropout", seed, **{key: "the same"}) for seed in (3, 4)]
    (finding,) = check(runs)
    assert (finding.key, finding.kind, finding.conditions) == (key, FindingKind.REFUSED, ("dropout",))
    assert "seeds 3, 4" in finding.sentence


def test_conditions_that_do_not_differ_are_pointed_out(make_run: MakeRun) -> None:
    (finding,) = check(twins(make_run, rates=(0.0, 0.0, 0.0)))
    assert (finding.key, finding.kind) == ("varying", FindingKind.CAUTION)
    runs = [make_run(name, 0, final_weights="the same") for name in ("baseline", "dropout")]
    (finding,) = check(runs)
    assert (finding.key, finding.kind) == ("final_weights", FindingKind.CAUTION)
    assert "had no effect" in finding.sentence


@pytest.mark.parametrize("key", ["initial_weights", "batch_order", "data_digest"])
def test_what_was_not_logged_cannot_be_checked(make_run: MakeRun, key: str) -> None:
    runs = [make_run(name, seed, **{key: ""}) for name in ("baseline", "dropout") for seed in SEEDS]
    (finding,) = check(runs)
    assert (finding.key, finding.kind) == (key, FindingKind.CAUTION)
    (finding,) = check(twins(make_run, **{key: ""}))
    assert (finding.key, finding.kind) == (key, FindingKind.REFUSED)


def test_failed_runs_are_a_caution_until_their_seed_finished(make_run: MakeRun) -> None:
    runs = twins(make_run)
    assert check([*runs, make_run("dropout", 0, minute=9, status=RunStatus.FAILED)]) == ()
    (finding,) = check([*runs, make_run("dropout", 7, status=RunStatus.FAILED)])
    assert (finding.key, finding.values) == ("failed runs", ("seeds 7",))


def test_only_the_conditions_that_differ_are_named(make_run: MakeRun) -> None:
    runs = twins(make_run)
    runs += [make_run("heavy", seed, rates=(0.5, 0.5, 0.5), spec={"training.epochs": "20"}) for seed in SEEDS]
    (finding,) = check(runs)
    assert finding.conditions == ("baseline", "heavy")
    assert finding.values == ("10", "20")


def test_images_drawn_anew_for_each_seed_confound_nothing_if_all_conditions_share_them(
    make_run: MakeRun,
) -> None:
    resampled = {"data.resample": "True"}
    runs = [make_run(name, seed, spec=resampled, data_digest=f"images of seed {seed}")
            for name in ("baseline", "dropout") for seed in SEEDS]  # fmt: skip
    assert check(runs) == ()
    other = [make_run("dropout", seed, spec=resampled, data_digest=f"images {seed}") for seed in SEEDS]
    assert [one.key for one in check([*runs[:3], *other])] == ["data_digest"]
    once = [make_run(name, seed, data_digest=f"images of seed {seed}") for name in ("baseline", "dropout")
            for seed in SEEDS]  # fmt: skip
    assert {one.key for one in check(once)} == {"data_digest"}


def sampled(make_run: MakeRun, samples: dict[str, int], metric: str = "mc_accuracy") -> list[RunRecord]:
    """Return runs by condition, evaluated with these numbers of Monte Carlo samples at equal seeds."""
    part = "out_of_distribution" if "ood" in metric else "monte_carlo"
    return [
        make_run(name, seed, **{metric: 0.9}, evaluated=json.dumps({part: {"mc_samples": number}}))
        for name, number in samples.items()
        for seed in SEEDS
    ]


@pytest.mark.parametrize(
    ("metric", "part"),
    [
        ("mc_accuracy", "monte_carlo"),
        ("mc_mutual_information", "monte_carlo"),
        ("mc_ood_auroc", "out_of_distribution"),
        ("mc_ood_entropy_fpr95_digits", "out_of_distribution"),
    ],
)
def test_other_evaluation_settings_confound_the_metrics_that_depend_on_them(
    make_run: MakeRun, metric: str, part: str
) -> None:
    runs = sampled(make_run, {"baseline": 50, "dropout": 5}, metric)
    key = f"evaluation.{part}.mc_samples"
    (finding,) = check(runs, metrics=[metric])
    assert (finding.key, finding.kind) == (key, FindingKind.REFUSED)
    assert finding.values == ("50", "5")
    assert "dropout-lab evaluate EXPERIMENT --mc-samples N" in finding.sentence
    assert [one.kind for one in check(runs, metrics=[metric], allow=["evaluation"])] == [FindingKind.CAUTION]
    assert check(runs, metrics=["test_accuracy", "ood_auroc", "shift_accuracy"]) == ()
    assert check(sampled(make_run, {"baseline": 50, "dropout": 50}, metric), metrics=[metric]) == ()
    varied = check(runs, metrics=[metric], varying=[key, "model.dropout"])
    assert [one.key for one in varied] == []


def test_runs_of_one_condition_are_evaluated_with_one_setting(make_run: MakeRun) -> None:
    runs = sampled(make_run, {"baseline": 50, "dropout": 50})
    runs[-1] = replace(runs[-1], evaluated='{"monte_carlo": {"mc_samples": 9}}')
    found = {one.conditions: one for one in check([*runs], metrics=["mc_accuracy"])}
    assert "50 (seed 0, 1), 9 (seed 2)" in found["dropout",].sentence
    runs[-1] = replace(runs[-1], metrics={})
    assert check(runs, metrics=["mc_accuracy"]) == ()


def test_a_claim_about_metrics_of_other_evaluation_settings_is_refused(make_run: MakeRun) -> None:
    runs = sampled(make_run, {"baseline": 50, "dropout": 5})
    runs = [replace(run, metrics={"test_accuracy": 0.9 - run.seed / 100, **run.metrics}) for run in runs]
    claim = Claim(
        metric="mc_accuracy", condition="dropout", reference="baseline", expected="higher", margin=0.0
    )
    compare_runs(runs)
    with pytest.raises(
        UsageError, match=r"evaluation\.monte_carlo\.mc_samples differs: 50 in baseline; 5 in"
    ):
        compare_runs(runs, Question(claims=(claim,)))
