"""`dropout-lab export` and `import` move runs from one folder to another."""

import shutil

import pytest

from dropout_lab.cli.export import export, import_
from dropout_lab.errors import UsageError
from dropout_lab.tracking import read_runs


def test_an_experiment_moves_to_another_folder(logged_runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(logged_runs[0])
    before = [(run.run_name, run.metrics, run.start_time) for run in read_runs("study")]
    target = tmp_path / "exported"
    export("study", target)
    assert capsys.readouterr().out == f"Exported 3 MLflow runs of study to {target}.\n"
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(logged_runs[0] / "mlflow.db", other)
    monkeypatch.chdir(other)
    import_(target)
    assert capsys.readouterr().out == "Imported 0 MLflow runs into study. 3 MLflow runs existed already.\n"
    import_(target, experiment="a copy")
    printed = capsys.readouterr()
    assert printed.out == "Imported 3 MLflow runs into a copy.\n"
    assert printed.err.endswith("Compare: dropout-lab compare 'a copy'\n")
    assert [(run.run_name, run.metrics, run.start_time) for run in read_runs("a copy")] == before
    with pytest.raises(UsageError, match="exists already"):
        export("study", target)
    with pytest.raises(UsageError, match="no such folder"):
        import_(tmp_path / "nowhere")
