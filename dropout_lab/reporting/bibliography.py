"""The references that a comparison's methods, and its kinds of dropout, need."""

from collections.abc import Iterable

from dropout_lab.comparison.results import Comparison
from dropout_lab.comparison.standing import Stage
from dropout_lab.reporting.reference import Reference
from dropout_lab.site_params import logged_kinds, logged_schedules

_REFERENCES = {
    "dropout": Reference(
        key="srivastava2014dropout",
        authors=("Srivastava, N", "Hinton, G", "Krizhevsky, A", "Sutskever, I", "Salakhutdinov, R"),
        year=2014,
        title="Dropout: a simple way to prevent neural networks from overfitting",
        journal="Journal of Machine Learning Research",
        volume="15",
        pages="1929-1958",
    ),
    "spatial": Reference(
        key="tompson2015spatial",
        authors=("Tompson, J", "Goroshin, R", "Jain, A", "LeCun, Y", "Bregler, C"),
        year=2015,
        title="Efficient object localization using convolutional networks",
        journal="IEEE Conference on Computer Vision and Pattern Recognition",
        volume="2015",
        pages="648-656",
        doi="10.1109/CVPR.2015.7298664",
    ),
    "alpha": Reference(
        key="klambauer2017selu",
        authors=("Klambauer, G", "Unterthiner, T", "Mayr, A", "Hochreiter, S"),
        year=2017,
        title="Self-normalizing neural networks",
        journal="Advances in Neural Information Processing Systems",
        volume="30",
        pages="971-980",
    ),
    "dropblock": Reference(
        key="ghiasi2018dropblock",
        authors=("Ghiasi, G", "Lin, TY", "Le, QV"),
        year=2018,
        title="DropBlock: a regularization method for convolutional networks",
        journal="Advances in Neural Information Processing Systems",
        volume="31",
        pages="10750-10760",
    ),
    "dropconnect": Reference(
        key="wan2013dropconnect",
        authors=("Wan, L", "Zeiler, M", "Zhang, S", "LeCun, Y", "Fergus, R"),
        year=2013,
        title="Regularization of neural networks using DropConnect",
        journal="International Conference on Machine Learning, PMLR",
        volume="28(3)",
        pages="1058-1066",
    ),
    "stochastic_depth": Reference(
        key="huang2016stochastic",
        authors=("Huang, G", "Sun, Y", "Liu, Z", "Sedra, D", "Weinberger, KQ"),
        year=2016,
        title="Deep networks with stochastic depth",
        journal="European Conference on Computer Vision, LNCS",
        volume="9908",
        pages="646-661",
        doi="10.1007/978-3-319-46493-0_39",
    ),
    "concrete": Reference(
        key="gal2017concrete",
        authors=("Gal, Y", "Hron, J", "Kendall, A"),
        year=2017,
        title="Concrete dropout",
        journal="Advances in Neural Information Processing Systems",
        volume="30",
        pages="3581-3590",
    ),
    "curriculum": Reference(
        key="morerio2017curriculum",
        authors=("Morerio, P", "Cavazza, J", "Volpi, R", "Vidal, R", "Murino, V"),
        year=2017,
        title="Curriculum dropout",
        journal="IEEE International Conference on Computer Vision",
        volume="2017",
        pages="3544-3552",
    ),
    "early or late": Reference(
        key="liu2023dropout",
        authors=("Liu, Z", "Xu, Z", "Jin, J", "Shen, Z", "Darrell, T"),
        year=2023,
        title="Dropout reduces underfitting",
        journal="International Conference on Machine Learning, PMLR",
        volume="202",
        pages="22233-22248",
    ),
    "t": Reference(
        key="student1908",
        authors=("Student",),
        year=1908,
        title="The probable error of a mean",
        journal="Biometrika",
        volume="6(1)",
        pages="1-25",
        doi="10.1093/biomet/6.1.1",
    ),
    "Welch": Reference(
        key="welch1947",
        authors=("Welch, BL",),
        year=1947,
        title="The generalization of 'Student's' problem when several different population variances are "
        "involved",
        journal="Biometrika",
        volume="34",
        pages="28-35",
        doi="10.1093/biomet/34.1-2.28",
    ),
    "bootstrap": Reference(
        key="hall1988",
        authors=("Hall, P",),
        year=1988,
        title="Theoretical comparison of bootstrap confidence intervals",
        journal="Annals of Statistics",
        volume="16(3)",
        pages="927-953",
        doi="10.1214/aos/1176350933",
    ),
    "sign-flip": Reference(
        key="fisher1935",
        authors=("Fisher, RA",),
        year=1935,
        title="The Design of Experiments",
        publisher="Oliver and Boyd, Edinburgh",
    ),
    "Wilcoxon": Reference(
        key="wilcoxon1945",
        authors=("Wilcoxon, F",),
        year=1945,
        title="Individual comparisons by ranking methods",
        journal="Biometrics Bulletin",
        volume="1(6)",
        pages="80-83",
        doi="10.2307/3001968",
    ),
    "Holm": Reference(
        key="holm1979",
        authors=("Holm, S",),
        year=1979,
        title="A simple sequentially rejective multiple test procedure",
        journal="Scandinavian Journal of Statistics",
        volume="6(2)",
        pages="65-70",
    ),
    "equivalence": Reference(
        key="schuirmann1987",
        authors=("Schuirmann, DJ",),
        year=1987,
        title="A comparison of the two one-sided tests procedure and the power approach for assessing the "
        "equivalence of average bioavailability",
        journal="Journal of Pharmacokinetics and Biopharmaceutics",
        volume="15",
        pages="657-680",
        doi="10.1007/BF01068419",
    ),
    "sequential": Reference(
        key="pocock1977",
        authors=("Pocock, SJ",),
        year=1977,
        title="Group sequential methods in the design and analysis of clinical trials",
        journal="Biometrika",
        volume="64(2)",
        pages="191-199",
        doi="10.1093/biomet/64.2.191",
    ),
    "repeated": Reference(
        key="jennison1989",
        authors=("Jennison, C", "Turnbull, BW"),
        year=1989,
        title="Interim analyses: the repeated confidence interval approach",
        journal="Journal of the Royal Statistical Society B",
        volume="51(3)",
        pages="305-361",
        doi="10.1111/j.2517-6161.1989.tb01433.x",
    ),
    "effect": Reference(
        key="lakens2013",
        authors=("Lakens, D",),
        year=2013,
        title="Calculating and reporting effect sizes to facilitate cumulative science",
        journal="Frontiers in Psychology",
        volume="4",
        pages="863",
        doi="10.3389/fpsyg.2013.00863",
    ),
}


def references(comparison: Comparison) -> list[Reference]:
    """Return the references of the methods used, in order of author."""
    return sorted((_REFERENCES[name] for name in _used(comparison)), key=lambda one: one.text)


def all_references() -> list[Reference]:
    """Return every reference, in order of author."""
    return sorted(_REFERENCES.values(), key=lambda one: one.text)


def _used(comparison: Comparison) -> Iterable[str]:
    methods = " ".join(one.method for one in comparison.differences)
    spec = comparison.runs[0].spec if comparison.runs else {}
    if any(key.startswith("model.dropout") for key in spec):
        yield "dropout"
    kinds = {kind for run in comparison.runs for kind in logged_kinds(run.spec).values()}
    yield from sorted(kinds & _REFERENCES.keys())
    shapes = {shape for run in comparison.runs for shape in logged_schedules(run.spec).values()}
    if "curriculum" in shapes:
        yield "curriculum"
    if shapes & {"early", "late"}:
        yield "early or late"
    yield from (name for name in ("Welch", "bootstrap", "sign-flip") if name in methods)
    if "rank" in methods:
        yield "Wilcoxon"
    if "paired t" in methods:
        yield "t"
    if any(one.margin is not None for one in comparison.differences):
        yield "equivalence"
    if any(one.num_tests > 1 for one in comparison.differences):
        yield "Holm"
    if any(one.stage is Stage.SEQUENTIAL for one in comparison.standings):
        yield from ("sequential", "repeated")
    yield "effect"
