"""A Sparkplug B topic: ``spBv1.0/<group>/<type>/<edge node>[/<device>]``."""

from __future__ import annotations

from typing import NamedTuple

NAMESPACE = "spBv1.0"
BIRTHS, DEATHS, DATA = ("NBIRTH", "DBIRTH"), ("NDEATH", "DDEATH"), ("NDATA", "DDATA")


class SparkplugTopic(NamedTuple):
    """What a topic says."""

    group: str
    kind: str
    node: str
    device: str

    @property
    def prefix(self) -> str:
        """What the addresses of its metrics begin with."""
        return "/".join(filter(None, ("sparkplug", self.group, self.node, self.device)))


def sparkplug_topic(topic: str) -> SparkplugTopic | None:
    """What a topic says; None where no readings are.

    >>> sparkplug_topic("spBv1.0/plant/DDATA/gate/meter").prefix
    'sparkplug/plant/gate/meter'
    """
    levels = topic.split("/")
    if len(levels) not in (4, 5) or levels[0] != NAMESPACE or levels[2] not in (*BIRTHS, *DEATHS, *DATA):
        return None
    if (levels[2][0] == "D") != (len(levels) == 5):
        return None
    return SparkplugTopic(levels[1], levels[2], levels[3], levels[4] if len(levels) == 5 else "")
