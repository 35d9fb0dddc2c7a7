"""Why a policy wishes a size: numbers inside columns, mapped to ``model.reasons`` outside."""

WHY_NOTHING = 0
WHY_RAISED_TO_MIN = 1
WHY_DEMAND = 2
WHY_DISTRESS = 3
WHY_SURPLUS = 4
WHY_TAKEN_FOR_OTHERS = 5
WHY_TAKEN_FOR_HOST = 6
WHY_FIXED = 7
WHY_LOWERED_TO_MAX = 8
WHY_SHUTDOWN = 9
WHY_ORDERED = 10
