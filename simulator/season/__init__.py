"""Whole seasons of homes as arrays, for evaluation: what happened, what sensors said, what of it arrived and when.

    homes      a home with every kind of device          weeks      its days, drifting, with guests and nights away
    track      one home's readings, to be laid over      mishaps    what happens to the person or the home
    faults     what happens to devices and messages      play       all of it together, with the truth beside it

Nothing here knows how anything is detected: mishaps and faults change what happens and what is seen of it. Every
random choice comes from a generator that is passed in; the same seed gives the same season.
"""
