"""Why the controls matter, by the subject their ids begin with."""

WHY = {
    "encryption": "Data outside your own key is outside your control: you cannot take access to it away.",
    "identity": "What the role may do, whoever gets hold of the role may do: training data can leave by it.",
    "network": "A job that can reach other networks can carry training data out.",
    "lineage": "A model remembers what it was trained on, scanned or not.",
    "model": "A model whose origin is not known can hold anything, and answer anything.",
    "estate": "The gate stands on this protection: without it, what the gate says may not hold.",
}


def why(control_id: str) -> str:
    return WHY[control_id.partition(".")[0]]
