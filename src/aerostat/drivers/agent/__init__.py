"""The optional agent in a guest: its channel, its lines, and how far it is believed."""

from aerostat.drivers.agent.channel import AgentChannel, agent_socket
from aerostat.drivers.agent.heard import HeardAgent, HeardFigures
from aerostat.drivers.agent.link import AgentLink

__all__ = ["AgentChannel", "AgentLink", "HeardAgent", "HeardFigures", "agent_socket"]
