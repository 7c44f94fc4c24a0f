"""The rank of an upload among those of its key, where the event that told its sequencer is not at hand."""

from datetime import datetime


def order_of(uploaded: datetime, orders: list[str]) -> str:
    """A rank from the time of the upload: sequencers begin with seconds in hexadecimal.

    It takes the form of those already known of the key; where there are none, the form that ranks lowest, so that it
    can never hide an upload whose sequencer is known.
    """
    known = max(orders, default="00")
    seconds = f"{int(uploaded.timestamp()):08X}"
    bare = seconds if known.upper() == known else seconds.lower()
    return f"00{bare}" if known.startswith("00") else bare
