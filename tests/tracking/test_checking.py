"""The check of the store records nothing, whatever the store has."""

from mlflow.entities import ViewType

from dropout_lab.tracking import connect
from dropout_lab.tracking.checking import check_store


def test_a_check_creates_no_experiment(sqlite_store):
    client = connect("fashion-mnist").client
    client.rename_experiment("0", "renamed")
    assert check_store()[1]
    for one in client.search_experiments():
        client.delete_experiment(one.experiment_id)
    assert check_store()[1]
    names = {one.name for one in client.search_experiments(view_type=ViewType.ALL)}
    assert names == {"renamed", "fashion-mnist"}
    assert client.search_experiments() == []
