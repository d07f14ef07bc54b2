from dropout_lab.models.network import build_network
from dropout_lab.spec import ModelSpec


def test_its_layers_and_sites_follow_the_spec() -> None:
    spec = ModelSpec(network="mlp", hidden=(5, 7, 3), dropout={"input": 0.2, "hidden_*": 0.5})
    network = build_network(spec, (4, 4, 1), 10, 0)
    assert network.model.count_params() == (16 + 1) * 5 + (5 + 1) * 7 + (7 + 1) * 3 + (3 + 1) * 10
    assert network.rates == {"input": 0.2, "hidden_1": 0.5, "hidden_2": 0.5, "hidden_3": 0.5}
    assert tuple(network.rates) == spec.sites
    assert [site.shape for site in network.sites] == [(16,), (5,), (7,), (3,)]
    assert network.outputs == "probabilities"
