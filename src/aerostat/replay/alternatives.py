"""What is to be tried in place of what was in force."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aerostat.config import Config, default_config, stored_config
from aerostat.config.assignments import assigned
from aerostat.engine.params import EngineParams
from aerostat.policy.params import PolicyName
from aerostat.ports.errors import AerostatError


class AlternativeError(AerostatError):
    """An alternative that cannot be tried on this recording."""

    exit_status = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """Another policy, other settings, or both."""

    policy: PolicyName | None  # None: the one recorded
    settings: tuple[str, ...]  # as given: key=value

    @property
    def name(self) -> str:
        """As it stands in a table."""
        policy = "as recorded" if self.policy is None else self.policy.value
        return " ".join([policy, *self.settings])

    def params(self, recorded: EngineParams, configuration: str | None) -> EngineParams:
        """The parameters in its place.

        Raises:
            AlternativeError: settings are to be changed, and the recorded ones are not those of
                the recorded configuration.
            ConfigError: a setting is wrong.
        """
        params = recorded
        if self.settings:
            params = _with_settings(recorded, configuration, self.settings)
        return params if self.policy is None else replace(params, policy=self.policy)


def alternatives_of(
    policies: Sequence[PolicyName], settings: Sequence[str]
) -> tuple[Alternative, ...]:
    """One for each policy, all with these settings; without policies, one with the settings."""
    told = tuple(settings)
    named: Sequence[PolicyName | None] = policies or ([None] if told else [])
    return tuple(Alternative(policy=policy, settings=told) for policy in named)


def _with_settings(
    recorded: EngineParams, configuration: str | None, settings: tuple[str, ...]
) -> EngineParams:
    config = _config_of(configuration)
    if config is None or config.engine_params() != recorded:
        raise AlternativeError(
            "--set changes a setting of the configuration that was recorded, and what the engine "
            "was told then is not what this Aerostat makes of that configuration: try --policy"
        )
    return assigned(config, settings).engine_params()


def _config_of(configuration: str | None) -> Config | None:
    return default_config() if configuration is None else stored_config(configuration)
