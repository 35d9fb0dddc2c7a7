"""What a person sees while an experiment runs: a picture in the terminal, or plain lines."""

from aerostat.lab.live.picture import DecisionPicture, GuestPicture, HostPicture, LivePicture
from aerostat.lab.live.plain import PlainProgress
from aerostat.lab.live.view import LiveView, View, open_view

__all__ = [
    "DecisionPicture",
    "GuestPicture",
    "HostPicture",
    "LivePicture",
    "LiveView",
    "PlainProgress",
    "View",
    "open_view",
]
