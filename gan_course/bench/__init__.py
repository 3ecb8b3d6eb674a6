"""How fast the course's loop is, beside the loop that everybody writes first: `ladder` has that loop and the way
from it to ours, `measure` compares fairly, `limit` says what the machine could do, `report` prints."""
