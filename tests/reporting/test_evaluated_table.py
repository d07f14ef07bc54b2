import json
from dataclasses import replace

from dropout_lab.comparison.compare import compare_runs
from dropout_lab.reporting.evaluated_table import evaluated_table
from dropout_lab.reporting.report import render_report


def runs(make_run, **metrics):
    return [
        make_run(name, seed, test_accuracy=0.9, **metrics)
        for name in ("baseline", "dropout")
        for seed in (0, 1)
    ]


def test_means_of_what_was_evaluated_by_condition(make_run):
    evaluated = runs(make_run, mc_accuracy=0.91, mc_loss=0.25)
    plain = make_run("dropout", 2, test_accuracy=0.9)
    table = evaluated_table(compare_runs([*evaluated[:2], evaluated[2], plain]))
    assert table.headings == ("Metric", "baseline", "dropout")
    assert table.rows == (
        ("MC dropout accuracy", "91.00 ± 0.00%", "91.00%"),
        ("MC dropout loss", "0.2500 ± 0.0000", "0.2500"),
    )
    assert evaluated_table(compare_runs(runs(make_run))) is None


def test_other_settings_of_the_evaluation_are_told(make_run):
    def title(*samples):
        made = runs(make_run, mc_accuracy=0.91)
        records = [json.dumps({"monte_carlo": {"mc_samples": number}}) for number in samples]
        own = [replace(run, evaluated=record) for run, record in zip(made, records, strict=True)]
        return evaluated_table(compare_runs(own)).title

    told = "evaluation.monte_carlo.mc_samples differs between runs (5, 50)"
    assert told in title(50, 50, 5, 5)
    assert "differs between runs" not in title(50, 50, 50, 50)


def test_the_report_has_a_section_with_plots_of_shifts(make_run):
    shifts = {f"shift_accuracy_noise_{severity}": 0.9 - severity / 10 for severity in range(1, 6)}
    html = render_report(compare_runs(runs(make_run, mc_accuracy=0.91, **shifts)))
    assert "Confidence and robustness" in html
    assert "Shifted images: test accuracy" in html
    assert "Confidence and robustness" not in render_report(compare_runs(runs(make_run)))
