"""Reads YAML without its surprises: repeated keys are errors, and `no` is a text."""

from typing import Any

import yaml

InvalidYaml = yaml.YAMLError
_BOOLEAN = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """A safe loader whose only booleans are true and false, as in YAML 1.2: `NO` is a country."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # yaml's own, changed
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOLEAN or first in {"t", "T", "f", "F"}]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # yaml calls it
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for number, key in enumerate(keys):
            if key in keys[:number]:
                message = f"{key!r} is given twice"
                raise yaml.constructor.ConstructorError(None, None, message, node.value[number][0].start_mark)
        return super().construct_mapping(node, deep=deep)


def load_yaml(text: str) -> object:
    """Return the document of a text. Raises `InvalidYaml`."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a safe loader
