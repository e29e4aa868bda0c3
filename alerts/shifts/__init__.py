"""Shifts: who is on duty for a region, now and in the days that come.

rota      pure: turns, covers and leave become shifts; gaps between them
roster    the same out of the database
morning   what a manager should know before the day begins: gaps, and people the ladder could not reach
"""
