"""Checks every expression of a playbook: does it compile, what does it give, do its names exist there yet."""

import re
from collections.abc import Collection, Mapping

from engine.expressions import Environment, ExpressionError, Program, UnknownName, output_environment
from engine.playbook.model import ForeachStep, Playbook, SetStep, Step
from engine.playbook.names import is_named, names_of, step_names
from engine.playbook.positions import Before, Position, loops, seen
from engine.playbook.problems import Problems, nearest
from engine.playbook.sites import Site, Wants
from engine.playbook.templates import SECRET
from engine.playbook.walking import all_steps
from engine.yaml_values import Mark

_USABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_NO_JSON = {"timestamp": "a timestamp", "duration": "a duration", "bytes": "bytes", "type": "a type"}
_FITS: dict[Wants, tuple[str, ...]] = {
    "bool": ("bool", "dyn"),
    "text": ("string", "dyn"),
    "any": (),
    "list": ("list", "dyn"),
}
_WANTED = {"bool": "true or false", "text": "text", "list": "a list"}
_SEES = {
    "alert": ("alert",),
    "default": ("alert", "run"),
    "steps": ("alert", "inputs", "vars", "steps", "run"),
    "on_failure": ("alert", "inputs", "vars", "steps", "run", "failure"),
    "finally": ("alert", "inputs", "vars", "steps", "run"),
    "outputs": ("alert", "inputs", "vars", "steps", "run"),
    "select": ("output",),
}
_ROOTS = frozenset(root for roots in _SEES.values() for root in roots) - {"output"}
_WHERE = {
    "alert": "what decides on a start",
    "default": "the default of an input",
    "steps": "`steps`",
    "on_failure": "`on_failure`",
    "finally": "`finally`",
    "outputs": "`outputs`",
    "select": "`select`",
}
_WHEN: dict[Before, str] = {
    "itself": "it is this step itself",
    "around": "it is the step around this one",
    "inside": "it is inside this step",
    "later": "it comes later",
    "other_branch": "it is in another branch",
    "has_run": "",
    "in_loop": "",
}
_SECRET_RULE = "a secret can only be a whole placeholder inside `with` of an action"  # noqa: S105 - no password


def check_sites(
    playbook: Playbook,
    positions: Mapping[str, Position],
    sites: list[Site],
    problems: Problems,
    secrets: Collection[str] | None,
) -> None:
    """Reports what is wrong with the expressions of a file.

    `positions`: where each step stands. `secrets`: names that exist, None: unknown.
    """
    checker = _Checker(playbook, positions, problems, secrets)
    for site in sites:
        checker.check(site)


class _Checker:
    """What is known of the playbook while its expressions are looked at."""

    def __init__(
        self,
        playbook: Playbook,
        positions: Mapping[str, Position],
        problems: Problems,
        secrets: Collection[str] | None,
    ) -> None:
        self._problems = problems
        self._secrets = secrets
        names = {name: kind for name, kind in names_of(playbook).items() if _USABLE.fullmatch(name)}
        self._environment = Environment(names)
        self._items = {one.variable for one in all_steps(playbook) if isinstance(one, ForeachStep)} | {
            "index"
        }
        self._without: dict[frozenset[str], Environment] = {frozenset(): self._environment}
        self._item_names = [name for name in names if name.startswith("item.")]
        self._positions = positions
        self._steps = {step.path: step for step in all_steps(playbook) if is_named(step.path)}
        self._set: dict[str, list[Position]] = {}
        for step in all_steps(playbook):
            for name in step.values if isinstance(step, SetStep) else ():
                self._set.setdefault(name, []).append(positions[step.path])

    def check(self, site: Site) -> None:
        """Reports at most one problem of an expression."""
        secret = SECRET.fullmatch(site.text)
        if secret and site.whole and site.secrets:
            self._check_secret(site, secret[1])
            return
        environment = output_environment() if site.stage == "select" else self._environment_at(site)
        try:
            program = environment.compile(site.text)
        except UnknownName as error:
            self._problems.error(_mark(site, error.line, error.column), *self._unknown(error.name, site))
        except ExpressionError as error:
            self._problems.error(_mark(site, error.line, error.column), error.message)
        else:
            if self._check_names(site, program):
                self._check_result(site, program)

    def _environment_at(self, site: Site) -> Environment:
        """Without the items of other loops: `xs.map(pod, ...)` may call its own variable like one."""
        hidden = frozenset(self._items & set(self._environment.names)) - self._variables(site)
        if hidden not in self._without:
            names = self._environment.names
            self._without[hidden] = Environment({one: names[one] for one in names if one not in hidden})
        return self._without[hidden]

    def _check_secret(self, site: Site, name: str) -> None:
        if self._secrets is not None and name not in self._secrets:
            near = nearest(name, self._secrets, "set it before the playbook runs")
            self._problems.warning(site.value.place(site.offset), f"the secret `{name}` does not exist", near)

    def _check_names(self, site: Site, program: Program) -> bool:
        for name, offset in program.uses:
            fault = self._out_of_place(name, site)
            if fault is not None:
                self._problems.error(site.value.place(site.offset + offset), *fault)
                return False
        return True

    def _out_of_place(self, name: str, site: Site) -> tuple[str, str] | None:
        root, _, rest = name.partition(".")
        if root in self._variables(site):
            return None
        if root == "item" and site.loop:
            return self._out_of_iteration(rest.partition(".")[0], site)
        if root not in _SEES[site.stage]:
            return self._not_seen(name, root, site)
        if name == "run.status" and site.stage != "finally":
            return "`run.status` is known in `finally` only", "leave it out"
        if root == "steps":
            return self._not_run(rest.partition(".")[0], site)
        if root == "vars" and not any(seen(at, site.at) in ("has_run", "in_loop") for at in self._set[rest]):
            return f"`{name}` is not set yet here", "use it after the step that sets it"
        return None

    def _not_run(self, step: str, site: Site) -> tuple[str, str] | None:
        """What is wrong with naming this step there."""
        place = self._positions[step]
        before = seen(place, site.at)
        if before == "has_run":
            return None
        if before == "in_loop":
            loop = next(one for one in loops(place) if one not in loops(site.at))
            message = f"the step `{step}` has run any number of times here, in the loop `{loop}`"
            return message, f"such as steps.{loop}.outputs[0].{step}"
        when = _WHEN[before]
        if before == "later" and site.stage == "outputs":
            when = "it is not in `steps`"
        return f"the step `{step}` has not run yet here: {when}", "use it after it has run"

    def _out_of_iteration(self, step: str, site: Site) -> tuple[str, str] | None:
        """`item.<id>` in an `until`: only steps of the iteration that has ended."""
        place = self._positions[step]
        if seen(place, site.at) == "has_run" and site.loop in loops(place):
            return None
        return f"the step `{step}` is not in this loop", f"`item` has the steps of `{site.loop}`"

    def _variables(self, site: Site) -> frozenset[str]:
        """Names that the loops around give."""
        found = {level.variable for level in site.at if level.variable}
        return frozenset(found | {"index"} if loops(site.at) else found)

    def _not_seen(self, name: str, root: str, site: Site) -> tuple[str, str]:
        sees = self._sees(site)
        if root in self._environment.names:
            what = "`index`" if root == "index" else f"the item `{root}`"
            return f"{what} is known in its loop only", "use it in the loop's steps, or in its `until`"
        seen = "here an expression sees " + ", ".join(f"`{one}`" for one in sees)
        if root in _ROOTS:
            return f"`{root}` cannot be used in {_WHERE[site.stage]}", seen
        return f"unknown name `{name}`", nearest(root, sees, seen)

    def _check_result(self, site: Site, program: Program) -> None:
        kind = program.kind
        mark = site.value.place(site.offset)
        wanted = _FITS[site.wants]
        if wanted and kind.partition("<")[0] not in wanted:
            fix = "such as entries(m) or keys(m), which are sorted" if kind.startswith("map") else ""
            what = f"this must be {_WANTED[site.wants]}, and is {kind}"
            self._problems.error(mark, what, fix if site.wants == "list" else "")
        elif kind.partition("<")[0] in _NO_JSON:
            word = _NO_JSON[kind.partition("<")[0]]
            self._problems.error(
                mark, f"this gives {word}, which JSON does not know", "make text of it with string()"
            )

    def _unknown(self, name: str, site: Site) -> tuple[str, str]:
        parts = name.split(".")
        root = parts[0]
        sees = self._sees(site)
        if root == "secrets":
            return _SECRET_RULE, 'such as auth: {bearer: "${{ secrets.TOKEN }}"}'
        if root not in sees:
            return self._not_seen(name, root, site)
        if root in ("steps", "item"):
            return self._unknown_step(root, parts)
        known_names = [one.partition(".")[2] for one in self._environment.names if one.startswith(root + ".")]
        member = ".".join(parts[1:2])
        if not member:
            return f"`{root}` alone is no value", f"such as {root}.{known_names[0]}" if known_names else ""
        words = {
            "inputs": f"there is no input `{member}`",
            "vars": f"no step sets `vars.{member}`",
        }
        return words.get(root, f"`{root}` has no `{member}`"), nearest(member, known_names)

    def _sees(self, site: Site) -> tuple[str, ...]:
        """The first words of what an expression can use there."""
        variables = sorted(self._variables(site)) if site.stage != "select" else []
        return (*_SEES[site.stage], *variables, *(["item"] if site.loop else []))

    def _unknown_step(self, root: str, parts: list[str]) -> tuple[str, str]:
        name = ".".join(parts[1:2])
        if not name:
            return f"`{root}` alone is no value", f"such as {root}.<id>.output"
        step = self._steps.get(name)
        if step is None:
            return f"there is no step `{name}`", nearest(name, self._steps)
        if root == "item" and name not in {known.split(".")[1] for known in self._item_names}:
            return (
                f"the step `{name}` is not in a loop",
                "`item` has the steps of the loop whose `until` this is",
            )
        fields = step_names(step)
        rest = ".".join(parts[2:])
        if not rest:
            return f"`{root}.{name}` alone is no value", f"it has {', '.join(fields)}"
        if rest.partition(".")[0] in ("output", "outputs"):
            return _wrong_output(step, rest)
        return f"a step has no `{rest}`", nearest(rest, fields)


def _wrong_output(step: Step, rest: str) -> tuple[str, str]:
    """`output` of a loop, or `outputs` of anything else."""
    if "outputs" in step_names(step):
        return f"the loop `{step.path}` has no `{rest}`", f"one for each iteration: steps.{step.path}.outputs"
    return f"a step has no `{rest}`", "did you mean `output`? Only a loop has `outputs`"


def _mark(site: Site, line: int, column: int) -> Mark:
    lines = site.text.split("\n")
    offset = sum(len(one) + 1 for one in lines[: max(0, line - 1)]) + max(0, column - 1)
    return site.value.place(site.offset + min(offset, len(site.text)))
