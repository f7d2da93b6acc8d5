"""What several commands have in common: the options that choose settings, and how errors are said."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from config.settings import SettingsError

config_option = click.option(
    "--config", type=click.Path(path_type=Path), help="A YAML file laid over config/default.yaml."
)
set_option = click.option(
    "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="One setting; may be repeated."
)


@contextmanager
def one_sentence(*kinds: type[Exception]) -> Iterator[None]:
    """What a person can put right, one of `kinds` or the settings, is said in a sentence, with exit code 2."""
    try:
        yield
    except (SettingsError, *kinds) as error:
        click.echo(str(error), err=True)
        sys.exit(2)
    except OSError as error:
        click.echo(f"{error.filename or 'a file'}: {error.strerror or error}.", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        click.echo("stopped by hand; what was read until then is written.", err=True)
        sys.exit(130)
