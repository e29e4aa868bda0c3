-- Homes with nothing but a smart meter: how seldom it speaks, and what of the time since the last sign it did not show.

ALTER TABLE power_life
    ADD COLUMN changed_at timestamptz,         -- since when it says nothing new
    ADD COLUMN outages    jsonb,               -- [[from, to], ...] since life_at, epoch seconds: no value, or the same one
    ADD COLUMN days       jsonb,               -- [[day, gap_s, still_s], ...]: the longest of each of the last weeks
    ADD COLUMN gap_s      float8,              -- the usual longest time between two values
    ADD COLUMN still_s    float8;              -- ... between two changes of the value
