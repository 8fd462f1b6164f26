"""The 40 tasks of 'Beyond Normal', under the names of the paper's own package."""

from __future__ import annotations

from mine.tasks import maps
from mine.tasks.families.additive_uniform import AdditiveUniform
from mine.tasks.families.multinormal import JointNormal, dense_covariance, paired_covariance
from mine.tasks.families.multistudent import JointStudent
from mine.tasks.task import Map, Task

SOURCE = "Czyz et al., 2023, Beyond Normal: On the Evaluation of Mutual Information Estimators (arXiv 2306.11078)"


def _task(name: str, description: str, family: JointNormal | JointStudent | AdditiveUniform, d: int) -> Task:
    return Task(
        name=name, dx=d, dy=d, mutual_information=family.mutual_information, description=description, source=SOURCE,
        suite="published", sampler=family.sampler, ratio=family.ratio,
    )  # fmt: skip


def _mapped(prefix: str, words: str, base: Task, x: Map, y: Map | None = None) -> Task:
    return base.transformed(f"{prefix}-{base.name}", f"{base.description}; {words}", x=x, y=y or x)


def _dense(d: int) -> Task:
    normal = JointNormal(dense_covariance(2 * d, 0.5), d)
    return _task(f"multinormal-dense-{d}-{d}-0.5", f"normal, {d} x {d}, all correlations 0.5", normal, d)


def _sparse(d: int) -> Task:
    # a hidden normal of strength 2 in both of a pair, noise of strength 1 in each: correlation 4 / 5
    normal = JointNormal(paired_covariance(d, 2, 0.8), d)
    return _task(f"multinormal-sparse-{d}-{d}-2-2.0", f"normal, {d} x {d}, two pairs of correlation 0.8", normal, d)


def _student(d: int, dof: int) -> Task:
    student = JointStudent(JointNormal(paired_covariance(d, 0, 0.0), d), dof)
    return _task(f"student-identity-{d}-{d}-{dof}", f"Student, {d} x {d}, dof {dof}, dependent by scale alone", student, d)


def _spiral(base: Task) -> Task:
    x, y = (maps.spiral(1 / base.dx, plane) for plane in ((0, 1), (1, 2)))
    return _mapped("spiral", "a plane of each side turned by the squared length", base, x, y)


def _uniform(base: Task) -> Task:
    return _mapped("normal_cdf", "margins made uniform", base, maps.NORMAL_CDF)


def _half_cube(base: Task) -> Task:
    return _mapped("half_cube", "u sqrt|u| of each coordinate", base, maps.HALF_CUBE)


def _asinh(base: Task) -> Task:
    return _mapped("asinh", "asinh of each coordinate", base, maps.ASINH)


def _tasks() -> tuple[Task, ...]:
    normal = _task("1v1-normal-0.75", "normal, correlation 0.75", JointNormal(paired_covariance(1, 1, 0.75), 1), 1)
    uniform, cauchy = _uniform(normal), _student(1, 1)
    additive = [
        _task(f"1v1-additive-{e}", f"uniform x, y = x + uniform noise within {e}", AdditiveUniform(e), 1) for e in (0.1, 0.75)
    ]
    bimodal = normal.transformed(
        "1v1-bimodal-0.75",
        "normal copula of correlation 0.75, margins mixtures of two normals",
        x=maps.to_normal_mixture((0.3, 0.7), (0.0, 5.0)),
        y=maps.to_normal_mixture((0.5, 0.5), (-1.0, 3.0)),
    )
    rolled = uniform.transformed(
        f"swissroll_x-{uniform.name}", f"{uniform.description}; x rolled up in the plane", x=maps.SWISS_ROLL, dx=2
    )
    wiggly = _mapped("wiggly", "increasing sums of sines", normal, maps.WIGGLY_X, maps.WIGGLY_Y)
    sparse = [_sparse(d) for d in (3, 5, 25)]
    return (
        normal, uniform, *additive, bimodal, wiggly, _half_cube(normal), cauchy, _asinh(cauchy), rolled,
        *(_dense(d) for d in (2, 3, 5, 25, 50)),
        _sparse(2), *sparse,
        *(_student(d, dof) for d, dof in ((2, 1), (2, 2), (3, 2), (3, 3), (5, 2), (5, 3))),
        *(_uniform(task) for task in sparse), *(_half_cube(task) for task in sparse),
        *(_spiral(task) for task in sparse), *(_spiral(_uniform(task)) for task in sparse),
        *(_asinh(_student(d, dof)) for d, dof in ((2, 1), (3, 2), (5, 2))),
    )  # fmt: skip


TASKS = _tasks()
