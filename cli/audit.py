"""`pulsebook audit`: the group. Each command is a file beside this one."""

import typer

from cli.audit_export import export
from cli.audit_log import log
from cli.audit_verify import verify_command

app = typer.Typer(
    no_args_is_help=True, help="Look back: who changed what, whether the records are true; keep them."
)
app.command("log")(log)
app.command("verify")(verify_command)
app.command("export")(export)
