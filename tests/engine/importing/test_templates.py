"""Go templates as CEL: what they give here is what they gave there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import Environment
from engine.importing.functions import FUNCTIONS
from engine.importing.go_reading import read_template
from engine.importing.go_tree import NotTranslatable
from engine.importing.names import InputName, Names, StepName
from engine.importing.templates import as_condition, in_text
from engine.playbook.names import STEP_NAMES
from engine.playbook.rendering import plan
from engine.playbook.templates import Placeholder, parse

OUTPUT = {
    "items": [{"name": "a", "n": 1}, {"name": "b", "n": 2}],
    "words": ["x", "y"],
    "map": {"one": {"v": 1}, "two": {"v": 2}},
    "count": 3,
    "zero": 0,
    "none": [],
    "name": "Pod One",
    "yes": True,
    "dash-ed": {"in": "it"},
}
KINDS = {
    "inputs.env": "string",
    "inputs.empty": "string",
    "run.url": "string",
    "alert.title": "string",
    "alert.metadata": "map<string, dyn>",
} | {f"steps.look.{name}": kind for name, kind in STEP_NAMES.items()}
VALUES: dict[str, Any] = {
    "inputs.env": "prod",
    "inputs.empty": "",
    "run.url": "http://run",
    "alert.title": "title",
    "alert.metadata": {"Team": "core"},
    "steps.look.output": {"body": OUTPUT},
    "steps.look.status": "succeeded",
}
ENVIRONMENT = Environment(KINDS)


def the_names() -> Names:
    look = StepName("look", "program", program="look")
    inputs = {"env": InputName("env"), "empty": InputName("empty"), "key": InputName("KEY", secret="KEY")}
    return Names(inputs=inputs, steps={"look": look, "look-it": look}, order=[look])


def rendered(text: str) -> Any:
    """What our own playbooks make of a text with placeholders."""
    return plan(text, ENVIRONMENT.compile).render(VALUES).value


def said(template: str) -> Any:
    translated = in_text(template, the_names())
    assert not [remark for remark in translated.remarks if remark.startswith("not translated")], translated
    return rendered(translated.text)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("no template", "no template"),
        ("costs ${{ $.look.count }}", "costs $3"),
        ("{{ $.params.env }}", "prod"),
        ("in {{ .params.env }}!", "in prod!"),
        ("{{ $.look.name }}", "Pod One"),
        ("{{ $.'look-it'.'dash-ed'.in }}", "it"),
        ("{{ $.look.items[1].name }}", "b"),
        ("{{ $.look.items[-1].name }}", "b"),
        ("{{ $.look.items[:].name }}", ["a", "b"]),
        ("{{ $.look.items.[:].n }}", [1, 2]),
        ("{{ $.look.map.*.v }}", [1, 2]),
        ("{{ .name }}", "Pod One"),
        ('{{ (stepOutput "look").items[0].name }}', "a"),
        ('{{ stepOutput "look" | len }}', len(OUTPUT)),
        ("{{ $.look.success }}", True),
        ("{{ $.metadata.executionUrl }}", "http://run"),
        ("{{ $.event.title }}", "title"),
        ("{{ $.event.Team }} {{ $.event.Nobody }}", "core "),
        ("{{ $.event.metadata.Team }}", "core"),
        ("{{ index $.look.items 1 | toJson }}", '{"n":2,"name":"b"}'),
        ('{{ index $.look.map "one" "v" }}', 1),
        ("{{ len $.look.items }}", 2),
        ("{{ gt (len $.look.items) 1 }}", True),
        ('{{ eq $.params.env "dev" "prod" }}', True),
        ('{{ ne $.params.env "dev" }}', True),
        ("{{ eq $.look.count 3 }}", True),
        ('{{ ieq $.params.env "PROD" }} {{ ine $.look.name "x" }}', "true true"),
        ("{{ le $.look.count 3 }}{{ lt $.look.count 3 }}{{ ge $.look.count 4 }}", "truefalsefalse"),
        ('{{ and (eq $.params.env "prod") (gt $.look.count 2) }}', True),
        ('{{ or (eq $.params.env "dev") $.look.yes }}', True),
        ("{{ not $.look.yes }} {{ not (not $.look.yes) }}", "false true"),
        ("{{ and $.look.name $.look.count }}", 3),
        ("{{ or $.look.zero $.look.none $.look.name }}", "Pod One"),
        ('{{ $.params.empty | default "dflt" }}', "dflt"),
        ('{{ default "dflt" $.look.missing }}', "dflt"),
        ('{{ default "dflt" $.look.zero }} {{ default "dflt" $.look.count }}', "dflt 3"),
        ('{{ coalesce $.params.empty $.look.missing "last" }}', "last"),
        ('{{ ternary "yes" "no" $.look.yes }}', "yes"),
        ("{{ empty $.look.none }} {{ empty $.look.missing }} {{ empty $.look.name }}", "true true false"),
        ('{{ join "," $.look.words }}', "x,y"),
        ('{{ $.look.words | join ", " | quote }}', '"x, y"'),
        ("{{ $.params.env | quote }} {{ squote $.params.env }}", "\"prod\" 'prod'"),
        ("{{ toJson $.look.words }}", '["x","y"]'),
        ("{{ toPrettyJson $.look.words }}", '["x","y"]'),
        ('{{ slice "abc" 0 3 }}', "abc"),
        ("{{ first $.look.words }}{{ last $.look.words }}", "xy"),
        ('{{ slice $.params.env 1 3 }} {{ slice "abc" 1 }}', "ro bc"),
        ('{{ printf "%s has %d: %v%%" $.params.env 3 $.look.count }}', "prod has 3: 3%"),
        ('{{ print "a" $.params.env }}', "aprod"),
        (
            "{{ lower $.look.name }} {{ upper $.params.env }} {{ kebabcase $.look.name }}",
            "pod one PROD pod-one",
        ),
        ('{{ trim " a " }}{{ replace "o" "0" $.params.env }}', "apr0d"),
        ('{{ contains "ro" $.params.env }}{{ hasPrefix "p" $.params.env }}', "truetrue"),
        ('{{ hasSuffix "x" $.params.env }}{{ regexMatch "^p.*d$" $.params.env }}', "falsetrue"),
        ('{{ has "x" $.look.words }}{{ hasKey $.look.map "one" }}', "truetrue"),
        ('{{ get $.look.map "one" | toJson }}', '{"v":1}'),
        ('{{ splitList "o" $.params.env | toJson }}', '["pr","d"]'),
        ('{{ list 1 2 | toJson }}{{ dict "a" 1 | toJson }}', '[1,2]{"a":1}'),
        (
            "{{ add 1 2 3 }} {{ sub 5 2 }} {{ mul 2 3 }} {{ div 7 2 }} {{ mod 7 2 }} {{ add1 1 }}",
            "6 3 6 3 1 2",
        ),
        ('{{ int "5" }} {{ atoi "6" }} {{ int64 7 }} {{ float64 1 }} {{ toString 3 }}', "5 6 7 1 3"),
        ("{{ if $.look.yes }}A{{ else }}B{{ end }}", "A"),
        ("{{ if $.look.zero }}A{{ else if $.look.count }}B{{ else }}C{{ end }}", "B"),
        ("a {{- if $.look.missing }} no {{- end }} b", "a b"),
        ("{{ range $.look.items }},{{ .name }}{{ end }}", ",a,b"),
        ("{{ range $item := $.look.items }}{{ $item.n }}{{ $.params.env }} {{ end }}", "1prod 2prod "),
        ("{{ range $.look.none }}x{{ else }}nothing{{ end }}", "nothing"),
        ("{{ range $.look.items }}{{ range $.look.words }}{{ . }}{{ end }};{{ end }}", "xy;xy;"),
        ("{{ with $.look.map }}{{ .one.v }}{{ end }}{{ with $.look.none }}x{{ end }}", "1"),
        ("{{ $n := $.look.name }}{{ $n }}/{{ lower $n }}", "Pod One/pod one"),
        ("{{/* a comment */}}a {{- /* b */ -}} c", "ac"),
        ('{{ "}}" }} {{ `raw "x"` }}', '}} raw "x"'),
        ("it's {{ \"it's\" | upper }}", "it's IT'S"),
    ],
)
def test_a_template_gives_here_what_it_gave_there(template: str, expected: Any) -> None:
    assert said(template) == expected


def test_every_function_is_in_the_table_above() -> None:
    table = test_a_template_gives_here_what_it_gave_there.pytestmark[0].args[1]
    words = set(" ".join(template for template, _ in table).replace("(", " ").split())
    assert sorted(set(FUNCTIONS) - words) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ('{{ eq $.params.env "prod" }}', "inputs.env == 'prod'"),
        ("{{ $.look.yes }}", "steps.look.output.body.yes in [true, 'true']"),
        ("{{ $.params.env }}", "inputs.env == 'true'"),
        ("  {{ not (empty $.params.env) }}\n", "!(inputs.env == '')"),
        (
            "{{ if $.params.env }}true{{ else }}false{{ end }}",
            "(inputs.env != '' ? 'true' : 'false') == 'true'",
        ),
        ("{{ $.look.success }}", "steps.look.status == 'succeeded'"),
    ],
)
def test_a_condition_is_a_bare_expression(condition: str, expected: str) -> None:
    assert as_condition(condition, the_names()).text == expected


def test_a_step_that_failed_or_was_skipped_has_given_nothing() -> None:
    text = in_text(
        '{{ if $.look.name }}yes{{ else }}no{{ end }} {{ $.look.name | default "none" }}', the_names()
    ).text
    assert plan(text, ENVIRONMENT.compile).render({**VALUES, "steps.look.output": None}).value == "no none"


def test_what_looks_like_a_placeholder_of_ours_is_none() -> None:
    found = in_text("costs ${{ nothing }}", the_names())
    assert rendered(found.text) == "costs ${{ nothing }}"


def test_a_secret_stands_alone() -> None:
    assert in_text("{{ secret $.params.key }}", the_names()).text == "${{ secrets.KEY }}"
    assert in_text('{{ secret "OTHER" }}', the_names()).text == "${{ secrets.OTHER }}"
    for template in ("Bearer {{ secret .params.key }}", '{{ secret "A" | quote }}', '{{ secret "a b" }}'):
        found = in_text(template, the_names())
        assert (found.text, found.remarks[0].startswith("not translated: a secret")) == (template, True)


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{{ b64enc .name }}", "the function `b64enc` has no counterpart"),
        ("{{ $.params.nobody }}", "there is no parameter `nobody`"),
        ("{{ $.metadata.userEmail }}", "who started the run"),
        ("{{ $.execution.owner }}", "`execution.owner` has no counterpart"),
        ("{{ range $i, $x := $.look.items }}{{ $i }}{{ end }}", "`range` with an index"),
        ("{{ $x = 1 }}", "a variable that changes its value"),
        ('{{ template "x" }}', "`template` has no counterpart"),
        ("{{ if $.look.yes }}", "without its `{{ end }}`"),
        ("{{ end }}", "without a block before it"),
        ("{{ .name", "`{{` is not closed by `}}`"),
        ("{{ ; }}", "`;` does not belong into a template"),
        ("{{ }}", "nothing stands between the braces"),
        ("{{ .name | }}", "nothing stands between the braces, or after a `|`"),
        ("{{ eq 1 }}", "the function `eq` with 1 arguments"),
        ("{{ (eq 1 1 }}", "`(` is not closed by `)`"),
        ("{{ $ }}", "the whole of what the playbook knows"),
        ("{{ $x.y }}", "the variable `$x` is not set"),
        ('{{ printf "%5.2f" 1.5 }}', "`printf` with `%5`"),
        ("{{ " + "(" * 40 + "1" + ")" * 40 + " }}", "brackets inside each other"),
        ("{{ $a := .name }}" + "{{ $a := print $a $a $a }}" * 20 + "{{ $a }}", "more than 4000 characters"),
        ('{{ eq $.look.words "a" "b" | upper | add 1 | first }}', "is no expression"),
    ],
)
def test_what_has_no_counterpart_stays_as_it_was_with_the_reason(template: str, why: str) -> None:
    found = in_text(template, the_names())
    assert found.text == template
    assert why in found.remarks[-1]


@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", " ", "$", ".", "a", "'b'", '"c"', "(", ")", "|", "if ", "else", "end", "range "]
        )
        | st.sampled_from(
            ["$.look", ".items", "[0]", "[:]", ":=", "$x ", "len ", "eq ", "with ", "1", "-", "/*", "*/"]
        )
        | st.sampled_from(["${{", "default ", "toJson ", "secret ", "$.params.env ", "`", "\\", "\n", "é"]),
        max_size=24,
    ).map("".join)
)
def test_whatever_is_written_becomes_text_that_our_own_reader_takes(template: str) -> None:
    found = in_text(template, the_names())
    for part in parse(found.text):
        if isinstance(part, Placeholder) and not part.secret:
            ENVIRONMENT.compile(part.text)


@given(st.text(max_size=40))
def test_a_template_is_read_or_refused(text: str) -> None:
    try:
        read_template("{{" + text)
    except NotTranslatable as fault:
        assert str(fault)
