-- name: make_witness
CREATE TEMP TABLE witness (gateway text NOT NULL, metric smallint NOT NULL, identity bigint NOT NULL);

-- name: copy_witness
COPY witness (gateway, metric, identity) FROM STDIN;

-- name: count_witnessed
-- A meter's reading is known by its value, an SOS by when it was pressed. What a gateway says of itself does not count.
WITH found AS (
    SELECT gateway.key AS gateway, reading.metric,
        CASE WHEN device.address = 'tasmota/meter' THEN reading.value::bigint
             ELSE (extract(epoch FROM reading.time) * 1000)::bigint END AS identity,
        count(*) AS rows
    FROM reading
    JOIN device ON device.id = reading.device_id
    JOIN gateway ON gateway.id = device.gateway_id
    WHERE device.address IN ('tasmota/meter', 'zigbee2mqtt/sos')
    GROUP BY 1, 2, 3
), compared AS (
    SELECT witness.gateway IS NOT NULL AS witnessed, coalesce(found.rows, 0) AS rows
    FROM witness FULL JOIN found USING (gateway, metric, identity)
)
SELECT count(*) FILTER (WHERE witnessed AND rows > 0) AS stored,
    count(*) FILTER (WHERE witnessed AND rows = 0) AS lost,
    coalesce(sum(rows - 1) FILTER (WHERE rows > 1), 0)::bigint AS doubled,
    count(*) FILTER (WHERE NOT witnessed) AS unwitnessed,
    (SELECT coalesce(sum(greatest(readings, 1)), 0)::bigint FROM rejected) AS rejected
FROM compared;

-- name: witnessed_latencies
SELECT extract(epoch FROM pg_xact_commit_timestamp(reading.xmin)) * 1000 - witness.identity AS ms
FROM witness
JOIN gateway ON gateway.key = witness.gateway
JOIN device ON device.gateway_id = gateway.id AND device.address = 'zigbee2mqtt/sos'
JOIN reading ON reading.device_id = device.id AND reading.metric = witness.metric
    AND reading.time = to_timestamp(witness.identity / 1000.0)
ORDER BY ms;
