-- Homes with nothing but a smart meter: how seldom it speaks, and what of the time since the last sign it did not show.

ALTER TABLE power_life
    ADD COLUMN changed_at timestamptz,         -- since when it says nothing new
    ADD COLUMN outages    jsonb,               -- [[from, to], ...] since life_at, epoch seconds: no value, or the same one
    ADD COLUMN days       jsonb,               -- [[day, gap_s, still_s], ...]: the longest of each of the last weeks
    ADD COLUMN gap_s      float8,              -- the usual longest time between two values
    ADD COLUMN still_s    float8;              -- ... between two changes of the value

-- The classes of steps begin at 20 W instead of 40 W, two half octaves lower, and those down follow those up.
UPDATE power_life SET by_hour = none.rows2 || jsonb_path_query_array(by_hour, '$[0 to 21]') || none.rows24
FROM (
    SELECT jsonb_agg(hours) FILTER (WHERE number <= 2) AS rows2, jsonb_agg(hours) AS rows24
    FROM generate_series(1, 24) AS number, (SELECT jsonb_agg(0) AS hours FROM generate_series(1, 24)) AS zero
) AS none
WHERE jsonb_array_length(by_hour) = 24;
