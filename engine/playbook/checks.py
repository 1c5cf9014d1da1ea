"""Checks every expression of a playbook: does it compile, what does it give, do its names exist there yet."""

import re
from collections.abc import Collection

from engine.expressions import Environment, ExpressionError, Program, UnknownName, output_environment
from engine.playbook.model import Playbook, SetStep
from engine.playbook.names import STEP_NAMES, all_steps, is_named, names_of
from engine.playbook.problems import Problems, nearest
from engine.playbook.sites import Site, Wants
from engine.playbook.templates import SECRET
from engine.yaml_values import Mark

_USABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")
_NO_JSON = {"timestamp": "a timestamp", "duration": "a duration", "bytes": "bytes", "type": "a type"}
_FITS: dict[Wants, tuple[str, ...]] = {"bool": ("bool", "dyn"), "text": ("string", "dyn"), "any": ()}
_WANTED = {"bool": "true or false", "text": "text"}
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
_SECRET_RULE = "a secret can only be a whole placeholder inside `with` of an action"  # noqa: S105 - no password


def check_sites(
    playbook: Playbook, sites: list[Site], problems: Problems, secrets: Collection[str] | None
) -> None:
    """Reports what is wrong with the expressions of a file. `secrets`: names that exist, None: unknown."""
    checker = _Checker(playbook, problems, secrets)
    for site in sites:
        checker.check(site)


class _Checker:
    """What is known of the playbook while its expressions are looked at."""

    def __init__(self, playbook: Playbook, problems: Problems, secrets: Collection[str] | None) -> None:
        self._problems = problems
        self._secrets = secrets
        names = {name: kind for name, kind in names_of(playbook).items() if _USABLE.fullmatch(name)}
        self._environment = Environment(names)
        steps = all_steps(playbook)
        self._after_steps = len(playbook.steps)
        self._ids = {step.path: at for at, step in enumerate(steps) if is_named(step.path)}
        self._set: dict[str, int] = {}
        for at, step in enumerate(steps):
            for name in step.values if isinstance(step, SetStep) else ():
                self._set.setdefault(name, at)

    def check(self, site: Site) -> None:
        """Reports at most one problem of an expression."""
        secret = SECRET.fullmatch(site.text)
        if secret and site.whole and site.secrets:
            self._check_secret(site, secret[1])
            return
        environment = output_environment() if site.stage == "select" else self._environment
        try:
            program = environment.compile(site.text)
        except UnknownName as error:
            self._problems.error(_mark(site, error.line, error.column), *self._unknown(error.name, site))
        except ExpressionError as error:
            self._problems.error(_mark(site, error.line, error.column), error.message)
        else:
            if self._check_names(site, program):
                self._check_result(site, program)

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
        if root not in _SEES[site.stage]:
            return self._not_seen(name, root, site)
        if name == "run.status" and site.stage != "finally":
            return "`run.status` is known in `finally` only", "leave it out"
        bound = self._after_steps if site.stage == "outputs" else site.step
        if root == "steps":
            step = rest.partition(".")[0]
            if self._ids[step] >= bound:
                itself = self._ids[step] == site.step
                when = (
                    "is this step itself"
                    if itself
                    else "comes later"
                    if site.step >= 0
                    else "is not in `steps`"
                )
                return f"the step `{step}` has not run yet here: it {when}", "use it after it has run"
        if root == "vars" and self._set[rest] >= bound:
            return f"`{name}` is not set yet here", "use it after the step that sets it"
        return None

    def _not_seen(self, name: str, root: str, site: Site) -> tuple[str, str]:
        sees = _SEES[site.stage]
        seen = "here an expression sees " + ", ".join(f"`{one}`" for one in sees)
        if root in _ROOTS:
            return f"`{root}` cannot be used in {_WHERE[site.stage]}", seen
        return f"unknown name `{name}`", nearest(root, sees, seen)

    def _check_result(self, site: Site, program: Program) -> None:
        kind = program.kind
        mark = site.value.place(site.offset)
        wanted = _FITS[site.wants]
        if wanted and kind not in wanted:
            self._problems.error(mark, f"this must be {_WANTED[site.wants]}, and is {kind}")
        elif kind.partition("<")[0] in _NO_JSON:
            word = _NO_JSON[kind.partition("<")[0]]
            self._problems.error(
                mark, f"this gives {word}, which JSON does not know", "make text of it with string()"
            )

    def _unknown(self, name: str, site: Site) -> tuple[str, str]:
        parts = name.split(".")
        root = parts[0]
        sees = _SEES[site.stage]
        if root == "secrets":
            return _SECRET_RULE, 'such as auth: {bearer: "${{ secrets.TOKEN }}"}'
        if root not in sees:
            return self._not_seen(name, root, site)
        if root == "steps":
            return self._unknown_step(parts)
        known_names = [one.partition(".")[2] for one in self._environment.names if one.startswith(root + ".")]
        member = ".".join(parts[1:2])
        if not member:
            return f"`{root}` alone is no value", f"such as {root}.{known_names[0]}" if known_names else ""
        words = {
            "inputs": f"there is no input `{member}`",
            "vars": f"no step sets `vars.{member}`",
        }
        return words.get(root, f"`{root}` has no `{member}`"), nearest(member, known_names)

    def _unknown_step(self, parts: list[str]) -> tuple[str, str]:
        step = ".".join(parts[1:2])
        fields = ", ".join(STEP_NAMES)
        if not step:
            return "`steps` alone is no value", "such as steps.<id>.output"
        if step not in self._ids:
            return f"there is no step `{step}`", nearest(step, self._ids)
        rest = ".".join(parts[2:])
        if not rest:
            return f"`steps.{step}` alone is no value", f"it has {fields}"
        return f"a step has no `{rest}`", nearest(rest, STEP_NAMES)


def _mark(site: Site, line: int, column: int) -> Mark:
    lines = site.text.split("\n")
    offset = sum(len(one) + 1 for one in lines[: max(0, line - 1)]) + max(0, column - 1)
    return site.value.place(site.offset + min(offset, len(site.text)))
