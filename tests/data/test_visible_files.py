"""Files below a folder, without hidden ones and tracking stores."""

from dropout_lab.data.visible_files import visible_files


def test_what_is_hidden_or_of_a_store_is_passed_over(tmp_path):
    kept = ["a.txt", "b/c.txt", "b/d/e.txt", "mlruns.txt"]
    hidden = [".x", "b/.x", ".git/a.txt", "b/.git/deep/a.txt", "mlruns/a.txt", "b/mlartifacts/1/a.txt"]
    for path in (*kept, *hidden):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("")
    assert [str(path.relative_to(tmp_path)) for path in visible_files(tmp_path)] == kept
    assert [path.name for path in visible_files(tmp_path / ".git")] == ["a.txt"]
    assert list(visible_files(tmp_path / "missing")) == []
