from dropout_lab.cli.robustness_table import robustness_table


def test_conditions_have_the_mean_of_each_metric_that_they_have(make_run):
    runs = [
        make_run("baseline", 0, shift_accuracy_noise=0.5, ood_auroc=0.9, test_accuracy=0.9),
        make_run("baseline", 1, shift_accuracy_noise=0.6, ood_auroc=0.7),
        make_run("dropout", 0, shift_accuracy_noise=0.7),
    ]
    table = robustness_table(runs)
    assert table.rows == (
        ("shift accuracy noise", "baseline", "2", "55.00 ± 7.07%"),
        ("shift accuracy noise", "dropout", "1", "70.00%"),
        ("OOD AUROC", "baseline", "2", "0.8000 ± 0.1414"),
    )
    assert table.title == f"Robustness of {runs[0].experiment_name}"


def test_runs_without_such_metrics_have_no_table(make_run):
    assert robustness_table([make_run("baseline", 0, test_accuracy=0.9)]) is None
