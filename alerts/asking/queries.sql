-- name: ask
INSERT INTO gateway_command (gateway_id, kind, seconds, created_at, expires_at)
SELECT gateway.id, %(kind)s, %(seconds)s, %(now)s, %(expires)s
FROM gateway JOIN gateway_status ON gateway_status.gateway_id = gateway.id
WHERE gateway.home_id = %(home)s AND gateway.ended_at IS NULL AND gateway_status.online
ORDER BY gateway_status.heard_at DESC NULLS LAST LIMIT 1
RETURNING id;

-- name: ask_gateways
INSERT INTO gateway_command (gateway_id, kind, seconds, created_at, expires_at)
SELECT gateway_id, %(kind)s, seconds, %(now)s, %(expires)s
FROM unnest(%(gateways)s::int[], %(seconds)s::int[]) WITH ORDINALITY AS asked (gateway_id, seconds, place)
ORDER BY place RETURNING id, gateway_id;

-- name: answer
SELECT gateway_command.id, gateway.home_id, gateway_command.answer, gateway_command.answered_at,
    gateway_command.expires_at, gateway_command.seconds, gateway_command.reason
FROM gateway_command JOIN gateway ON gateway.id = gateway_command.gateway_id
WHERE gateway_command.id = %(id)s;
