"""The methods paragraph of a comparison, for a paper, and the references it needs."""

from collections.abc import Iterable

from dropout_lab import __version__
from dropout_lab.comparison.results import Comparison
from dropout_lab.comparison.standing import Stage
from dropout_lab.evaluation.metrics import format_count, format_difference, format_percent, metric_info

_REFERENCES = {
    "dropout": "Srivastava N, Hinton G, Krizhevsky A, Sutskever I, Salakhutdinov R (2014). Dropout: a simple "
    "way to prevent neural networks from overfitting. Journal of Machine Learning Research 15:1929-1958.",
    "t": "Student (1908). The probable error of a mean. Biometrika 6(1):1-25. doi:10.1093/biomet/6.1.1",
    "Welch": "Welch BL (1947). The generalization of 'Student's' problem when several different population "
    "variances are involved. Biometrika 34:28-35. doi:10.1093/biomet/34.1-2.28",
    "bootstrap": "Hall P (1988). Theoretical comparison of bootstrap confidence intervals. Annals of "
    "Statistics 16(3):927-953. doi:10.1214/aos/1176350933",
    "sign-flip": "Fisher RA (1935). The Design of Experiments. Oliver and Boyd, Edinburgh.",
    "Wilcoxon": "Wilcoxon F (1945). Individual comparisons by ranking methods. Biometrics Bulletin "
    "1(6):80-83. doi:10.2307/3001968",
    "Holm": "Holm S (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of "
    "Statistics 6(2):65-70.",
    "equivalence": "Schuirmann DJ (1987). A comparison of the two one-sided tests procedure and the power "
    "approach for assessing the equivalence of average bioavailability. Journal of Pharmacokinetics and "
    "Biopharmaceutics 15:657-680. doi:10.1007/BF01068419",
    "sequential": "Pocock SJ (1977). Group sequential methods in the design and analysis of clinical trials. "
    "Biometrika 64(2):191-199. doi:10.1093/biomet/64.2.191",
    "repeated": "Jennison C, Turnbull BW (1989). Interim analyses: the repeated confidence interval "
    "approach. Journal of the Royal Statistical Society B 51(3):305-361. "
    "doi:10.1111/j.2517-6161.1989.tb01433.x",
    "effect": "Lakens D (2013). Calculating and reporting effect sizes to facilitate cumulative science. "
    "Frontiers in Psychology 4:863. doi:10.3389/fpsyg.2013.00863",
}


_SETTINGS = {
    "training.epochs": "epochs",
    "training.optimizer": "optimizer",
    "training.learning_rate": "learning rate",
    "training.batch_size": "batch size",
}


def methods_paragraph(comparison: Comparison) -> str:
    """Return what was trained, how it was tested and corrected, and with which versions."""
    return " ".join(_sentences(comparison))


def references(comparison: Comparison) -> list[str]:
    """Return the references of the methods used, in full, with their DOI if there is one."""
    methods = " ".join(one.method for one in comparison.differences)
    used = ["dropout"] if any(key.startswith("model.dropout") for key in _spec(comparison)) else []
    used += [name for name in ("Welch", "bootstrap", "sign-flip") if name in methods]
    used += ["Wilcoxon"] if "rank" in methods else []
    used += ["t"] if "paired t" in methods else []
    used += ["equivalence"] if any(one.margin is not None for one in comparison.differences) else []
    used += ["Holm"] if any(one.num_tests > 1 for one in comparison.differences) else []
    if any(one.stage is Stage.SEQUENTIAL for one in comparison.standings):
        used += ["sequential", "repeated"]
    return sorted(_REFERENCES[name] for name in [*used, "effect"])


def _sentences(comparison: Comparison) -> Iterable[str]:
    spec = _spec(comparison)
    names = ", ".join(comparison.conditions)
    numbers = [len(comparison.summary(name, comparison.primary).values) for name in comparison.conditions]
    span = str(numbers[0]) if len(set(numbers)) == 1 else f"{min(numbers)} to {max(numbers)}"
    if "training.epochs" in spec:
        settings = ", ".join(
            f"{label} {spec[key]}" for key, label in _SETTINGS.items() if spec.get(key) is not None
        )
        yield (
            f"We trained {format_count(len(numbers), 'condition')} ({names}) with {span} "
            f"random seeds per condition{f' ({settings})' if settings else ''}."
        )
    else:
        yield f"We compared {format_count(len(numbers), 'condition')} ({names}), {span} runs per condition."
    if any(run.initial_weights for run in comparison.runs):
        yield "Runs with the same seed share initial weights, batch order and data."
    if spec.get("data.resample") == "True":
        yield (
            "Training and validation images were drawn separately for each seed, so intervals cover the "
            "variation between training sets as well as between seeds, but not between test sets."
        )
    else:
        yield "Intervals cover the variation between seeds, but not between datasets."
    tests = ", ".join(dict.fromkeys(one.method for one in comparison.differences))
    yield (
        f"Differences from {comparison.reference} were tested in {metric_info(comparison.primary).label} "
        f"(primary; {tests}) with {format_percent(comparison.confidence)} confidence intervals."
    )
    margins = {one.margin for one in comparison.differences if one.metric == comparison.primary} - {None}
    for margin in margins:
        shown = format_difference(comparison.primary, margin or 0.0, sign=False)
        yield f"Equivalence means a difference within ±{shown} (two one-sided tests)."
    yield from _designs(comparison)
    primary = [one.num_tests for one in comparison.differences if one.metric == comparison.primary]
    secondary = [one.num_tests for one in comparison.differences if one.metric != comparison.primary]
    if max(primary, default=1) > 1:
        yield f"p-values of the primary metric are Holm-adjusted for {primary[0]} comparisons."
    if secondary:
        labels = ", ".join(metric_info(m).label for m in comparison.metrics if m != comparison.primary)
        yield (
            f"Secondary metrics ({labels}) are Holm-adjusted for {secondary[0]} comparisons over metrics and "
            "conditions together."
        )
    versions = next((run.versions for run in comparison.runs if any(run.versions.values())), {})
    listed = ", ".join(f"{name} {versions[name]}" for name in ("tensorflow", "keras") if name in versions)
    yield f"Computed with dropout_lab {__version__}{f' ({listed})' if listed else ''}."


def _designs(comparison: Comparison) -> Iterable[str]:
    stages = {one.stage: one for one in comparison.standings}
    if Stage.PLANNED in stages and stages[Stage.PLANNED].design is not None:
        yield "The number of seeds was fixed before training."
    if Stage.SEQUENTIAL in stages:
        design = stages[Stage.SEQUENTIAL].design
        assert design is not None
        yield (
            f"Seeds were added from {design.first} to at most {design.most} until the primary metric was "
            "decided; p-values and intervals hold over all looks, and the estimate is adjusted for stopping."
        )
    if Stage.EXTENDED in stages:
        looks = ", ".join(map(str, stages[Stage.EXTENDED].looks))
        yield f"Seeds were added after the planned number; tests were possible with {looks} seeds."
    if Stage.INTERIM in stages:
        yield "Results are interim: fewer seeds than planned are finished."


def _spec(comparison: Comparison) -> dict[str, str]:
    return dict(comparison.runs[0].spec) if comparison.runs else {}
