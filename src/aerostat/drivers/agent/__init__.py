"""The optional agent in a guest: its channel, its lines, and how far it is believed."""

from aerostat.drivers.agent.channel import AgentChannel, agent_socket
from aerostat.drivers.agent.door import VSOCK_PORT, AgentDoor, agent_door, seen_from_here
from aerostat.drivers.agent.heard import HeardAgent, HeardFigures
from aerostat.drivers.agent.link import AgentLink

__all__ = [
    "VSOCK_PORT",
    "AgentChannel",
    "AgentDoor",
    "AgentLink",
    "HeardAgent",
    "HeardFigures",
    "agent_door",
    "agent_socket",
    "seen_from_here",
]
